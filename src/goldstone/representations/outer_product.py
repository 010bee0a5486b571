"""Outer tensor products: representations of a direct product of groups."""

from dataclasses import dataclass
from math import prod

from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import DirectProduct, LieDirectProduct, LieGroup
from goldstone.representations.derived import CompoundRepresentation
from goldstone.representations.representation import Representation
from goldstone.representations.tensor_product import kronecker, kronecker_sum, product_of


@dataclass(frozen=True)
class OuterTensorProduct(CompoundRepresentation):
    """(ρ₁ ⊠ ρ₂ ⊠ …)(g₁, g₂, …) = ρ₁(g₁) ⊗ ρ₂(g₂) ⊗ …, the last part's index running fastest.

    With trivial representations of all factors but one it is the representation of that one; the
    direct sum of those is the block-diagonal representation of the product.

    Args:
        group: a direct product of groups, finite or Lie.
        parts: a representation of each of its factors.

    Raises:
        InputError: the group is no direct product, or the parts are not of its factors.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        group = self.group
        if not isinstance(group, DirectProduct | LieDirectProduct):
            raise InputError(f"expected a direct product of groups, got {group.name}")
        if tuple(part.group for part in self.parts) != group.factors:
            raise InputError(
                f"expected representations of {', '.join(f.name for f in group.factors)}, the "
                f"factors of {group.name}, got ones of {[p.group.name for p in self.parts]}"
            )

    @property
    def dimension(self) -> int:
        return prod(part.dimension for part in self.parts)

    def _matrices(self, g: Tensor) -> Tensor:
        return kronecker([part.matrix_unchecked(a) for part, a in self._pairs(g)])

    def _characters(self, g: Tensor) -> Tensor:
        return product_of([part.character_unchecked(a) for part, a in self._pairs(g)])

    def _derivatives(self, x: Tensor) -> Tensor:
        derivatives, start = [], 0
        for part in self.parts:
            if isinstance(part.group, LieGroup):
                coordinates = x[..., start : start + part.group.dimension]
                derivatives.append(part.derivative(coordinates))
                start += part.group.dimension
            else:
                zeros = x.new_zeros(*x.shape[:-1], part.dimension, part.dimension)
                derivatives.append(zeros.to(part.dtype))
        return kronecker_sum(derivatives)

    def _pairs(self, g: Tensor) -> list[tuple[Representation, Tensor]]:
        if not isinstance(self.group, DirectProduct | LieDirectProduct):
            return []
        return list(zip(self.parts, self.group.parts(g), strict=True))
