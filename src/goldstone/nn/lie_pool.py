"""Pooling over samples of a Lie group: from equivariant to invariant channels."""

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from goldstone.core import InputError

Reduction = Literal["mean", "max"]


class LiePool(nn.Module):
    """Σ_j w_j f(h_j)/Σ_j w_j, or the maximum over samples of positive weight: invariant channels.

    (features (batch, n, channels), weights (batch, n) or None) → (batch, channels). Left
    multiplication of the samples leaves it as it is, and so does their order. Where no sample has a
    positive weight it is zero.

    Args:
        reduction: ``"mean"`` or ``"max"``.

    Raises:
        InputError: another reduction; at the call, shapes that do not fit.
    """

    def __init__(self, reduction: Reduction = "mean") -> None:
        super().__init__()
        if reduction not in get_args(Reduction):
            raise InputError(f"expected the reduction 'mean' or 'max', got {reduction!r}")
        self.reduction = reduction

    def forward(self, features: Tensor, weights: Tensor | None = None) -> Tensor:
        """Pool."""
        if features.ndim != 3 or (weights is not None and weights.shape != features.shape[:2]):
            raise InputError(
                "expected features (batch, n, channels) and weights (batch, n), got "
                f"{tuple(features.shape)}"
                + ("" if weights is None else f" and {tuple(weights.shape)}")
            )
        if self.reduction == "max":
            if weights is not None:
                absent = (weights <= 0)[..., None]
                features = features.masked_fill(absent, -torch.inf)
                return features.amax(1).masked_fill(absent.all(1), 0)
            return features.amax(1)
        if weights is None:
            return features.mean(1)
        total = weights.sum(1, keepdim=True)
        shares = weights / torch.where(total > 0, total, torch.ones_like(total))
        return torch.einsum("bn,bnc->bc", shares.to(features.dtype), features)

    def extra_repr(self) -> str:
        """Shown by print."""
        return self.reduction
