"""What a comparison of two audits says in a terminal."""

from collections.abc import Callable
from math import exp

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from goldstone.auditing.comparison_results import AuditComparison, Difference
from goldstone.core import Statistic

_OUTCOMES = {"worse": "red", "undetermined": "yellow", "better": "green", "same": "green"}
_CHANGES = {"worse": "red", "better": "green"}
_ANSWERS = {"yes": "green", "no": "red", "undetermined": "yellow"}


def show_comparison(console: Console, found: AuditComparison) -> None:
    """The caveats, the answers, a table per number, and the summary; 80 columns are enough."""
    for place, audit in (("A", found.first), ("B", found.second)):
        text = f"{place}: {audit.name}, audited {audit.created}"
        console.print(escape(text), soft_wrap=True)
    for caveat in found.caveats:
        console.print(f"[yellow]note:[/] {escape(caveat)}", soft_wrap=True)
    for name, elements in (("A", found.only_first), ("B", found.only_second)):
        if elements:
            listed = escape(", ".join(elements))
            console.print(f"[yellow]note:[/] only {name} tested {listed}", soft_wrap=True)
    console.print(_answers(found))
    factors = {e.name: e.log_loss_ratio for e in found.elements}
    console.print(_numbers("loss factor exp(T)", "B / A", factors, _factor))
    for metric in _shown_metrics(found):
        coherences = {e.name: e.orbit_coherence[metric] for e in found.elements}
        console.print(_numbers(f"orbit coherence ρ ({metric})", "B − A", coherences, _signed))
    errors = {e.name: e.equivariance_error for e in found.elements}
    errors["(prediction)"] = found.relative_error
    title = "equivariance error, and the relative error of the prediction"
    console.print(_numbers(title, "B − A", errors, _scientific, bare=True))
    console.print(f"[dim]{escape(found.intervals)}[/]", soft_wrap=True)
    console.print(f"[{_OUTCOMES[found.outcome]}]{escape(found.summary)}[/]", soft_wrap=True)


def _shown_metrics(found: AuditComparison) -> list[str]:
    """The deciding metric of both; where they differ all that both measured."""
    # None was measured on a model without parameters, whatever metric was asked for.
    shared = list(found.elements[0].orbit_coherence)
    return [m for m in shared if m == found.second.metric or not found.transports.compared]


def _answers(found: AuditComparison) -> Table:
    table = Table(title=f"answers under {escape(found.symmetry)}")
    table.add_column("element", overflow="fold")
    for heading in ("holds", "transports", "label"):
        table.add_column(heading)
    for e in found.elements:
        table.add_row(escape(e.name), _change(*e.holds), _change(*e.transports), _change(*e.label))
    return table


def _numbers(
    title: str,
    change: str,
    rows: dict[str, Difference],
    write: Callable[[float, bool], str],
    *,
    bare: bool = False,
) -> Table:
    """A row per element; ``bare`` leaves the audits' own intervals out, to fit 80 columns."""
    table = Table(title=escape(title))
    table.add_column("element", overflow="fold")
    for heading in ("A", "B", change):
        table.add_column(heading, justify="right")
    for name, d in rows.items():
        own = [Statistic(s.estimate) if bare else s for s in (d.first, d.second)]
        colour = _CHANGES.get(d.change)
        moved = _interval(d.difference, write, signed=True)
        table.add_row(
            escape(name),
            *(_interval(s, write) for s in own),
            f"[{colour}]{moved}[/]" if colour else moved,
        )
    return table


def _change(then: str, now: str) -> str:
    colour = _ANSWERS.get(now)
    text = f"[{colour}]{now}[/]" if colour else now
    return text if then == now else f"{then} → [bold]{text}[/]"


def _interval(
    statistic: Statistic, write: Callable[[float, bool], str], *, signed: bool = False
) -> str:
    if statistic.estimate is None:
        return "–"
    text = write(statistic.estimate, signed)
    if statistic.low is None or statistic.high is None:
        return text
    # Blanks that do not break keep an interval on one line.
    low, high = (write(bound, signed) for bound in (statistic.low, statistic.high))
    return f"{text} \\[{low},\u00a0{high}]"


def _factor(logarithm: float, signed: bool) -> str:
    value = exp(max(-600.0, min(logarithm, 600.0)))
    return f"{value:.2f}" if 0.01 <= value < 100 else f"{value:.2g}"


def _signed(value: float, signed: bool) -> str:
    return f"{value:+.2f}" if signed else f"{value:.2f}"


def _scientific(value: float, signed: bool) -> str:
    return f"{value:+.1e}" if signed else f"{value:.1e}"
