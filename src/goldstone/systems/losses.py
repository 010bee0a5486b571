"""Per-sample losses between fields of shape (batch, channel, X, Y), and the choice of one by name.

All of them are invariant when prediction and target are moved together by a periodic shift, a
quarter turn or a reflection: those permute the grid points and, at most, swap or negate the two
components of a vector. The scaled losses divide by the size of each *channel* of the target; so
they are not invariant under rotations by other angles, which mix the components, nor under
Galilean boosts, which add a constant to the target and so change its size. ``mse`` has no such
scale and is invariant under boosts of a velocity too.
"""

from collections.abc import Callable
from typing import Literal, get_args

from torch import Tensor
from torch.nn import functional

from goldstone.core import InputError

LossName = Literal["scaled_mse", "squared_scaled_mse", "mse", "cross_entropy"]
Loss = Callable[[Tensor, Tensor], Tensor]
"""A function ``loss(prediction, target)`` from (batch, channel, X, Y) twice to (batch,)."""

_SMALLEST_SCALE = 1e-6


def _channel_size(target: Tensor) -> Tensor:
    return target.square().mean(dim=(-2, -1), keepdim=True).sqrt() + _SMALLEST_SCALE


def scaled_mse(prediction: Tensor, target: Tensor) -> Tensor:
    """Squared error over the size of the target, in the units of the fields.

    ``mean over x and channels f of (prediction − target)² / s_f`` with
    ``s_f = sqrt(mean over x of target_f²) + 1e-6`` per sample: the cost of Amarel et al. (arXiv
    2601.20172), which divides by the size and not by its square.
    """
    return ((prediction - target).square() / _channel_size(target)).mean(dim=(-3, -2, -1))


def squared_scaled_mse(prediction: Tensor, target: Tensor) -> Tensor:
    """Relative squared error, without units: :func:`scaled_mse` with ``s_f²`` for ``s_f``."""
    return ((prediction - target) / _channel_size(target)).square().mean(dim=(-3, -2, -1))


def mse(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean of ``(prediction − target)²`` over all axes but the first, whatever the shape."""
    return (prediction - target).abs().square().flatten(1).mean(1)


def cross_entropy(prediction: Tensor, target: Tensor) -> Tensor:
    """−log softmax(prediction)[target], the mean over further axes of (batch, class, …) logits.

    ``target`` holds class labels, (batch, …) of integers. Invariant where inputs move and labels
    stay, and under permutations of classes that move both.
    """
    losses = functional.cross_entropy(prediction, target, reduction="none")
    return losses.flatten(1).mean(1) if losses.ndim > 1 else losses


def loss_by_name(name: LossName | str) -> Loss:
    """The loss called ``name``.

    Raises:
        InputError: there is no such loss.
    """
    match name:
        case "scaled_mse":
            return scaled_mse
        case "squared_scaled_mse":
            return squared_scaled_mse
        case "mse":
            return mse
        case "cross_entropy":
            return cross_entropy
        case _:
            raise InputError(
                f"unknown loss {name!r}; expected one of {', '.join(get_args(LossName))}"
            )
