"""What changed between two audits of one symmetry, from their saved numbers alone."""

from collections.abc import Sequence
from math import hypot

from goldstone.auditing.audit_result import AuditResult
from goldstone.auditing.comparison_results import (
    AuditComparison,
    AxisComparison,
    Change,
    ComparedAudit,
    Difference,
    ElementComparison,
    Outcome,
    SettingChange,
)
from goldstone.auditing.comparison_text import caveats, how_intervals_are_made, summarise
from goldstone.auditing.results import Answer, AxisVerdict, ElementResult
from goldstone.core import InputError, Statistic

_RANK: dict[Answer, int] = {"yes": 2, "undetermined": 1, "no": 0}
_SAMPLING = ("trajectories", "samples", "reference", "snapshots")
_ABSENT = Statistic(None)


def compare_audits(first: AuditResult, second: AuditResult) -> AuditComparison:
    """What changed from ``first`` to ``second``, element by element.

    Compared are the elements that both tested, by name: T, ρ in every metric that both measured,
    the equivariance error, the answers, grades and labels. The interval of a difference is that of
    :func:`difference`, each at 95 % and not corrected for how many there are; the outcome rests on
    the answers alone.

    Raises:
        InputError: the audits are of different symmetries, whose elements of one name need not be
            the same, or have no tested element in common.
    """
    _check_comparable(first, second)
    then = {e.name: e for e in first.elements if e.name != "e"}
    now = {e.name: e for e in second.elements if e.name != "e"}
    shared = tuple(name for name in then if name in now)
    metrics = first.verdict.metric, second.verdict.metric
    same_metric = metrics[0] == metrics[1] != "none"
    elements = tuple(_compare_element(then[name], now[name]) for name in shared)
    holds = _compare_axis(
        first.verdict.holds,
        second.verdict.holds,
        [(e.name, *e.holds) for e in elements],
        compared=True,
    )
    transports = _compare_axis(
        first.verdict.transports,
        second.verdict.transports,
        [(e.name, *e.transports) for e in elements],
        compared=same_metric,
    )
    settings = _changed_settings(first, second)
    same_samples = first.provenance.data_sha256 == second.provenance.data_sha256 and not any(
        change.name in _SAMPLING for change in settings
    )
    outcome = _outcome(elements, same_metric=same_metric)
    return AuditComparison(
        outcome=outcome,
        summary=summarise(second.symmetry.name, outcome, elements, holds, transports),
        symmetry=second.symmetry.name,
        first=_compared_audit(first),
        second=_compared_audit(second),
        holds=holds,
        transports=transports,
        relative_error=_compare(first.model.relative_error, second.model.relative_error, -1),
        elements=elements,
        only_first=tuple(name for name in then if name not in now),
        only_second=tuple(name for name in now if name not in then),
        settings=settings,
        same_samples=same_samples,
        caveats=caveats(first, second, settings),
        intervals=how_intervals_are_made(same_samples=same_samples),
    )


def difference(first: Statistic, second: Statistic) -> Statistic:
    """The difference second − first with a 95 % interval, for estimates that are independent.

    For estimates a, b with intervals [l, u] it is [b − a − √((b − l_b)² + (u_a − a)²),
    b − a + √((u_b − b)² + (a − l_a)²)]: the root of the sum of squares of the half-widths on the
    sides concerned (MOVER; Zou and Donner 2008, "Construction of confidence limits about effect
    measures"), which for symmetric intervals is that of the half-widths. There is none
    where either has none.
    """
    a, b = first.estimate, second.estimate
    if a is None or b is None:
        return _ABSENT
    low = high = None
    if None not in (first.low, first.high, second.low, second.high):
        # A bootstrap interval of a skewed statistic may leave out its estimate.
        below = hypot(_part(b, second.low), _part(first.high, a))
        above = hypot(_part(second.high, b), _part(a, first.low))
        low, high = b - a - below, b - a + above
    return Statistic(b - a, low, high, min(first.n, second.n))


