"""Known answers measured beside every audit, to show that the instrument can tell."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from goldstone.actions import Action, Context, FieldLayout, PointAction, Symmetry, reverse_vectors
from goldstone.auditing.coherence import PairProducts, coherences, mean_shuffled_coherence
from goldstone.auditing.forward import Loss, forward_measurement
from goldstone.auditing.gradients import GradientProbe, GradientSet
from goldstone.auditing.results import Control
from goldstone.auditing.samples import Samples
from goldstone.auditing.settings import AuditSettings
from goldstone.auditing.statistics import Bootstrap, mean_statistic
from goldstone.core import Statistic
from goldstone.groups import CyclicGroup


class _TurnedAndReversed:
    """The wrong action of the control: the flow turned by r, if there is an r, and run backwards."""

    def __init__(self, layout: FieldLayout, turn: PointAction | None) -> None:
        self.layout, self.turn = layout, turn

    def act(self, element: Any, x: torch.Tensor, context: Context) -> torch.Tensor:
        if element == 0:
            return x
        moved = (
            x if self.turn is None else self.turn.act(self.turn.group.generators()[0], x, context)
        )
        return reverse_vectors(moved, self.layout)


def wrong_action_control(
    model: nn.Module,
    symmetry: Symmetry,
    layout: FieldLayout,
    samples: Samples,
    predictions: torch.Tensor,
    loss: Loss,
    plain: GradientSet | None,
    settings: AuditSettings,
    bootstrap: Bootstrap,
    has_skill: bool,
) -> Control:
    """A quarter turn (or whatever generates the point group) composed with velocity reversal."""
    action = symmetry.on_output
    turn = action if isinstance(action, PointAction) else None
    name = "reversed velocity" if turn is None else "r with reversed velocity"
    wrong: Action = _TurnedAndReversed(layout, turn)
    control = Symmetry("control", CyclicGroup(2), wrong, wrong)
    measured = forward_measurement(
        model, control, 1, samples.inputs, samples.targets, predictions, loss, samples.context,
        settings.batch,
    )  # fmt: skip
    ratio, _ = mean_statistic(measured.log_loss_ratio, samples.trajectory, bootstrap)
    orbit: dict[str, Statistic] = {}
    if plain is not None:
        probe = GradientProbe(model, control, loss, samples, settings)
        products = probe.products(plain, probe.loss_gradients(1))
        for metric, found in products.items():
            orbit[metric] = coherences(
                found.unit, bootstrap, settings.permutations, settings.seed
            ).orbit
    fails = ratio.low is not None and ratio.low > settings.log_tolerance
    quiet = all(s.low is None or s.low < settings.least_coherence for s in orbit.values())
    return Control(
        name=name,
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


def shuffled_control(
    products: Sequence[Mapping[str, PairProducts]], settings: AuditSettings, n: int
) -> Control:
    """ρ of all elements under random pairings of a and b, which must be 0 in the mean."""
    orbit = {}
    as_expected = True
    for metric in products[0]:
        found = [
            mean_shuffled_coherence(p[metric], 200, settings.seed + i)
            for i, p in enumerate(products)
        ]
        mean = sum(value for value, _ in found) / len(found)
        error = max(e for _, e in found)
        orbit[metric] = Statistic(mean, mean - 2 * error, mean + 2 * error, n)
        as_expected &= not abs(mean) > max(0.03, 3 * error)
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
