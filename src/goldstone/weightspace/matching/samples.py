"""Samples and their losses, as barriers, curves and learned matching take them."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from goldstone.core import InputError, trees

Loss = Callable[[Any, Any], Tensor]
"""Loss of each sample, (batch,), of outputs and targets."""


def sample_count(inputs: Any, targets: Any) -> int:
    """How many samples there are.

    Raises:
        InputError: there are none, or not as many targets as inputs.
    """
    count, others = trees.batch_size(inputs), trees.batch_size(targets)
    if count != others or count == 0:
        raise InputError(f"expected as many targets as inputs, got {others} for {count}")
    return count


def each_loss(loss: Loss, out: Any, targets: Any) -> Tensor:
    """The loss of each sample, (batch,).

    Raises:
        InputError: it is not one number for each sample.
    """
    values, count = loss(out, targets), trees.batch_size(targets)
    if values.shape != (count,):
        raise InputError(
            f"expected a loss of shape ({count},), one number for each sample, got "
            f"{tuple(values.shape)}; use reduction='none' and average over the rest"
        )
    return values


def equal_batches(tree: Any, size: int) -> list[Any]:
    """Batches of one size, at most the number of samples; what is left over is not used."""
    size = min(size, trees.batch_size(tree))
    return [one for one in trees.chunks(tree, size) if trees.batch_size(one) == size]
