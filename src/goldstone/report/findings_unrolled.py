"""Unrolled coherence: does transport survive several steps of an emulator?"""

from goldstone.auditing import AuditResult, CoherenceSummary, UnrolledCoherence
from goldstone.report.lines import Line, element_lines, line_plot
from goldstone.report.marks import BLUE
from goldstone.report.numbers import number, probability
from goldstone.report.section import Cell, Figure, Finding, Table


def unrolled_finding(result: AuditResult) -> Finding | None:
    """ρ of the gradients of the k-step loss against k."""
    found = result.probes.unrolled
    if not found:
        return None
    panels = (_coherence(result, found), _loss(found)) if len(found) > 1 else ()
    caption = (
        "Gradients of the mean loss over the first k steps, through all of them; k = 1 is the loss "
        "of one step. Where ρ falls with k, later errors, made on the model's own states, no "
        "longer teach the other pose."
    )
    drawn = tuple(panel for panel in panels if panel)
    figures = (Figure(drawn, caption, kind="wide"),) if drawn else ()
    return Finding(_lead(found), figures, _tables(found))


def _names(found: tuple[UnrolledCoherence, ...]) -> list[str]:
    return list(dict.fromkeys(name for one in found for name in one.elements))


def _lead(found: tuple[UnrolledCoherence, ...]) -> str:
    first, last = found[0], found[-1]
    changes = {
        name: (before, after)
        for name in _names(found)
        if name in first.elements
        and name in last.elements
        and (before := first.elements[name].orbit.estimate) is not None
        and (after := last.elements[name].orbit.estimate) is not None
    }
    if not changes or first is last:
        return f"Orbit coherence of the loss over {last.steps} steps, by element."
    up = sum(after > before for before, after in changes.values())
    name = max(changes, key=lambda n: abs(changes[n][1] - changes[n][0]))
    before, after = changes[name]
    return (
        f"From one step to {last.steps}, ρ {'rises' if after > before else 'falls'} most under "
        f"{name}, from {number(before)} to {number(after)}; it rises for {up} of {len(changes)} "
        f"elements. The loss goes from {number(first.loss.estimate)} to "
        f"{number(last.loss.estimate)}."
    )


def _coherence(result: AuditResult, found: tuple[UnrolledCoherence, ...]) -> str:
    lines = {
        name: [one.elements[name].orbit if name in one.elements else None for one in found]
        for name in _names(found)
    }
    return line_plot(
        "unrolled-orbit",
        "Orbit coherence ρ",
        "steps k",
        [one.steps for one in found],
        element_lines(result, lines),
        unit="ρ",
        width=400,
        ticks=[str(one.steps) for one in found],
    )


def _loss(found: tuple[UnrolledCoherence, ...]) -> str:
    losses = [one.loss for one in found]
    line = Line(
        "",
        tuple(s.estimate for s in losses),
        BLUE,
        low=tuple(s.low for s in losses),
        high=tuple(s.high for s in losses),
    )
    return line_plot(
        "unrolled-loss",
        "Mean loss over k steps",
        "steps k",
        [one.steps for one in found],
        [line],
        log=True,
        width=400,
        ticks=[str(one.steps) for one in found],
    )


def _tables(found: tuple[UnrolledCoherence, ...]) -> tuple[Table, ...]:
    def row(name: str, c: CoherenceSummary) -> tuple[Cell, ...]:
        return (name, c.orbit, c.pair, c.null, c.common_mode, probability(c.permutation_p))

    return tuple(
        Table(
            f"{one.steps} step{'s' if one.steps != 1 else ''}, loss {number(one.loss.estimate)}",
            ("g", "ρ", "K", "null of K", "μ", "p"),
            tuple(row(name, c) for name, c in one.elements.items()),
        )
        for one in found
    )
