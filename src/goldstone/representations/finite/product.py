"""Irreps of direct products of finite groups."""

from dataclasses import dataclass
from itertools import product
from math import prod

import torch
from torch import Tensor

from goldstone.groups import DirectProduct
from goldstone.representations.irrep import Field, FrobeniusSchurType, Irrep
from goldstone.representations.outer_product import OuterTensorProduct
from goldstone.representations.realification import realify

_INDICATORS = {"real": 1, "complex": 0, "quaternionic": -1}


@dataclass(frozen=True)
class ProductIrrep(Irrep):
    """σ₁ ⊠ σ₂ ⊠ … of irreps of the factors of a direct product.

    Over ℂ the parts are complex irreps, and every such product is irreducible. Over ℝ it is the
    outer product of real irreps of which at most one is not of real type, or the realification of
    one of complex irreps, two or more not of real type.
    """

    parts: tuple[Irrep, ...]
    over: Field = "real"

    def __post_init__(self) -> None:
        OuterTensorProduct(self.group, self.parts)  # raises where the parts do not fit

    @property
    def name(self) -> str:
        """The parts' names, such as ``A1⊠E``."""
        return "⊠".join(part.name for part in self.parts)

    @property
    def frobenius_schur_type(self) -> FrobeniusSchurType:
        return product_type(self.parts)

    @property
    def _is_realified(self) -> bool:
        return self.over == "real" and self.parts[0].dtype.is_complex

    @property
    def dimension(self) -> int:
        return prod(part.dimension for part in self.parts) * (2 if self._is_realified else 1)

    @property
    def dtype(self) -> torch.dtype:
        return torch.complex128 if self.over == "complex" else torch.float64

    def _matrices(self, g: Tensor) -> Tensor:
        matrices = OuterTensorProduct(self.group, self.parts).matrix_unchecked(g)
        return realify(matrices) if self._is_realified else matrices

    @property
    def allows_pointwise(self) -> bool:
        return all(part.allows_pointwise for part in self.parts)


def _not_real(parts: tuple[Irrep, ...]) -> int:
    return sum(part.frobenius_schur_type != "real" for part in parts)


def product_type(parts: tuple[Irrep, ...]) -> FrobeniusSchurType:
    """The type of an outer product of complex irreps: indicators multiply."""
    indicator = prod(_INDICATORS[part.frobenius_schur_type] for part in parts)
    return "real" if indicator == 1 else "complex" if indicator == 0 else "quaternionic"


def product_irreps(
    group: DirectProduct,
    complex_irreps: list[tuple[Irrep, ...]],
    real_irreps: list[tuple[Irrep, ...]],
    over: Field,
) -> tuple[ProductIrrep, ...] | None:
    """All irreps of a direct product from those of its factors, or None where that has no room.

    None over ℝ if irreps of quaternionic type of two factors meet, whose product has a real form
    that the factors do not show.
    """
    if over == "complex":
        found = [ProductIrrep(group, parts, over) for parts in product(*complex_irreps)]
    else:
        found = [
            ProductIrrep(group, parts, over)
            for parts in product(*real_irreps)
            if _not_real(parts) <= 1
        ]
        seen: list[Tensor] = []
        steps = group.element_tensor()
        for parts in product(*complex_irreps):
            if _not_real(parts) <= 1:
                continue
            if product_type(parts) == "real":
                return None
            irrep = ProductIrrep(group, parts, over)
            character = irrep.character_unchecked(steps)
            # σ and its complex conjugate have the same realification.
            if not any(torch.allclose(character, other, atol=1e-6) for other in seen):
                seen.append(character)
                found.append(irrep)
    trivial, *rest = found
    return (trivial, *sorted(rest, key=lambda irrep: irrep.dimension))
