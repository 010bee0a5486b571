"""What each metric of the gradient probes is made of, and how well it was solved."""

from goldstone.auditing import AuditResult
from goldstone.auditing.results import MetricDetails
from goldstone.report.marks import metric_title
from goldstone.report.numbers import number
from goldstone.report.section import Finding, Table
from goldstone.report.words import counted

MOST_NAMES = 6


def metrics_finding(result: AuditResult) -> Finding | None:
    """Damping, residual and distance to Gauss–Newton of every metric that has any."""
    known = {name: one for name, one in result.metrics.items() if one != MetricDetails()}
    if not known:
        return None
    head = (
        "metric", "damping λ", "rows", "error of the estimate", "residual of the solve",
        "distance to Gauss–Newton", "parameters taken as uncoupled",
    )  # fmt: skip
    table = Table(
        "Residual: largest relative one of an iterative solve. Distance: root mean square "
        "difference of the cosines from those of the full Gauss–Newton metric",
        head,
        tuple(
            (
                metric_title(name),
                one.damping,
                "–" if one.rows is None else str(one.rows),
                one.relative_error,
                one.residual,
                one.distance_to_gauss_newton,
                _uncovered(one),
            )
            for name, one in known.items()
        ),
        (6,),
    )
    return Finding(_lead(known), tables=(table,), remarks=_reasons(known))


def _lead(known: dict[str, MetricDetails]) -> str:
    solved = {name: one.residual for name, one in known.items() if one.residual is not None}
    far = {
        name: distance
        for name, one in known.items()
        if (distance := one.distance_to_gauss_newton) is not None
    }
    sentences = []
    if solved:
        name = max(solved, key=lambda n: solved[n])
        sentences.append(
            f"Iterative solves end at a relative residual of {number(solved[name], 2)} or less "
            f"({metric_title(name)})."
        )
    if far:
        name = max(far, key=lambda n: far[n])
        sentences.append(
            f"The cosines of the {metric_title(name)} differ most from those of the full "
            f"Gauss–Newton metric, by {number(far[name], 2)}."
        )
    loose = [metric_title(name) for name, one in known.items() if one.uncovered]
    if loose:
        sentences.append(f"Not all parameters are coupled in: {', '.join(loose)}.")
    return " ".join(sentences) or "How the metrics of the gradient probes were made."


def _uncovered(one: MetricDetails) -> str:
    return counted(len(one.uncovered), "parameter") if one.uncovered else "none"


def _reasons(known: dict[str, MetricDetails]) -> tuple[str, ...]:
    remarks = []
    for name, one in known.items():
        if not one.uncovered:
            continue
        listed = list(one.uncovered.items())
        shown = "; ".join(f"{parameter}: {why}" for parameter, why in listed[:MOST_NAMES])
        rest = len(listed) - MOST_NAMES
        more = f"; and {rest} more" if rest > 0 else ""
        remarks.append(f"{metric_title(name)} takes as uncoupled {shown}{more}.")
    return tuple(remarks)
