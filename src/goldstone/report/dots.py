"""Dots with intervals: few rows by name, or many along the horizontal axis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from goldstone.auditing.results import Label
from goldstone.core import Statistic
from goldstone.report.marks import INK, LABELS, MUTED, PAPER, SERIES, label_mark
from goldstone.report.names import short_names
from goldstone.report.svg import Axes, inline_svg, log_axis

MOST_ROWS = 32
SERIES_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")


@dataclass(frozen=True)
class Dot:
    """A statistic at a place along the rows.

    ``style`` is a label, *null*, *mark* (a plain tick) or *series k*; ``colour`` is for series.
    """

    place: float
    statistic: Statistic
    style: str
    colour: str = ""


@dataclass(frozen=True)
class DotPlot:
    """A panel: its title, the quantity on its axis, row names, dots, named reference lines.

    ``per`` is what a row is, its name at most ``longest`` letters; ``width`` is in CSS pixels.
    """

    title: str
    unit: str
    rows: tuple[str, ...]
    dots: tuple[Dot, ...]
    lines: Mapping[str, float]
    log: bool = False
    per: str = "element"
    width: float = 328.0
    longest: int = 12


def dot(place: float, statistic: Statistic | None, style: str, colour: str = "") -> list[Dot]:
    """The statistic's dot; none if it is not defined."""
    if statistic is None or statistic.estimate is None:
        return []
    return [Dot(place, statistic, style, colour)]


def series_dots(*series: Sequence[Statistic | None]) -> tuple[Dot, ...]:
    """Several statistics of each row, a series each, one below the other inside the row."""
    dots: list[Dot] = []
    for k, statistics in enumerate(series):
        offset = 0.6 * ((k + 0.5) / len(series) - 0.5)
        for place, statistic in enumerate(statistics):
            dots += dot(place + offset, statistic, f"series {k}", SERIES[k % len(SERIES)])
    return tuple(dots)


def dot_plot(key: str, plot: DotPlot) -> str:
    """The panel as SVG; empty if it has no dot.

    Up to 32 rows are named, one below the other; more run along the horizontal axis.
    """
    if not any(dot.style not in ("null", "mark") for dot in plot.dots):
        return ""
    many = len(plot.rows) > MOST_ROWS
    per_row = max(22, 9 * len({dot.style for dot in plot.dots if dot.style.startswith("series")}))
    height = 300.0 if many else 78.0 + per_row * max(len(plot.rows), 2)
    description = f"{plot.title} by {plot.per}, with intervals; the numbers are in the tables"

    def draw(axes: Axes) -> None:
        axes.set_title(plot.title)
        (axes.set_ylabel if many else axes.set_xlabel)(plot.unit)
        value_axis = axes.yaxis if many else axes.xaxis
        if plot.log:
            log_axis(value_axis, *_log_limits(plot))
        for style in dict.fromkeys((dot.style, dot.colour) for dot in plot.dots):
            dots = [dot for dot in plot.dots if (dot.style, dot.colour) == style]
            _draw_dots(axes, dots, many=many, log=plot.log)
        named = [name for name in plot.lines if name != "0"]
        for name, value in plot.lines.items():
            row = named.index(name) if name in named else -1
            _reference_line(axes, name, value, many=many, row=row)
        if many:
            _index_axis(axes, plot.rows, plot.per)
        else:
            names = short_names(plot.rows, plot.longest)
            axes.set_yticks(range(len(names)), names)
            axes.set_ylim(len(plot.rows) - 0.35, -0.65 - 0.5 * max(len(named), bool(plot.lines)))
            axes.tick_params(axis="y", length=0)

    return inline_svg(key, description, draw, plot.width, height)


def _log_limits(plot: DotPlot) -> tuple[float, float]:
    values = [value for value in plot.lines.values() if value > 0]
    for dot in plot.dots:
        ends = (dot.statistic.estimate, dot.statistic.low, dot.statistic.high)
        values += [value for value in ends if value is not None and value > 0]
    return (min(values) / 2, max(values) * 2) if values else (1e-8, 1.0)


def _draw_dots(axes: Axes, dots: Sequence[Dot], *, many: bool, log: bool) -> None:
    """All dots of one style: their intervals, then their marks."""
    small = dots[0].style in ("null", "mark")
    style = _style(dots[0], 4.0 if many else 5.0 if small else 7.5)
    if dots[0].style == "mark":
        style["marker"] = "_" if many else "|"
    spans = [
        # On a logarithmic axis an interval that reaches zero runs off it.
        (dot.place, max(low, 1e-300) if log else low, high)
        for dot in dots
        if (low := dot.statistic.low) is not None and (high := dot.statistic.high) is not None
    ]
    if spans:
        lines = axes.vlines if many else axes.hlines
        width = 0.7 if many else 1.2 if small else 1.8
        lines(*zip(*spans, strict=True), color=style["color"], linewidth=width, zorder=2)
    points = [
        (dot.place, value)
        for dot in dots
        if (value := dot.statistic.estimate) is not None and (value > 0 or not log)
    ]
    if points:
        places, values = zip(*points, strict=True)
        axes.plot(*((places, values) if many else (values, places)), **style, zorder=3)


def _style(dot: Dot, size: float) -> dict[str, Any]:
    if dot.style in LABELS:
        return label_style(dot.style, size)
    if dot.style == "mark":
        return {"color": INK, "markersize": 2 * size, "markeredgewidth": 1.4, "linestyle": "none"}
    if dot.style == "null":
        return {"color": MUTED, "marker": "D", "markerfacecolor": PAPER, "markersize": size} | {
            "linestyle": "none"
        }
    marker = SERIES_MARKERS[int(dot.style.split()[-1]) % len(SERIES_MARKERS)]
    return {"color": dot.colour, "marker": marker, "markersize": 0.8 * size, "linestyle": "none"}


def label_style(label: Label, size: float) -> dict[str, Any]:
    """Properties of a label's mark for ``Axes.plot``."""
    mark = label_mark(label)
    style = {"color": mark.colour, "markersize": size, "markeredgewidth": 1.4, "linestyle": "none"}
    if mark.fill == "square":
        return style | {"marker": "s", "markerfacecolor": PAPER}
    if mark.fill == "none":
        return style | {"marker": "o", "markerfacecolor": PAPER}
    return style | {
        "marker": "o",
        "fillstyle": mark.fill,
        "markerfacecolor": mark.colour,
        "markerfacecoloralt": PAPER,
    }


def _reference_line(axes: Axes, name: str, value: float, *, many: bool, row: int) -> None:
    line = axes.axhline if many else axes.axvline
    line(value, color=MUTED, linewidth=0.9, linestyle="-" if row < 0 else (0, (4, 2)), zorder=1)
    if row < 0:
        return
    axes.annotate(
        name,
        (0.99, value) if many else (value, 1.0),
        xycoords=("axes fraction", "data") if many else ("data", "axes fraction"),
        # One name below the other, as their lines may be close.
        xytext=(0, 3) if many else (3, -1 - 12 * row),
        textcoords="offset points",
        ha="right" if many else "left",
        va="bottom" if many else "top",
        fontsize=9.5,
        color=MUTED,
    )


def _index_axis(axes: Axes, rows: tuple[str, ...], per: str) -> None:
    places = np.unique(np.rint(np.linspace(0, len(rows) - 1, 3)).astype(int))
    axes.set_xticks(places, short_names([rows[i] for i in places], 12))
    axes.set_xlim(-1, len(rows))
    axes.set_xlabel(f"{per}, in the order tested" if per == "element" else per)