def _part(upper: float | None, lower: float | None) -> float:
    return max(0.0, (upper or 0.0) - (lower or 0.0))


def _compare(first: Statistic, second: Statistic, good: int, *, exact: bool = False) -> Difference:
    """``good`` is the sign of a change for the better."""
    found = difference(first, second)
    change: Change = "none"
    if found.low is not None and found.high is not None and not exact:
        sign = 1 if found.low > 0 else -1 if found.high < 0 else 0
        change = "none" if sign == 0 else "better" if sign == good else "worse"
    return Difference(first, second, found, change)


def _compare_element(first: ElementResult, second: ElementResult) -> ElementComparison:
    exact = first.grade == second.grade == "exact"
    rho, other = first.orbit_coherence, second.orbit_coherence
    return ElementComparison(
        name=second.name,
        holds=(first.holds, second.holds),
        transports=(first.transports, second.transports),
        grade=(first.grade, second.grade),
        label=(first.label, second.label),
        log_loss_ratio=_compare(first.log_loss_ratio, second.log_loss_ratio, -1, exact=exact),
        equivariance_error=_compare(
            first.equivariance_error, second.equivariance_error, -1, exact=exact
        ),
        orbit_coherence={m: _compare(rho[m], other[m], 1) for m in rho if m in other},
    )


def _compare_axis(
    first: AxisVerdict,
    second: AxisVerdict,
    answers: Sequence[tuple[str, Answer, Answer]],
    *,
    compared: bool,
) -> AxisComparison:
    steps = {name: _RANK[now] - _RANK[then] for name, then, now in answers} if compared else {}
    return AxisComparison(
        compared=compared,
        answer=(first.answer, second.answer),
        residual_first=tuple(h.name for h in first.residual_low),
        residual_second=tuple(h.name for h in second.residual_low),
        fell=tuple(name for name, step in steps.items() if step < 0),
        rose=tuple(name for name, step in steps.items() if step > 0),
    )


def _outcome(elements: Sequence[ElementComparison], *, same_metric: bool) -> Outcome:
    changes = [e.holds for e in elements]
    changes += [e.transports for e in elements] if same_metric else []
    fallen = {now for then, now in changes if _RANK[now] < _RANK[then]}
    if fallen:
        return "worse" if "no" in fallen else "undetermined"
    return "better" if any(_RANK[now] > _RANK[then] for then, now in changes) else "same"


def _compared_audit(audit: AuditResult) -> ComparedAudit:
    return ComparedAudit(
        name=audit.model.name,
        created=audit.provenance.created,
        weights_sha256=audit.provenance.weights_sha256,
        data_sha256=audit.provenance.data_sha256,
        metric=audit.verdict.metric,
        has_skill=audit.model.has_skill,
    )


def _changed_settings(first: AuditResult, second: AuditResult) -> tuple[SettingChange, ...]:
    then, now = first.provenance.settings, second.provenance.settings
    return tuple(
        SettingChange(name, then.get(name), now.get(name))
        for name in dict.fromkeys((*then, *now))
        if then.get(name) != now.get(name)
    )


def _check_comparable(first: AuditResult, second: AuditResult) -> None:
    a, b = first.symmetry, second.symmetry
    if (a.name, a.group, a.order) != (b.name, b.group, b.order):
        raise InputError(
            f"expected two audits of one symmetry, got {a.name} (group {a.group}) and {b.name} "
            f"(group {b.group}), whose elements of one name need not be the same; audit both "
            "models under one of them"
        )
    if a.pivot != b.pivot:
        raise InputError(
            f"expected turns about one point, got the pivots {a.pivot!r} and {b.pivot!r}; audit "
            "both models under one of them"
        )
    names = {e.name for e in first.elements} & {e.name for e in second.elements} - {"e"}
    if not names:
        raise InputError(
            f"the audits have no tested element in common: {', '.join(a.tested)} against "
            f"{', '.join(b.tested)}; audit both models with the same Symmetry(elements=…)"
        )
