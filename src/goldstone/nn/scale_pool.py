"""Pooling over scales."""

from typing import Literal, get_args

from torch import Tensor, nn

from goldstone.core import InputError

Reduction = Literal["max", "mean"]


class ScalePool(nn.Module):
    """The largest value, or the mean, over scales.

    (batch, field, scale, X, Y) → (batch, field, X, Y). Enlarging the image enlarges the result, as
    far as the scale with the largest value, or all that count, remains among those there are. For
    invariant features then take the maximum over the plane, not the mean, which grows with what is
    enlarged.

    Args:
        reduction: ``"max"`` or ``"mean"``.

    Raises:
        InputError: another reduction; at the call, another shape.
    """

    def __init__(self, reduction: Reduction = "max") -> None:
        super().__init__()
        if reduction not in get_args(Reduction):
            raise InputError(f"expected the reduction 'max' or 'mean', got {reduction!r}")
        self.reduction = reduction

    def forward(self, x: Tensor) -> Tensor:
        """Pool."""
        if x.ndim != 5:
            raise InputError(f"expected fields (batch, field, scale, X, Y), got {tuple(x.shape)}")
        return x.amax(2) if self.reduction == "max" else x.mean(2)

    def extra_repr(self) -> str:
        """Shown by print."""
        return self.reduction
