"""Forward probes: does the model treat x and g·x alike?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from goldstone.actions import Symmetry
from goldstone.auditing.subject import Subject


@dataclass(frozen=True, eq=False)
class ForwardMeasurement:
    """Per sample, (n,) each.

    Attributes:
        error: ‖f(gx) − g f(x)‖/‖f(x)‖.
        error_of_change: the same over ‖f(x) − x‖ (NaN if input and output differ in shape).
        error_of_model_error: the same over ‖f(x) − y‖.
        log_loss_ratio: log ℓ(f(gx), gy) − log ℓ(g f(x), gy). For an invariant loss the second term
            is log ℓ(f(x), y); for others it puts both predictions in the same frame.
        error_sharing: cos(f(gx) − gy, g f(x) − gy).
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
    gap = norms(of_moved - moved_predictions)
    same_shape = inputs.shape == predictions.shape
    change = norms(predictions - inputs) if same_shape else torch.full_like(gap, torch.nan)
    return ForwardMeasurement(
        error=gap / norms(predictions),
        error_of_change=gap / change,
        error_of_model_error=gap / norms(predictions - targets),
        log_loss_ratio=subject.log_loss(of_moved, moved_targets)
        - subject.log_loss(moved_predictions, moved_targets),
        error_sharing=torch.cosine_similarity(
            (of_moved - moved_targets).flatten(1), (moved_predictions - moved_targets).flatten(1)
        ),
    )


def roll_out(subject: Subject, starts: Tensor) -> list[Tensor]:
    """f(x), f(f(x)), … for the settings' number of steps; none if outputs cannot be inputs."""
    states, state = [], starts
    if starts.shape[1:] != subject.predictions.shape[1:]:
        return []
    for _ in range(subject.settings.rollout_steps):
        state = subject.predict(state)
        states.append(state)
    return states


def rollout_errors(
    subject: Subject, symmetry: Symmetry, element: Any, starts: Tensor, rollout: Sequence[Tensor]
) -> list[Tensor]:
    """‖f^k(gx) − g f^k(x)‖/‖f^k(x)‖ for k = 1 …; ``rollout`` holds f^k(x)."""
    context = subject.samples.context
    state = symmetry.on_input.act(element, starts, context)
    errors = []
    for k, plain in enumerate(rollout, 1):
        state = subject.predict(state)
        moved = symmetry.on_output.act(element, plain, context.at(k))
        errors.append(norms(state - moved) / norms(plain))
    return errors


def norms(x: Tensor) -> Tensor:
    """Euclidean norm of each sample, (n,)."""
    return x.flatten(1).square().sum(1).sqrt()
