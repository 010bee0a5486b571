"""Teach it once: what a copy was taught in one pose, does it know it in the others?"""

from goldstone.auditing import AuditResult, TaughtBudget, TaughtElement, TaughtOnce
from goldstone.report.lines import Line, element_lines, line_plot
from goldstone.report.marks import BLUE, INK
from goldstone.report.numbers import number
from goldstone.report.section import Cell, Figure, Finding, Table


def teach_once_finding(result: AuditResult) -> Finding | None:
    """Transfer by element and budget, and how the lesson was learned."""
    found = result.probes.teach_once
    if found is None:
        return None
    caption = (
        "A copy of the model is taught in one pose, half of each batch with the lesson and half of "
        "controls without it. Left: what of it is known in other poses, of 100 in the taught one. "
        "Right: the taught pose, on held-out samples."
    )
    drawn = tuple(panel for panel in (_transfer(result, found), _learning(found)) if panel)
    figures = (Figure(drawn, caption, kind="wide"),) if drawn else ()
    return Finding(found.statement, figures, _tables(found), _remarks(found))


def _others(budget: TaughtBudget) -> dict[str, TaughtElement]:
    """All but the taught pose, which is the first."""
    return dict(list(budget.elements.items())[1:])


def _transfer(result: AuditResult, found: TaughtOnce) -> str:
    budgets = sorted(found.budgets, key=lambda b: b.steps)
    if not budgets:
        return ""
    names = list(_others(budgets[0]))
    lines = {name: [budget.elements[name].transfer for budget in budgets] for name in names}
    return line_plot(
        "teach-once-transfer",
        "Transfer of the lesson",
        "steps taught",
        list(range(len(budgets))),
        element_lines(result, lines),
        unit="per cent",
        width=400,
        ticks=[f"{budget.steps} ({budget.reached:.0%})" for budget in budgets],
        levels={"all": 100.0},
    )


def _learning(found: TaughtOnce) -> str:
    curve = found.curve
    return line_plot(
        "teach-once-learning",
        "Loss while it is taught",
        "steps",
        curve.steps,
        [Line("lesson", curve.lesson, BLUE), Line("controls", curve.kept, INK, (4, 2))],
        log=True,
        width=400,
    )


def _tables(found: TaughtOnce) -> tuple[Table, ...]:
    def row(name: str, e: TaughtElement) -> tuple[Cell, ...]:
        return (name, e.transfer, e.contrast, e.lesson, e.control, e.kept, e.loss_transfer)

    return tuple(
        Table(
            f"{budget.steps} step{'s' if budget.steps != 1 else ''}, {budget.reached:.0%} of the "
            f"achievable gain of {number(found.achievable)}",
            ("g", "transfer %", "contrast", "lesson", "controls", "kept", "by loss %"),
            tuple(row(name, element) for name, element in budget.elements.items()),
        )
        for budget in found.budgets
    )


def _remarks(found: TaughtOnce) -> tuple[str, ...]:
    how = f"{found.taught} samples were taught and {found.held_out} held out; {found.optimiser}."
    said = [f"{how} Intervals resample what was held out."]
    seen = [name for name, novelty in found.novelty.items() if novelty < 0.75]
    if seen:
        said.append(
            f"The taught samples can hardly be told from those moved by {', '.join(seen)}: there "
            "the lesson was taught in that pose too."
        )
    if found.still_learning:
        said.append("The lesson was still being learned at the last step.")
    return tuple(said)
