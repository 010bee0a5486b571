"""Forward probes: does the model treat x and g·x alike?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from goldstone.actions import Symmetry
from goldstone.auditing.subject import Subject
from goldstone.core import trees
from goldstone.core.trees import Tree


@dataclass(frozen=True, eq=False)
class ForwardMeasurement:
    """Per sample, (n,) each.

    Attributes:
        error: ‖f(gx) − g f(x)‖/‖f(x)‖.
        error_of_change: the same over ‖f(x) − x‖ (NaN if input and output differ in shape).
        error_of_model_error: the same over ‖f(x) − y‖ (NaN for class labels).
        log_loss_ratio: log ℓ(f(gx), gy) − log ℓ(g f(x), gy). For an invariant loss the second term
            is log ℓ(f(x), y); for others it puts both predictions in the same frame.
        error_sharing: cos(f(gx) − gy, g f(x) − gy); for class labels the cosine of the loss's
            gradients in the outputs.
    """

    error: Tensor
    error_of_change: Tensor
    error_of_model_error: Tensor
    log_loss_ratio: Tensor
    error_sharing: Tensor


def forward_measurement(subject: Subject, symmetry: Symmetry, element: Any) -> ForwardMeasurement:
    """Compare f(gx) with g f(x) on every sample."""
    samples, predictions = subject.samples, subject.predictions
    inputs, targets, after = samples.inputs, samples.targets, samples.context.at(1)
    moved_predictions = symmetry.on_output.act(element, predictions, after)
    moved_targets = symmetry.target_action.act(element, targets, after)
    of_moved = subject.predict(symmetry.on_input.act(element, inputs, samples.context))
    gap = distances(of_moved, moved_predictions)
    unknown = torch.full_like(gap, torch.nan)
    steps = trees.same_shapes(inputs, predictions)
    answers = trees.same_shapes(targets, predictions)
    return ForwardMeasurement(
        error=gap / norms(predictions),
        error_of_change=gap / (distances(predictions, inputs) if steps else unknown),
        error_of_model_error=gap / (distances(predictions, targets) if answers else unknown),
        log_loss_ratio=subject.log_loss(of_moved, moved_targets)
        - subject.log_loss(moved_predictions, moved_targets),
        error_sharing=torch.cosine_similarity(
            subject.residual(of_moved, moved_targets),
            subject.residual(moved_predictions, moved_targets),
        ),
    )


def roll_out(subject: Subject, starts: Tree) -> list[Tree]:
    """f(x), f(f(x)), … for the settings' number of steps; none if outputs cannot be inputs."""
    states, state = [], starts
    if not trees.same_shapes(starts, subject.predictions):
        return []
    for _ in range(subject.settings.rollout_steps):
        state = subject.predict(state)
        states.append(state)
    return states


def rollout_errors(
    subject: Subject, symmetry: Symmetry, element: Any, starts: Tree, rollout: Sequence[Tree]
) -> list[Tensor]:
    """‖f^k(gx) − g f^k(x)‖/‖f^k(x)‖ for k = 1 …; ``rollout`` holds f^k(x)."""
    context = subject.samples.context
    state = symmetry.on_input.act(element, starts, context)
    errors = []
    for k, plain in enumerate(rollout, 1):
        state = subject.predict(state)
        moved = symmetry.on_output.act(element, plain, context.at(k))
        errors.append(distances(state, moved) / norms(plain))
    return errors


def norms(x: Tree) -> Tensor:
    """Euclidean norm of each sample, (n,)."""
    return trees.flat(trees.at_least_single(x)).square().sum(1).sqrt()


def distances(x: Tree, y: Tree) -> Tensor:
    """‖x − y‖ of each sample, (n,)."""
    x, y = trees.at_least_single((x, y))
    return (trees.flat(x) - trees.flat(y)).square().sum(1).sqrt()
