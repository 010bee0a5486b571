"""Change over training and growth over rollout steps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from goldstone.auditing import AuditResult
from goldstone.auditing.results import HistoryEntry
from goldstone.core import Statistic
from goldstone.report.figures_elements import tested_elements
from goldstone.report.lines import Line, element_lines, line_plot
from goldstone.report.marks import DASHES, SERIES, label_mark


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
            panels.append(line_plot(f"history-{key}", title, "epoch", epochs, lines, width=400))
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
    return line_plot(
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
            panels.append(line_plot(f"coset-{attribute}", title, "epoch", epochs, lines))
    legend = tuple((str(i + 1), ", ".join(elements)) for i, elements in enumerate(cosets))
    return Cosets(tuple(panels), legend)


def rollout_panel(result: AuditResult) -> str:
    """Equivariance error after 1, 2, … steps of the model on its own output; empty if not run."""
    found = {e.name: e.rollout_equivariance_error for e in tested_elements(result)}
    probe = result.probes.equivariance
    if not any(found.values()) and probe is not None:
        found = {e.name: e.rollout for e in probe.elements}
    steps = max(map(len, found.values()), default=0)
    if steps < 2:
        return ""
    lines = element_lines(result, {g: (*s, *[None] * (steps - len(s))) for g, s in found.items()})
    title, places = "Equivariance error over rollout steps", list(range(1, steps + 1))
    return line_plot("rollout", title, "step", places, lines, log=True, width=400)


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
                thin=null,
            )
        )
    return lines
