"""Known answers measured beside every audit, to show that the instrument can tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from torch import Tensor

from goldstone.actions import Context, FieldLayout, PointAction, Symmetry, reverse_vectors
from goldstone.auditing.coherence import PairProducts, coherences, mean_shuffled_coherence
from goldstone.auditing.forward import forward_measurement
from goldstone.auditing.gradient_results import GradientResults
from goldstone.auditing.gradients import GradientProbe
from goldstone.auditing.results import Control
from goldstone.auditing.subject import Subject
from goldstone.core import Statistic
from goldstone.core.trees import Tree
from goldstone.groups import CyclicGroup

SHUFFLES = 200


@dataclass(frozen=True)
class _TurnedAndReversed:
    """The wrong action: the flow turned by a generator, if there is one, and run backwards."""

    layout: FieldLayout
    turn: PointAction | None

    def act(self, element: Any, x: Tensor, context: Context) -> Tensor:
        if element == 0:
            return x
        if self.turn is not None:
            x = self.turn.act(self.turn.group.generators()[0], x, context)
        return reverse_vectors(x, self.layout)


def audit_controls(
    subject: Subject,
    few: Subject,
    symmetry: Symmetry,
    layout: FieldLayout | None,
    reference: Tree,
    gradients: GradientResults | None,
    *,
    has_skill: bool,
) -> tuple[Control, ...]:
    """The wrong action, where there are vectors to reverse, and the shuffled pairing."""
    controls = []
    if layout is not None and any(field.is_vector for field in layout.fields):
        controls.append(
            wrong_action_control(
                subject, few, symmetry, layout, reference, gradients, has_skill=has_skill
            )
        )
    if gradients and gradients.elements:
        unit = [{str(m): p.unit for m, p in e.products.items()} for e in gradients.elements]
        controls.append(shuffled_control(unit, few.settings.seed))
    return tuple(controls)


def wrong_action_control(
    subject: Subject,
    few: Subject,
    symmetry: Symmetry,
    layout: FieldLayout,
    reference: Tree,
    gradients: GradientResults | None,
    *,
    has_skill: bool,
) -> Control:
    """A quarter turn (or whatever generates the point group) composed with velocity reversal."""
    settings = subject.settings
    action = symmetry.on_output
    turn = action if isinstance(action, PointAction) and action.group.generators() else None
    wrong = _TurnedAndReversed(layout, turn)
    # Only its one element is looked at, so that the order of the group does not matter.
    control = Symmetry("control", CyclicGroup(2), wrong, wrong)
    ratio = subject.mean(forward_measurement(subject, control, 1).log_loss_ratio)
    orbit: dict[str, Statistic] = {}
    if gradients is not None:
        same = gradients.probe
        few = same.subject
        probe = GradientProbe(few, control, reference, same.prepared, same.keeping)
        for metric, found in probe.products(gradients.plain, probe.loss_gradients(1)).items():
            measured = coherences(found.unit, few.bootstrap, settings.permutations, settings.seed)
            orbit[metric] = measured.orbit
    fails = ratio.low is not None and ratio.low > settings.log_tolerance
    quiet = all(s.low is None or s.low < settings.least_coherence for s in orbit.values())
    return Control(
        name="reversed velocity" if turn is None else f"{_turn_name(turn)} with reversed velocity",
        description=(
            "a deliberately wrong action, u → −u: the flow run backwards is no solution, so a "
            "model with skill must fail on it and its gradients must not transport along it"
        ),
        expected=(
            "loss ratio clearly above 1 and orbit coherence near 0"
            if has_skill
            else "nothing: the model has no skill"
        ),
        log_loss_ratio=ratio,
        orbit_coherence=orbit,
        as_expected=(fails and quiet) or not has_skill,
    )


def _turn_name(turn: PointAction) -> str:
    return turn.group.element_name(turn.group.generators()[0])


def shuffled_control(products: Sequence[Mapping[str, PairProducts]], seed: int) -> Control:
    """ρ of all elements under random pairings of a and b, which must be 0 in the mean."""
    orbit = {}
    as_expected = True
    for metric in products[0]:
        found = [
            mean_shuffled_coherence(p[metric], SHUFFLES, seed + i) for i, p in enumerate(products)
        ]
        found = [(value, e) for value, e in found if isfinite(value)]
        n = len(products[0][metric].aa)
        if not found:
            # No gradients to pair: nothing is measured, and nothing contradicts.
            orbit[metric] = Statistic(None, n=n)
            continue
        mean = sum(value for value, _ in found) / len(found)
        error = max(e for _, e in found)
        orbit[metric] = Statistic(mean, mean - 2 * error, mean + 2 * error, n)
        as_expected &= abs(mean) <= max(0.03, 3 * error)
    return Control(
        name="shuffled pairing",
        description=(
            "the same gradients paired at random across trajectories: orbit coherence must "
            "vanish in the mean"
        ),
        expected="orbit coherence 0 in the mean",
        log_loss_ratio=None,
        orbit_coherence=orbit,
        as_expected=as_expected,
    )
