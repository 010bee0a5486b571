"""Change over training and growth over rollout steps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from goldstone.auditing import AuditResult
from goldstone.auditing.results import HistoryEntry
from goldstone.core import Statistic
from goldstone.report.dots import shorten
from goldstone.report.figures_elements import tested_elements
from goldstone.report.marks import DASHES, MUTED, SERIES, label_mark
from goldstone.report.svg import Axes, end_labels, inline_svg, log_axis

MOST_LINES = 12


@dataclass(frozen=True)
class Line:
    """One line of a plot; ``name`` is written at its end. A null is drawn thin and unnamed."""

    name: str
    values: tuple[float | None, ...]
    colour: str
    dash: tuple[float, ...] = ()
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()
    null: bool = False


@dataclass(frozen=True)
class Cosets:
    """The panels by coset with the names of their lines."""

    panels: tuple[str, ...]
    legend: tuple[tuple[str, str], ...]


def history_panels(result: AuditResult) -> tuple[str, ...]:
    """Log loss ratio, pair coherence with its null and orbit coherence by element over training."""
    history = result.history
    if len(history) < 2:
        return ()
    readings: tuple[tuple[str, str, Callable[[HistoryEntry, str], Statistic | None]], ...] = (
        ("Log loss ratio", "ratio", lambda h, g: h.log_loss_ratio.get(g)),
        ("Pair coherence K (null thin, dashed)", "pair", lambda h, g: h.pair_coherence.get(g)),
        ("Orbit coherence ρ", "orbit", lambda h, g: h.orbit_coherence.get(g)),
    )
    epochs = [entry.epoch for entry in history]
    panels = []
    for title, key, reading in readings:
        lines = _element_lines(result, history, reading)
        if key == "pair":
            lines += _element_lines(result, history, lambda h, g: h.null.get(g), null=True)
        if any(value is not None for line in lines for value in line.values):
            panels.append(_lines(f"history-{key}", title, "epoch", epochs, lines, width=400))
    return tuple(panels)


def loss_panel(result: AuditResult) -> str:
    """The loss over training; empty without a history."""
    if len(result.history) < 2:
        return ""
    statistics = [entry.loss for entry in result.history]
    line = Line(
        "",
        tuple(s.estimate for s in statistics),
        SERIES[0],
        low=tuple(s.low for s in statistics),
        high=tuple(s.high for s in statistics),
    )
    epochs = [entry.epoch for entry in result.history]
    return _lines(
        "history-loss",
        "Loss of the untransformed pairs",
        "epoch",
        epochs,
        [line],
        log=True,
        width=400,
    )


def coset_panels(result: AuditResult) -> Cosets:
    """The same, as means over the left cosets of the final residual subgroup."""
    history = result.history
    cosets = list(dict.fromkeys(c.elements for entry in history for c in entry.cosets))
    if len(history) < 2 or len(cosets) < 2:
        return Cosets((), ())
    epochs = [entry.epoch for entry in history]
    colours = [SERIES[i % len(SERIES)] for i in range(len(cosets))]
    panels = []
    for title, attribute in (
        ("Log loss ratio", "log_loss_ratio"),
        ("Pair coherence K", "pair_coherence"),
        ("Orbit coherence ρ", "orbit_coherence"),
    ):
        lines = []
        for i, elements in enumerate(cosets):
            found = [{c.elements: c for c in entry.cosets}.get(elements) for entry in history]
            values = tuple(None if c is None else getattr(c, attribute) for c in found)
            lines.append(Line(str(i + 1), values, colours[i], DASHES[i % len(DASHES)]))
        if any(value is not None for line in lines for value in line.values):
            panels.append(_lines(f"coset-{attribute}", title, "epoch", epochs, lines))
    legend = tuple((str(i + 1), ", ".join(elements)) for i, elements in enumerate(cosets))
    return Cosets(tuple(panels), legend)


def rollout_panel(result: AuditResult) -> str:
    """Equivariance error after 1, 2, … steps of the model on its own output; empty if not run."""
    steps = max((len(e.rollout_equivariance_error) for e in result.elements), default=0)
    if steps < 2:
        return ""
    lines = []
    seen: dict[str, int] = {}
    for element in tested_elements(result):
        statistics = element.rollout_equivariance_error
        values = [s.estimate for s in statistics] + [None] * (steps - len(statistics))
        dash = DASHES[seen.get(element.label, 0) % len(DASHES)]
        seen[element.label] = seen.get(element.label, 0) + 1
        colour = label_mark(element.label).colour
        lines.append(Line(element.name, tuple(values), colour, dash))
    title = "Equivariance error over rollout steps"
    return _lines("rollout", title, "step", list(range(1, steps + 1)), lines, log=True, width=400)


def _element_lines(
    result: AuditResult,
    history: Sequence[HistoryEntry],
    reading: Callable[[HistoryEntry, str], Statistic | None],
    null: bool = False,
) -> list[Line]:
    labels = {e.name: e.label for e in result.elements}
    found = dict.fromkeys(g for entry in history for g in entry.log_loss_ratio)
    lines = []
    for element in found:
        statistics = [reading(entry, element) for entry in history]
        colour = label_mark(labels.get(element, "undetermined")).colour
        lines.append(
            Line(
                "" if null else element,
                tuple(None if s is None else s.estimate for s in statistics),
                colour,
                (2.5, 2) if null else (),
                null=null,
            )
        )
    return lines


def _lines(
    key: str,
    title: str,
    label: str,
    x: Sequence[float],
    lines: Sequence[Line],
    *,
    log: bool = False,
    width: float = 328,
) -> str:
    named = [line for line in lines if line.name]
    many = len(named) > MOST_LINES

    def draw(axes: Axes) -> None:
        axes.set_title(title)
        axes.set_xlabel(label)
        values = [v for line in lines for v in line.values if v is not None]
        positive = [v for v in values if v > 0 or not log]
        if not positive:
            return
        if log:
            log_axis(axes.yaxis, min(positive) / 1.5, max(positive) * 1.5)
        ends = []
        for line in lines:
            y = _floats(line.values)
            if log:
                y = np.where(y > 0, y, np.nan)
            style = {"color": line.colour, "linewidth": 0.7 if many or line.null else 1.6}
            style |= {"dashes": line.dash} if line.dash else {}
            axes.plot(x, y, **style, zorder=1.5 if line.null else 2)
            if len(x) <= 30 and not many and not line.null:
                axes.plot(x, y, "o", color=line.colour, markersize=3, zorder=3)
            if line.low and line.high:
                low, high = _floats(line.low), _floats(line.high)
                axes.fill_between(x, low, high, color=line.colour, alpha=0.18, linewidth=0)
            finite = np.flatnonzero(np.isfinite(y))
            if line.name and finite.size:
                ends.append((float(y[finite[-1]]), shorten(line.name, 9), line.colour))
        if not log and axes.get_ylim()[0] < 0 < axes.get_ylim()[1]:
            axes.axhline(0, color=MUTED, linewidth=0.9, zorder=1)
        if all(float(v).is_integer() for v in x):
            axes.xaxis.get_major_locator().set_params(integer=True)
        axes.margins(x=0.02)
        if not many:
            end_labels(axes, ends)

    description = f"{title} against {label}; numbers are in audit.json"
    return inline_svg(key, description, draw, width, 250)


def _floats(values: Sequence[float | None]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([np.nan if v is None else v for v in values], dtype=np.float64)
