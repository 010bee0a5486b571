"""The loss that is meant where none is named."""

from collections.abc import Callable

from torch import Tensor

from goldstone.core import InputError, trees
from goldstone.core.trees import Tree
from goldstone.systems.losses import cross_entropy, mse, scaled_mse


def usual_loss(targets: Tree) -> Callable[[Tree, Tree], Tensor]:
    """``cross_entropy`` for class labels, ``scaled_mse`` for grid fields, and else ``mse``.

    Raises:
        InputError: the targets are several tensors, of which there is no usual loss.
    """
    if not isinstance(targets, Tensor):
        raise InputError(
            f"targets of the form {trees.describe(targets)} have no usual loss; give "
            "loss=…, a function (prediction, target) → one number per sample"
        )
    if not trees.is_continuous(targets):
        return cross_entropy
    return scaled_mse if targets.ndim == 4 else mse
