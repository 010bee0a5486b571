"""The equivariant kernels of a convolution, by group averaging."""

from typing import Any

import torch
from torch import Tensor

from goldstone.actions import move_points
from goldstone.core import InputError
from goldstone.groups import PointGroup
from goldstone.representations import Representation, image_basis


def kernel_basis(source: Representation, target: Representation, size: int) -> Tensor:
    """An orthonormal basis of the kernels K with K(g·p) = ρ_out(g) K(p) ρ_in(g)⁻¹.

    Returns a float64 tensor (basis, target dimension, source dimension, size, size); p runs over
    the kernel's taps about its centre, so odd and even sizes both work. Computed as the image of
    the projector P = mean_g [K ↦ ρ_out(g) K(g⁻¹·) ρ_in(g)⁻¹].
    """
    group = _point_group(source)
    shape = (target.dimension, source.dimension, size, size)
    unknowns = torch.eye(
        target.dimension * source.dimension * size * size, dtype=torch.float64
    ).reshape(-1, *shape)
    elements: tuple[Any, ...] = group.elements()
    average = torch.zeros_like(unknowns)
    for g in elements:
        moved = move_points(unknowns, group.matrix(g))
        turned = torch.einsum("ij,njkxy,lk->nilxy", target.matrix(g), moved, source.matrix(g))
        average += turned / len(elements)
    return image_basis(average.flatten(1)).reshape(-1, *shape)


def _point_group(representation: Representation) -> PointGroup[Any]:
    group = representation.group
    if not isinstance(group, PointGroup):
        raise InputError(
            f"expected a representation of a finite group of the plane, got one of {group.name}"
        )
    return group
