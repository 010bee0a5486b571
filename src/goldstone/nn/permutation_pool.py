"""Pooling over sets and pairs: from features that permutations move to invariant ones."""

from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from goldstone.core import InputError
from goldstone.nn.permutation_components import TRIVIAL
from goldstone.nn.ragged import check_sets, real_entries, wide_dtype, without_padding

SetReduction = Literal["mean", "sum", "max", "attention"]


class PermutationPool(nn.Module):
    """One invariant number for each channel, over the real elements of sets of any size.

    - ``"mean"``: does not see how many elements there are;
    - ``"sum"``: grows with their number, as extensive quantities (energies) do;
    - ``"max"``: the largest;
    - ``"attention"``: Σ_i softmax_i(s_ic) x_ic with scores s_i = A x_i, A learned and zero at
      first, so that it starts as the mean.

    Pairs have two orbits of entries, the diagonal and the others, pooled apart: 2·channels come
    out, those of the diagonal first. Of a set without elements, and of the pairs of a single one,
    all reductions are 0.

    Args:
        channels: of the input.
        order: 1 for sets (batch, element, channel), 2 for pairs (batch, element, element, channel).
        reduction: see above.

    Raises:
        InputError: another order or reduction.
    """

    def __init__(
        self,
        channels: int,
        order: int = 1,
        reduction: SetReduction = "mean",
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if order not in (1, 2):
            raise InputError(f"expected order 1 (sets) or 2 (pairs), got {order!r}")
        if reduction not in get_args(SetReduction):
            raise InputError(
                f"expected a reduction of {', '.join(get_args(SetReduction))}, got {reduction!r}"
            )
        self.channels, self.order, self.reduction = channels, order, reduction
        self.out_channels = TRIVIAL[order] * channels
        self.scores: nn.Parameter | None = None
        if reduction == "attention":
            empty = torch.empty(TRIVIAL[order], channels, channels, device=device, dtype=dtype)
            self.scores = nn.Parameter(empty)
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Zero the scores."""
        if self.scores is not None:
            nn.init.zeros_(self.scores)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Pool (batch, *order* axes of elements, channel) to (batch, out channels).

        Args:
            x: features. Padded entries may hold anything.
            mask: boolean (batch, element), True where there is an element.
        """
        check_sets(x, self.channels, self.order, mask)
        x = without_padding(x, mask, self.order)
        if mask is None:
            mask = torch.ones(x.shape[:2], dtype=torch.bool, device=x.device)
        real = real_entries(mask, self.order)
        if self.order == 1:
            return self._pooled(x, real, 0)
        diagonal = x.diagonal(dim1=1, dim2=2).transpose(1, 2)
        on_diagonal = torch.eye(x.shape[1], dtype=torch.bool, device=x.device)[..., None]
        others = self._pooled(x.flatten(1, 2), (real & ~on_diagonal).flatten(1, 2), 1)
        return torch.cat((self._pooled(diagonal, mask[..., None], 0), others), -1)

    def _pooled(self, x: Tensor, real: Tensor, orbit: int) -> Tensor:
        """Over one orbit of entries: x (batch, entry, channel), real (batch, entry, 1)."""
        if self.reduction == "max":
            # Not −inf, which would come out of a set without entries.
            least = torch.finfo(x.dtype).min
            lowest = functional.pad(x.masked_fill(~real, least), (0, 0, 0, 1), value=least)
            return lowest.amax(1).masked_fill(~real.any(1), 0)
        if self.scores is not None:
            scores = functional.linear(x, self.scores[orbit])
            scores = scores.masked_fill(~real, torch.finfo(scores.dtype).min)
            return (scores.softmax(1) * x * real).sum(1)
        # Only the mean over pairs needs this: their diagonal is among the entries.
        total = (x * real).sum(1, dtype=wide_dtype(x))
        if self.reduction == "mean":
            total = total / real.sum(1).clamp(min=1)
        return total.to(x.dtype)

    def extra_repr(self) -> str:
        """Shown by print."""
        return f"{self.channels}, order {self.order}, {self.reduction}"
