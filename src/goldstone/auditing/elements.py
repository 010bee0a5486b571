"""Which elements are tested, and the result of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from goldstone.actions import Symmetry
from goldstone.auditing.answers import answer_element
from goldstone.auditing.coherence import Coherences
from goldstone.auditing.forward import (
    ForwardMeasurement,
    forward_measurement,
    roll_out,
    rollout_errors,
)
from goldstone.auditing.gradient_results import ElementCoherences
from goldstone.auditing.results import ElementResult, ModelSummary
from goldstone.auditing.settings import MetricName
from goldstone.auditing.statistics import holm, mean_statistic, median_statistic
from goldstone.auditing.subject import Subject
from goldstone.core import InputError, Progress, Statistic
from goldstone.groups import FiniteGroup

MOST_TESTED = 64


def elements_to_test(symmetry: Symmetry) -> tuple[Any, ...]:
    """The symmetry's own choice, or all of a finite group; the identity left out.

    Raises:
        InputError: a Lie group or a large finite one without a choice, or nothing but the identity.
    """
    group = symmetry.group
    chosen = symmetry.elements
    if not chosen:
        if not isinstance(group, FiniteGroup) or group.order > MOST_TESTED:
            raise InputError(
                f"{group.name} has too many elements to test them all; list some in "
                "Symmetry(elements=…)"
            )
        chosen = group.elements()
    tested = tuple(dict.fromkeys(g for g in chosen if g != group.identity))
    if not tested:
        raise InputError(
            f"the symmetry {symmetry.name!r} has no element to test but the identity; list some in "
            "Symmetry(elements=…) (boosts of a flow at rest need their own speeds)"
        )
    return tested


@dataclass(frozen=True, eq=False)
class ForwardResults:
    """Forward measurements of the identity and then of every element, and their rollouts."""

    measured: tuple[ForwardMeasurement, ...]
    rollouts: tuple[tuple[Statistic, ...], ...]


def measure_forward(
    subject: Subject,
    few: Subject,
    starts: Tensor,
    symmetry: Symmetry,
    elements: Sequence[Any],
    progress: Progress,
) -> ForwardResults:
    """Forward tests and rollouts of ``elements``, the identity among them.

    ``few`` is the subject on the gradient samples, whose trajectories start at ``starts``.
    """
    rollout = roll_out(few, starts)
    measured, rollouts = [], []
    with progress.task("forward tests", len(elements)) as task:
        for element in elements:
            measured.append(forward_measurement(subject, symmetry, element))
            errors = rollout_errors(few, symmetry, element, starts, rollout)
            rollouts.append(tuple(few.mean(step) for step in errors))
            task.advance()
    return ForwardResults(tuple(measured), tuple(rollouts))


def element_results(
    symmetry: Symmetry,
    elements: Sequence[Any],
    forward: ForwardResults,
    gradients: Sequence[ElementCoherences] | None,
    model: ModelSummary,
    subject: Subject,
    *,
    loss_is_invariant: bool,
    no_gradients: str = "",
) -> tuple[ElementResult, ...]:
    """The result of each element; ``elements`` starts with the identity.

    ``no_gradients`` says why there are none, if so.
    """
    settings, bootstrap = subject.settings, subject.bootstrap
    trajectory = subject.samples.trajectory
    names = [symmetry.group.element_name(g) for g in elements]
    adjusted = _adjusted_p(names, gradients)
    results = []
    for i, name in enumerate(names):
        measured = forward.measured[i]
        error = subject.mean(measured.error)
        ratio, replicates = mean_statistic(measured.log_loss_ratio, trajectory, bootstrap)
        found = gradients[i] if gradients is not None else None
        decisive = found.unit[settings.decisive_metric] if found is not None else None
        answer = answer_element(
            error,
            model.numerical_floor,
            ratio,
            replicates,
            decisive,
            adjusted.get(settings.decisive_metric, {}).get(name, 0.0),
            settings,
            has_skill=model.has_skill,
            loss_is_invariant=loss_is_invariant,
            no_gradients=no_gradients,
        )
        results.append(
            ElementResult(
                name=name,
                equivariance_error=error,
                equivariance_error_of_change=subject.mean(measured.error_of_change),
                equivariance_error_of_model_error=subject.mean(measured.error_of_model_error),
                log_loss_ratio=ratio,
                error_sharing=median_statistic(measured.error_sharing, trajectory, bootstrap),
                rollout_equivariance_error=forward.rollouts[i],
                pair_coherence=_by_metric(found.unit if found else {}, "pair"),
                null=_by_metric(found.unit if found else {}, "null"),
                orbit_coherence=_by_metric(found.unit if found else {}, "orbit"),
                common_mode_coherence=_by_metric(found.unit if found else {}, "common_mode"),
                probe_coherence=_by_metric(found.probe if found else {}, "orbit"),
                raw_pair_coherence=_by_metric(found.raw if found else {}, "pair"),
                raw_orbit_coherence=_by_metric(found.raw if found else {}, "orbit"),
                permutation_p={m: c.permutation_p for m, c in found.unit.items()} if found else {},
                adjusted_p={m: p[name] for m, p in adjusted.items() if name in p},
                holds=answer.holds,
                grade=answer.grade,
                transports=answer.transports,
                label=answer.label,
                reason=answer.reason,
                support=answer.support,
                reasons=answer.reasons,
                samples_used=found.samples if found else None,
            )
        )
    return tuple(results)


def _adjusted_p(
    names: Sequence[str], gradients: Sequence[ElementCoherences] | None
) -> dict[MetricName, dict[str, float]]:
    """Holm over the elements, by metric, of p-values corrected for looks.

    The identity (first) is no test.
    """
    if gradients is None:
        return {}
    return {
        metric: holm(
            {
                name: min(1.0, found.rarity * found.unit[metric].permutation_p)
                for name, found in zip(names[1:], gradients[1:], strict=True)
            }
        )
        for metric in gradients[0].unit
    }


def _by_metric(found: dict[MetricName, Coherences], attribute: str) -> dict[str, Statistic]:
    return {metric: getattr(c, attribute) for metric, c in found.items()}
