"""The equivariant kernels of a convolution with a group of the grid, by group averaging."""

from typing import Any

import torch
from torch import Tensor

from goldstone.actions import move_points
from goldstone.core import InputError
from goldstone.groups import FiniteGroup
from goldstone.nn.block_bases import BlockBasis, DenseBasis, OrbitBasis
from goldstone.nn.planar_elements import is_on_grid
from goldstone.representations import Representation, image_basis
from goldstone.representations.intertwiners import permutation_images


def kernel_basis(source: Representation, target: Representation, size: int) -> Tensor:
    """An orthonormal basis of the kernels K with K(g·p) = ρ_out(g) K(p) ρ_in(g)⁻¹.

    Returns a float64 tensor (basis, target dimension, source dimension, size, size); p runs over
    the kernel's taps about its centre, so odd and even sizes both work. Computed as the image of
    the projector P = mean_g [K ↦ ρ_out(g) K(g⁻¹·) ρ_in(g)⁻¹].

    Raises:
        InputError: the group is no finite group that maps the grid onto itself; see
            :func:`harmonic_kernel_basis` for the others.
    """
    return pixel_basis(source, target, size).dense()


def pixel_basis(source: Representation, target: Representation, size: int) -> BlockBasis:
    """:func:`kernel_basis` in the form that is cheapest to combine.

    Between permutation representations the group permutes the entries of the kernel, and the basis
    is that of their orbits.
    """
    group: Any = _grid_group(source)
    elements = group.element_tensor()
    taps = torch.arange(size * size).reshape(size, size)
    matrices = group.matrices(elements).tolist()
    # Row g: the tap that the value at each tap comes from.
    origins = torch.stack([move_points(taps, matrix).flatten() for matrix in matrices])
    columns, rows = (permutation_images(each, elements) for each in (source, target))
    if columns is not None and rows is not None:
        return _orbits(rows, columns, origins.argsort(1), size)
    shape = (target.dimension, source.dimension, size, size)
    unknowns = target.dimension * source.dimension * size * size
    average = torch.zeros(unknowns, unknowns, dtype=torch.float64)
    average = average.reshape(*shape[:2], size * size, *shape[:2], size * size)
    rho_out, rho_in = target.matrix_unchecked(elements), source.matrix_unchecked(elements)
    there = torch.arange(size * size)
    for k in range(len(elements)):
        turned = torch.einsum("ij,lk->iljk", rho_out[k], rho_in[k]) / len(elements)
        average[:, :, there, :, :, origins[k]] += turned
    return DenseBasis(image_basis(average.reshape(unknowns, unknowns)).reshape(-1, *shape))


def _orbits(rows: Tensor, columns: Tensor, taps: Tensor, size: int) -> OrbitBasis:
    """Entries (row, column, tap) that some element carries into each other have one label."""
    entries = rows[:, :, None, None] * columns.shape[1] + columns[:, None, :, None]
    entries = entries * size * size + taps[:, None, None, :]
    first, labels = torch.unique(entries.amin(0), return_inverse=True)
    shape = (rows.shape[1], columns.shape[1], size, size)
    return OrbitBasis(labels.reshape(shape), len(first))


def _grid_group(representation: Representation) -> FiniteGroup[Any]:
    group = representation.group
    planar = getattr(group, "degree", None) == 2
    if isinstance(group, FiniteGroup) and planar and is_on_grid(group):
        return group
    raise InputError(
        "a kernel of free pixels needs a finite group of quarter turns and reflections of the "
        f"plane, got a representation of {group.name}; use harmonic_kernel_basis, or "
        'SteerableConv2d with kernel="harmonics"'
    )
