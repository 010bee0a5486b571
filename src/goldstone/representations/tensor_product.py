"""Tensor products of representations of one group."""

from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from goldstone.representations.derived import CompoundRepresentation


@dataclass(frozen=True)
class TensorProduct(CompoundRepresentation):
    """ρ₁ ⊗ ρ₂ ⊗ …: Kronecker products, the last part's index running fastest.

    (ρ ⊗ σ)(g)[ik, jl] = ρ(g)[i, j] σ(g)[k, l] and d(ρ ⊗ σ) = dρ ⊗ 1 + 1 ⊗ dσ. A vector is a tensor
    of shape (dim ρ₁, dim ρ₂, …) flattened.

    Raises:
        InputError: there are no parts, or they are of different groups.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_one_group("a tensor product")

    @property
    def dimension(self) -> int:
        return prod(part.dimension for part in self.parts)

    def _matrices(self, g: Tensor) -> Tensor:
        factors = {part: part.matrix_unchecked(g) for part in dict.fromkeys(self.parts)}
        return kronecker([factors[part] for part in self.parts])

    def _derivatives(self, x: Tensor) -> Tensor:
        return kronecker_sum([part.derivative(x) for part in self.parts])

    def _characters(self, g: Tensor) -> Tensor:
        return product_of([part.character_unchecked(g) for part in self.parts])


def product_of(factors: list[Tensor]) -> Tensor:
    """The entrywise product of tensors, real ones with complex ones."""
    result = factors[0]
    for factor in factors[1:]:
        result = result * factor
    return result


def kronecker(factors: list[Tensor]) -> Tensor:
    """The Kronecker product of matrices (*batch, n, n), the last one's index running fastest."""
    result = factors[0]
    for factor in factors[1:]:
        size = result.shape[-1] * factor.shape[-1]
        product = result[..., :, None, :, None] * factor[..., None, :, None, :]
        result = product.reshape(*product.shape[:-4], size, size)
    return result


def kronecker_sum(factors: list[Tensor]) -> Tensor:
    """Σ_i 1 ⊗ … ⊗ A_i ⊗ … ⊗ 1 of matrices A_i (*batch, n_i, n_i)."""
    result = factors[0]
    for factor in factors[1:]:
        here = torch.eye(result.shape[-1], dtype=result.dtype, device=result.device)
        there = torch.eye(factor.shape[-1], dtype=factor.dtype, device=factor.device)
        result = kronecker([result, there]) + kronecker([here, factor])
    return result
