"""Forward probes: does the model treat x and g·x alike?"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from goldstone.actions import Context, Symmetry
from goldstone.auditing.inspection import predict

Loss = Callable[[Tensor, Tensor], Tensor]


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


def forward_measurement(
    model: nn.Module,
    symmetry: Symmetry,
    element: Any,
    inputs: Tensor,
    targets: Tensor,
    predictions: Tensor,
    loss: Loss,
    context: Context,
    batch: int = 32,
) -> ForwardMeasurement:
    """Compare f(gx) with g f(x) on every sample; ``predictions`` is f(x)."""
    after = context.at(1)
    moved_predictions = symmetry.on_output.act(element, predictions, after)
    moved_targets = target_action(symmetry).act(element, targets, after)
    of_moved = predict(model, symmetry.on_input.act(element, inputs, context), batch)
    gap = norms(of_moved - moved_predictions)
    same_shape = inputs.shape == predictions.shape
    change = norms(predictions - inputs) if same_shape else torch.full_like(gap, torch.nan)
    tiny = torch.finfo(gap.dtype).tiny
    log_ratio = (
        loss(of_moved, moved_targets).clamp_min(tiny).log()
        - loss(moved_predictions, moved_targets).clamp_min(tiny).log()
    )
    return ForwardMeasurement(
        error=gap / norms(predictions),
        error_of_change=gap / change,
        error_of_model_error=gap / norms(predictions - targets),
        log_loss_ratio=log_ratio,
        error_sharing=torch.cosine_similarity(
            (of_moved - moved_targets).flatten(1), (moved_predictions - moved_targets).flatten(1)
        ),
    )


def rollout_errors(
    model: nn.Module,
    symmetry: Symmetry,
    element: Any,
    starts: Tensor,
    rollout: list[Tensor],
    context: Context,
    batch: int = 32,
) -> list[Tensor]:
    """‖f^k(gx) − g f^k(x)‖/‖f^k(x)‖ for k = 1 …; ``rollout`` holds f^k(x)."""
    state = symmetry.on_input.act(element, starts, context)
    errors = []
    for k, plain in enumerate(rollout, 1):
        state = predict(model, state, batch)
        moved = symmetry.on_output.act(element, plain, context.at(k))
        errors.append(norms(state - moved) / norms(plain))
    return errors


def roll_out(model: nn.Module, starts: Tensor, steps: int, batch: int = 32) -> list[Tensor]:
    """f(x), f(f(x)), … for ``steps`` steps."""
    states, state = [], starts
    for _ in range(steps):
        state = predict(model, state, batch)
        states.append(state)
    return states


def norms(x: Tensor) -> Tensor:
    """Euclidean norm of each sample."""
    return torch.linalg.vector_norm(x.flatten(1), dim=1)


def target_action(symmetry: Symmetry) -> Any:
    """``on_target``, which a symmetry fills with ``on_output`` when it is not given."""
    return symmetry.on_target or symmetry.on_output
