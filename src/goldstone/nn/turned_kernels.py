"""Kernels into and out of the regular representation: free on one component, the others turned."""

from typing import Any, Protocol

import torch
from torch import Tensor

from goldstone.nn.block_bases import BlockBasis, DenseBasis
from goldstone.nn.rotated_filters import RotatedFilters
from goldstone.representations import RegularRepresentation, Representation
from goldstone.representations.intertwiners import permutation_images


class TurnedFilters(Protocol):
    """Filters that can be turned."""

    def turned(self, matrices: Tensor) -> Tensor:
        """Filters B_b(g⁻¹p), (element, filter, *size), for orthogonal matrices of g."""


def turned_kernel_basis(
    source: Representation, target: Representation, filters: TurnedFilters
) -> BlockBasis | None:
    """The basis of Hom(source, target) if one of them is regular, else None.

    Frobenius reciprocity: equivariant kernels into the regular representation are the free ones
    into one of its components.
    """
    if isinstance(target, RegularRepresentation):
        if isinstance(source, RegularRepresentation):
            return _regular_to_regular(source, filters)
        return DenseBasis(_to_regular(source, filters))
    if isinstance(source, RegularRepresentation):
        # The transposed kernels are equivariant from target to source.
        return DenseBasis(_to_regular(target, filters).transpose(1, 2))
    return None


def _regular_to_regular(regular: Representation, filters: TurnedFilters) -> RotatedFilters:
    """K[g, h](p) = Σ_b c[g⁻¹h, b] B_b(g⁻¹p)."""
    group: Any = regular.group
    elements = group.element_tensor()
    origins = permutation_images(regular, group.inverse(elements))
    if origins is None:
        raise TypeError(f"the regular representation of {group.name} permutes")
    return RotatedFilters(filters.turned(group.matrices(elements)), origins)


def _to_regular(source: Representation, filters: TurnedFilters) -> Tensor:
    """K[g, i](p) = Σ c[i′, b] ρ_in(g⁻¹)[i′, i] B_b(g⁻¹p), the coefficients one at a time."""
    group: Any = source.group
    elements = group.element_tensor()
    turned = filters.turned(group.matrices(elements)) / group.order**0.5
    rho = source.matrix_unchecked(group.inverse(elements))
    return torch.einsum("gmi,gb...->mbgi...", rho, turned).flatten(0, 1)
