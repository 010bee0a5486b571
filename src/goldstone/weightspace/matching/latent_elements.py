"""Elements of symmetries as functions of free matrices, for gradients."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from goldstone.weightspace.matching.comparison import assigned, procrustes
from goldstone.weightspace.matching.matched_units import MatchedUnits
from goldstone.weightspace.matching.steps import Step
from goldstone.weightspace.symmetries.parameter_symmetry import ParameterSymmetry, StateDict


class LatentElements:
    """A free matrix I + X for each matched symmetry, X = 0 at first, and what it stands for.

    Of permutations the nearest one, by linear assignment, with the gradient passed straight through
    to X; of orthogonal groups the polar factor, with its own gradient; of GL(n) the matrix itself.

    Args:
        units: the outermost units; those in them are included, signs are not.
    """

    def __init__(self, units: Sequence[MatchedUnits]) -> None:
        self.symmetries = tuple(_symmetries(units))
        self.offsets = [
            torch.zeros(one.copies, n, n, requires_grad=True)
            for one in self.symmetries
            for n in [one.size - (one.kind == "orthogonal keeping ones")]
        ]

    def values(self) -> list[Tensor]:
        """A copy of the offsets."""
        return [x.detach().clone() for x in self.offsets]

    def assign(self, values: Sequence[Tensor]) -> None:
        """Set the offsets, which stay the same tensors."""
        with torch.no_grad():
            for x, value in zip(self.offsets, values, strict=True):
                x.copy_(value)

    def moved(self, state: StateDict) -> dict[str, Tensor]:
        """The state moved by the elements, with gradients to :attr:`offsets`."""
        moved = dict(state)
        for symmetry, offset in zip(self.symmetries, self.offsets, strict=True):
            latent = torch.eye(offset.shape[-1]) + offset
            if symmetry.kind == "permutation":
                hard = symmetry.matrices(assigned(latent.detach().double())).to(latent)
                matrices = hard + (latent - latent.detach())
            elif symmetry.kind == "general linear":
                matrices = latent
            else:
                matrices = symmetry.matrices(polar(latent).to(torch.float64)).to(latent.dtype)
            moved = symmetry.act_by_matrices(matrices, moved)
        return moved

    def steps(self) -> list[Step]:
        """The elements, exactly of their groups."""
        found: list[Step] = []
        for symmetry, offset in zip(self.symmetries, self.offsets, strict=True):
            latent = (torch.eye(offset.shape[-1]) + offset).detach().double()
            if symmetry.kind == "permutation":
                found.append((symmetry, assigned(latent)))
            elif symmetry.kind == "general linear":
                found.append((symmetry, latent))
            else:
                found.append((symmetry, procrustes(latent, "orthogonal")))
        return found


def _symmetries(units: Sequence[MatchedUnits]) -> list[ParameterSymmetry]:
    found = []
    for one in units:
        if one.symmetry.kind != "sign":
            found.append(one.symmetry)
        found += _symmetries([child for child, _ in one.inside])
    return found


class _Polar(torch.autograd.Function):
    """UVᵀ of A = UΣVᵀ, differentiated without that of the SVD.

    dQ = U[(UᵀdA V − VᵀdAᵀU) ∘ 1/(σᵢ + σⱼ)]Vᵀ stays finite where singular values coincide.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        left, sizes, right = torch.linalg.svd(x)
        ctx.save_for_backward(left, sizes, right)
        q: Tensor = left @ right
        return q

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        left, sizes, right = ctx.saved_tensors
        inner = left.mT @ gradients[0] @ right.mT
        sums = (sizes[..., :, None] + sizes[..., None, :]).clamp_min(1e-6)
        gradient: Tensor = left @ ((inner - inner.mT) / sums) @ right
        return gradient


def polar(x: Tensor) -> Tensor:
    """The orthogonal matrices nearest to x, (…, n, n); differentiable where x is invertible."""
    nearest: Tensor = _Polar.apply(x)  # type: ignore[no-untyped-call]
    return nearest
