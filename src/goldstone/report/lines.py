"""Lines over steps, epochs, layers or bands, named at their ends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goldstone.auditing import AuditResult
from goldstone.core import Statistic
from goldstone.report.marks import DASHES, INK, MUTED, SERIES, label_mark
from goldstone.report.names import short_names
from goldstone.report.svg import Axes, end_labels, inline_svg, log_axis

MOST_LINES = 12
MOST_TICKS = 40


@dataclass(frozen=True)
class Line:
    """One line of a plot; ``name`` is written at its end. A thin line has neither name nor marks.

    ``low`` and ``high`` bound the band around it.
    """

    name: str
    values: tuple[float | None, ...]
    colour: str
    dash: tuple[float, ...] = ()
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()
    thin: bool = False


def element_style(
    result: AuditResult, names: Sequence[str]
) -> dict[str, tuple[str, tuple[float, ...]]]:
    """The colour of each element's label, and a dash that tells elements of one label apart.

    Where all have one label, colours tell the elements apart too.
    """
    known = {e.name: e.label for e in result.elements}
    labels = {name: known.get(name, "undetermined") for name in names}
    if len(set(labels.values())) == 1 and len(labels) <= MOST_LINES:
        count = len(SERIES)
        return {
            name: (SERIES[i % count], DASHES[i // count % len(DASHES)])
            for i, name in enumerate(names)
        }
    seen: dict[str, int] = {}
    styles = {}
    for name in names:
        label = labels[name]
        styles[name] = label_mark(label).colour, DASHES[seen.get(label, 0) % len(DASHES)]
        seen[label] = seen.get(label, 0) + 1
    return styles


def element_lines(
    result: AuditResult, values: Mapping[str, Sequence[Statistic | None]]
) -> list[Line]:
    """A line for each element; of more than twelve all thin, the median and the highest named."""
    styles = element_style(result, tuple(values))
    estimates = {
        name: tuple(None if s is None else s.estimate for s in statistics)
        for name, statistics in values.items()
    }
    if len(estimates) <= MOST_LINES:
        return [Line(name, line, *styles[name]) for name, line in estimates.items()]
    lines = [Line("", line, styles[name][0], thin=True) for name, line in estimates.items()]
    table = np.array([floats(line) for line in estimates.values()])
    top = list(estimates)[int(np.nan_to_num(table).mean(1).argmax())]
    middle = tuple(
        float(np.median(known)) if (known := column[np.isfinite(column)]).size else None
        for column in table.T
    )
    return [*lines, Line(top, estimates[top], styles[top][0]), Line("median", middle, INK, (4, 2))]


def line_plot(
    key: str,
    title: str,
    label: str,
    x: Sequence[float],
    lines: Sequence[Line],
    *,
    unit: str = "",
    log: bool = False,
    width: float = 328,
    height: float = 250,
    ticks: Sequence[str] = (),
    levels: Mapping[str, float] | None = None,
) -> str:
    """Lines over ``x`` as SVG; empty if nothing is defined.

    Args:
        key: makes identifiers unique on the page.
        title: the quantity.
        label: what runs along the horizontal axis.
        x: the places.
        lines: with a value for each place.
        unit: of the vertical axis.
        log: whether that is logarithmic.
        width: in CSS pixels.
        height: likewise.
        ticks: a name for each place, in place of its number; long ones are written upwards.
        levels: named horizontal lines.
    """
    if not any(value is not None for line in lines for value in line.values):
        return ""
    many = sum(bool(line.name) for line in lines) > MOST_LINES

    def draw(axes: Axes) -> None:
        axes.set_title(title)
        axes.set_xlabel(label)
        axes.set_ylabel(unit)
        spans = [span for line in lines for span in (line.values, line.low, line.high)]
        values = [v for span in spans for v in span if v is not None]
        values += list((levels or {}).values())
        positive = [v for v in values if v > 0 or not log]
        if not positive:
            return
        if log:
            log_axis(axes.yaxis, min(positive) / 1.5, max(positive) * 1.5)
        ends = []
        names = short_names([line.name for line in lines if line.name], 12)
        short = dict(zip((line.name for line in lines if line.name), names, strict=True))
        for line in lines:
            y = _draw_line(axes, x, line, log=log, many=many)
            finite = np.flatnonzero(np.isfinite(y))
            if line.name and finite.size:
                ends.append((float(y[finite[-1]]), short[line.name], line.colour))
        if not log and axes.get_ylim()[0] < 0 < axes.get_ylim()[1]:
            axes.axhline(0, color=MUTED, linewidth=0.9, zorder=1)
        axes.margins(x=0.02)
        for name, value in (levels or {}).items():
            _level(axes, name, value)
        if ticks:
            name_ticks(axes, x, ticks)
        elif all(float(v).is_integer() for v in x):
            axes.xaxis.get_major_locator().set_params(integer=True)
        if not many:
            end_labels(axes, ends)

    description = f"{title} against {label}; numbers are in audit.json"
    return inline_svg(key, description, draw, width, height)


def _draw_line(
    axes: Axes, x: Sequence[float], line: Line, *, log: bool, many: bool
) -> NDArray[np.float64]:
    y = floats(line.values)
    if log:
        y = np.where(y > 0, y, np.nan)
    style = {"color": line.colour, "linewidth": 0.7 if many or line.thin else 1.6}
    style |= {"dashes": line.dash} if line.dash else {}
    axes.plot(x, y, **style, zorder=1.5 if line.thin else 2)
    if len(x) <= 30 and not many and not line.thin:
        axes.plot(x, y, "o", color=line.colour, markersize=3, zorder=3)
    if line.low and line.high:
        low, high = floats(line.low), floats(line.high)
        axes.fill_between(x, low, high, color=line.colour, alpha=0.18, linewidth=0)
    return y


def _level(axes: Axes, name: str, value: float) -> None:
    axes.axhline(value, color=MUTED, linewidth=0.9, linestyle=(0, (4, 2)), zorder=1)
    axes.annotate(
        name, (0.99, value), xycoords=("axes fraction", "data"), xytext=(0, 3),
        textcoords="offset points", ha="right", va="bottom", fontsize=9.5, color=MUTED,
    )  # fmt: skip


def name_ticks(axes: Axes, x: Sequence[float], names: Sequence[str]) -> None:
    """Names along the horizontal axis, upwards if they are long; of more than 40 every so many."""
    step = -(-len(names) // MOST_TICKS)
    if step > 1:
        step = max(step, 5)
        # Places are counted from one, as in the tables.
        places = [i for i in range(len(names)) if i == 0 or (i + 1) % step == 0]
        axes.set_xticks([x[i] for i in places], [str(i + 1) for i in places])
        return
    shown = short_names(names, 22)
    upwards = len(shown) > 1 and max(map(len, shown)) * len(shown) > 40
    axes.set_xticks(x, shown, rotation=90 if upwards else 0)


def chart_width(places: int) -> float:
    """Of a chart with so many places side by side, in CSS pixels: 400 to 900."""
    return float(min(900, max(400, 130 + 24 * places)))


def floats(values: Sequence[float | None]) -> NDArray[np.float64]:
    """Values as an array, NaN for those that are not defined."""
    return np.array([np.nan if v is None else v for v in values], dtype=np.float64)
