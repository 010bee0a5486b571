"""How large a feature is, by what the group leaves alone."""

import torch
from torch import Tensor

from goldstone.nn.block_weights import parameter_dtype
from goldstone.nn.constants import Constants, computed_on_cpu
from goldstone.nn.linear_basis import linear_basis
from goldstone.nn.parts import parts_by_type
from goldstone.nn.ragged import wide_dtype
from goldstone.representations import (
    ConjugateRepresentation,
    Representation,
    TensorProduct,
    TrivialRepresentation,
    is_unitary,
)


class InvariantSize(Constants):
    """I(x)², invariant and of fourth degree in x, about 1 for features of unit variance.

    Of a unitary representation I is the mean of |x|². Others keep no norm, but may keep forms, such
    as t² − |x|² under boosts: then I² is the mean of |x_aᵀ F x_b|² over all orthonormal invariant
    forms F of all pairs of parts, each copy with its own number and with the next (a symplectic
    form vanishes at x, x). It is 0 where all of them are, as at a single vector on the light cone,
    and everywhere if there are none.

    (*batch, dimension) → (*batch, 1), real.

    Args:
        representation: of the last axis.
        device: of the forms.
        dtype: of the forms; complex for a complex representation.
    """

    @computed_on_cpu
    def __init__(
        self,
        representation: Representation,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        types = parts_by_type(representation)
        self.is_unitary = all(is_unitary(part) for part, _ in types)
        self.count = 0
        if self.is_unitary:
            return
        for k, (left, left_starts) in enumerate(types):
            for right, right_starts in types[k:]:
                forms = _forms(left, right)
                if not len(forms):
                    continue
                rows = range(max(len(left_starts), len(right_starts)))
                first = [left_starts[w % len(left_starts)] for w in rows]
                for name, starts, size in (
                    ("left", first * 2, left.dimension),
                    ("right", _own_and_next(right_starts, rows), right.dimension),
                ):
                    channels = torch.tensor(starts)[:, None] + torch.arange(size)
                    self.register_constant(f"_{name}_{self.count}", channels)
                self.register_constant(f"_forms_{self.count}", forms)
                self.count += 1
        self.cast(device, parameter_dtype((representation,), dtype))

    def forward(self, x: Tensor) -> Tensor:
        """I² of each feature, in float32 where features have less."""
        x = x.to(wide_dtype(x))
        if self.is_unitary:
            return x.abs().square().mean(-1, keepdim=True).square()
        found = []
        for n in range(self.count):
            left, forms, right = (getattr(self, f"_{k}_{n}") for k in ("left", "forms", "right"))
            other = x[..., right].conj() if x.is_complex() else x[..., right]
            values = torch.einsum("...wi,fij,...wj->...wf", x[..., left], forms.to(x.dtype), other)
            found.append(values.abs().square().flatten(-2))
        if not found:
            return torch.zeros_like(x[..., :1].abs())
        return torch.cat(found, -1).mean(-1, keepdim=True)


def _own_and_next(starts: list[int], rows: range) -> list[int]:
    return [starts[(w + shift) % len(starts)] for shift in (0, 1) for w in rows]


def _forms(left: Representation, right: Representation) -> Tensor:
    """Orthonormal invariant forms (count, dimension of left, of right), the right conjugated."""
    if (left + right).dtype.is_complex:
        right = ConjugateRepresentation(right)
    both = TensorProduct(left.group, (left, right))
    basis = linear_basis(both, TrivialRepresentation(left.group)).dense()
    return basis.reshape(-1, left.dimension, right.dimension)
