"""What an audit says in a terminal."""

import sys
from collections.abc import Mapping
from math import exp
from typing import TextIO

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from goldstone.auditing import AuditResult, AxisVerdict, ElementResult
from goldstone.core import Statistic

_COLOURS = {"yes": "green", "no": "red", "undetermined": "yellow"}
_LABEL_COLOURS = {"internalised": "green", "covered": "cyan", "latent": "magenta", "broken": "red"}


def console_on(stream: TextIO | None = None) -> Console:
    """A console that is wide enough for tables in files and pipes too."""
    console = Console(file=stream or sys.stdout, highlight=False)
    if not console.is_terminal:
        console = Console(file=stream or sys.stdout, highlight=False, width=150)
    return console


def show_audit(console: Console, result: AuditResult) -> None:
    """The precheck's statement, a row per element, and the verdict in words."""
    status = result.precheck.status
    style = {"verified": "green", "assumed": "yellow", "refused": "red"}[status]
    console.print(f"[{style}]{escape(result.precheck.statement)}[/]", soft_wrap=True)
    for finding in result.precheck.findings:
        console.print(f"  {escape(finding)}", soft_wrap=True)
    console.print(element_table(result))
    summary = result.verdict.summary
    # It was the first line already.
    summary = summary.removeprefix(result.precheck.statement).strip()
    console.print(escape(summary), soft_wrap=True)


def element_table(result: AuditResult) -> Table:
    """One row per tested element; coherences in the metric that decides."""
    metric = result.verdict.metric
    gradients = metric != "none"
    table = Table(
        title=f"{escape(result.model.name)} under {escape(result.symmetry.name)}",
        caption=f"K, its null and ρ in the {metric} metric" if gradients else None,
    )
    # Names of boosts and shifts are long; a part of one says nothing.
    table.add_column("element", overflow="fold")
    for heading in ("error", "loss ratio", *(("K (null)", "ρ") if gradients else ())):
        table.add_column(heading, justify="right", no_wrap=True)
    for heading in ("holds", "transports", "label"):
        table.add_column(heading)
    for element in result.elements:
        if element.name != "e":
            coherences = _coherences(element, metric) if gradients else ()
            table.add_row(
                escape(element.name),
                _scientific(element.equivariance_error),
                _ratio(element.log_loss_ratio),
                *coherences,
                f"[{_COLOURS[element.holds]}]{element.holds}[/]"
                + (" exact" if element.grade == "exact" else ""),
                f"[{_COLOURS[element.transports]}]{element.transports}[/]",
                f"[{_LABEL_COLOURS.get(element.label, 'yellow')}]{element.label}[/]",
            )
    return table


def _coherences(element: ElementResult, metric: str) -> tuple[str, str]:
    pair = _number(element.pair_coherence.get(metric))
    null = _number(element.null.get(metric))
    return f"{pair} ({null})", _interval(element.orbit_coherence, metric)


def demo_table(results: Mapping[str, AuditResult]) -> Table:
    """One row per emulator: what holds, what transports, the worst element."""
    table = Table(title="What the emulators learned of D4")
    for heading in ("emulator", "relative error", "holds", "worst loss ratio", "transports"):
        table.add_column(heading)
    for name, result in results.items():
        worst = max(
            (e for e in result.elements if e.name != "e"),
            key=lambda e: e.log_loss_ratio.estimate or 0.0,
        )
        table.add_row(
            escape(name),
            f"{result.model.relative_error.estimate or 0.0:.1%}",
            _axis(result.verdict.holds),
            f"{_ratio(worst.log_loss_ratio)} ({escape(worst.name)})",
            _axis(result.verdict.transports),
        )
    return table


def _axis(axis: AxisVerdict) -> str:
    kept = " or ".join(f"{h.name} of order {h.order}" for h in axis.residual_low) or "nothing"
    return f"[{_COLOURS[axis.answer]}]{axis.answer}[/]: {escape(kept)}"


def _number(statistic: Statistic | None) -> str:
    if statistic is None or statistic.estimate is None:
        return "–"
    return f"{statistic.estimate:.2f}"


def _scientific(statistic: Statistic) -> str:
    return "–" if statistic.estimate is None else f"{statistic.estimate:.1e}"


def _interval(statistics: Mapping[str, Statistic], metric: str) -> str:
    found = statistics.get(metric)
    if found is None or found.estimate is None:
        return "–"
    if found.low is None or found.high is None:
        return f"{found.estimate:.2f}"
    return f"{found.estimate:.2f} [dim]\\[{found.low:.2f}, {found.high:.2f}][/]"


def _ratio(statistic: Statistic) -> str:
    """The exponential of a mean log ratio, which is a geometric mean of ratios."""
    if statistic.estimate is None:
        return "–"
    text = _factor(statistic.estimate)
    if statistic.low is None or statistic.high is None:
        return text
    return f"{text} [dim]\\[{_factor(statistic.low)}, {_factor(statistic.high)}][/]"


def _factor(logarithm: float) -> str:
    value = exp(min(logarithm, 600.0))
    return f"{value:.2f}" if value < 100 else f"{value:.3g}"
