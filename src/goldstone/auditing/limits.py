"""Limits of one's own on an audit's numbers, as a test in continuous integration sets them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, inf

from goldstone.auditing.audit_result import AuditResult
from goldstone.auditing.results import Answer, ElementResult
from goldstone.core import InputError, Statistic


@dataclass(frozen=True)
class LimitCheck:
    """Whether every tested element keeps a limit.

    Attributes:
        answer: *yes* if all do, *no* if any surely does not, else *undetermined*.
        exceeded: the elements whose whole 95 % interval lies on the wrong side.
        undetermined: those whose interval holds the limit, or that have none.
        statement: it in words.
    """

    answer: Answer
    exceeded: tuple[str, ...]
    undetermined: tuple[str, ...]
    statement: str


def check_coherence_limit(limit: float, name: str = "limit") -> None:
    """Raise ``InputError`` unless ρ can be held to the limit, between 0 and 1."""
    if not 0 < limit < 1:
        raise InputError(f"{name}: expected an orbit coherence between 0 and 1, got {limit:g}")


def check_factor_limit(limit: float, name: str = "limit") -> None:
    """Raise ``InputError`` unless a loss factor can be held to the limit, 1 or more and finite."""
    if not 1 <= limit < inf:
        raise InputError(f"{name}: expected a loss factor of 1 or more, got {limit:g}")


def check_least_coherence(result: AuditResult, limit: float) -> LimitCheck:
    """Is ρ in the deciding metric surely ``limit`` or more, for every tested element?

    An element keeps the limit if the lower 95 % bound of its orbit coherence does, and breaks it if
    the upper bound does not.

    Raises:
        InputError: the limit does not lie between 0 and 1, or no gradients were asked for.
    """
    check_coherence_limit(limit)
    metric = result.verdict.metric
    if metric == "none":
        raise InputError("a least orbit coherence needs gradients: audit with a metric")

    def compare(element: ElementResult) -> Answer:
        rho = element.orbit_coherence.get(metric, Statistic(None))
        if not result.precheck.loss_is_invariant or rho.low is None or rho.high is None:
            return "undetermined"
        return "yes" if rho.low >= limit else "no" if rho.high < limit else "undetermined"

    def describe(element: ElementResult) -> str:
        rho = element.orbit_coherence.get(metric, Statistic(None))
        return f"{element.name} {_range(rho.estimate, rho.low, rho.high)}"

    return _check(result, f"orbit coherence ρ ≥ {limit:g} ({metric})", compare, describe)


def check_largest_loss_factor(result: AuditResult, limit: float) -> LimitCheck:
    """Is the loss factor exp(T) surely ``limit`` or less, for every tested element?

    An element keeps the limit if the upper 95 % bound does, or if the model is exactly equivariant
    under it, and breaks it if the lower bound does not.

    Raises:
        InputError: the limit is below 1 or not finite.
    """
    check_factor_limit(limit)

    def compare(element: ElementResult) -> Answer:
        low, high = (_factor(b) for b in (element.log_loss_ratio.low, element.log_loss_ratio.high))
        if element.grade == "exact":
            return "yes"
        if low is None or high is None:
            return "undetermined"
        return "yes" if high <= limit else "no" if low > limit else "undetermined"

    def describe(element: ElementResult) -> str:
        t = element.log_loss_ratio
        return f"{element.name} {_range(*(_factor(b) for b in (t.estimate, t.low, t.high)))}"

    return _check(result, f"loss factor ≤ {limit:g}", compare, describe)


def _check(
    result: AuditResult,
    name: str,
    compare: Callable[[ElementResult], Answer],
    describe: Callable[[ElementResult], str],
) -> LimitCheck:
    tested = [e for e in result.elements if e.name != "e"]
    # A model without skill is trivially symmetric: its numbers show nothing.
    answers = [compare(e) if result.model.has_skill else "undetermined" for e in tested]
    exceeded = [e for e, answer in zip(tested, answers, strict=True) if answer == "no"]
    unsure = [e for e, answer in zip(tested, answers, strict=True) if answer == "undetermined"]
    if not exceeded and not unsure:
        return LimitCheck("yes", (), (), f"{name}: kept by all {len(tested)} tested elements")
    parts = [f"broken by {_listed(exceeded, describe)}"] if exceeded else []
    if not result.model.has_skill:
        parts.append("undetermined, since the model has no skill")
    elif not result.precheck.loss_is_invariant and name.startswith("orbit"):
        parts.append("undetermined, since the loss is not invariant")
    elif unsure:
        parts.append(f"undetermined for {_listed(unsure, describe)}: audit more trajectories")
    return LimitCheck(
        "no" if exceeded else "undetermined",
        tuple(e.name for e in exceeded),
        tuple(e.name for e in unsure),
        f"{name}: {'; '.join(parts)}",
    )


def _listed(elements: Sequence[ElementResult], describe: Callable[[ElementResult], str]) -> str:
    shown = ", ".join(describe(e) for e in elements[:8])
    return shown + (f" and {len(elements) - 8} more" if len(elements) > 8 else "")


def _factor(logarithm: float | None) -> float | None:
    return None if logarithm is None else exp(min(logarithm, 600.0))


def _range(estimate: float | None, low: float | None, high: float | None) -> str:
    if estimate is None:
        return "(no value)"
    if low is None or high is None:
        return f"{estimate:.3g} (no interval)"
    return f"{estimate:.3g} [{low:.3g}, {high:.3g}]"
