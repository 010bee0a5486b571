"""The equivariant kernels of a convolution with a group of the grid, by group averaging."""

from typing import Any

import torch
from torch import Tensor

from goldstone.actions import move_grid
from goldstone.core import InputError
from goldstone.groups import FiniteGroup
from goldstone.nn.block_bases import BlockBasis, DenseBasis, OrbitBasis
from goldstone.nn.planar_elements import is_on_grid
from goldstone.representations import RegularRepresentation, Representation, image_basis
from goldstone.representations.intertwiners import permutation_images


def kernel_basis(source: Representation, target: Representation, size: int) -> Tensor:
    """An orthonormal basis of the kernels K with K(g·p) = ρ_out(g) K(p) ρ_in(g)⁻¹.

    Returns a float64 tensor (basis, target dimension, source dimension, size, size), with one more
    axis in space; p runs over the kernel's taps about its centre, so odd and even sizes both work.
    Computed as the image of the projector P = mean_g [K ↦ ρ_out(g) K(g⁻¹·) ρ_in(g)⁻¹].

    Raises:
        InputError: the group is no finite group that maps the grid of the plane or of space onto
            itself; see :func:`harmonic_kernel_basis` for the others.
    """
    return pixel_basis(source, target, size).dense()


def pixel_basis(source: Representation, target: Representation, size: int) -> BlockBasis:
    """:func:`kernel_basis` in the form that is cheapest to combine.

    Between permutation representations the group permutes the entries of the kernel, and the basis
    is that of their orbits.
    """
    group: Any = _grid_group(source)
    elements = group.element_tensor()
    grid = (size,) * group.degree
    count = size**group.degree
    taps = torch.arange(count).reshape(grid)
    # Row g: the tap that the value at each tap comes from.
    matrices = group.matrices(elements).round()
    moved = [move_grid(taps, matrix).flatten() for matrix in matrices]
    origins = torch.stack(moved)
    columns, rows = (permutation_images(each, elements) for each in (source, target))
    if columns is not None and rows is not None:
        return _orbits(rows, columns, origins.argsort(1), grid)
    if group.degree == 3 and isinstance(target, RegularRepresentation):
        return DenseBasis(_to_regular(source, origins, grid))
    if group.degree == 3 and isinstance(source, RegularRepresentation):
        # The transposed kernels are equivariant from target to source.
        return DenseBasis(_to_regular(target, origins, grid).transpose(1, 2))
    rho_out, rho_in = target.matrix_unchecked(elements), source.matrix_unchecked(elements)
    shape = (target.dimension, source.dimension, *grid)
    unknowns = target.dimension * source.dimension * count
    average = torch.zeros(unknowns, unknowns, dtype=torch.float64)
    average = average.reshape(*shape[:2], count, *shape[:2], count)
    there = torch.arange(count)
    for k in range(len(elements)):
        turned = torch.einsum("ij,lk->iljk", rho_out[k], rho_in[k]) / len(elements)
        average[:, :, there, :, :, origins[k]] += turned
    return DenseBasis(image_basis(average.reshape(unknowns, unknowns)).reshape(-1, *shape))


def _to_regular(source: Representation, origins: Tensor, grid: tuple[int, ...]) -> Tensor:
    """K[g, i](p) = Σ c[i′, q] ρ_in(g⁻¹)[i′, i] δ_q(g⁻¹p), the coefficients one at a time.

    Far cheaper than the projector where the group is large, as in space.
    """
    group: Any = source.group
    rho = source.matrix_unchecked(group.inverse(group.element_tensor()))
    turned = (origins[:, None] == torch.arange(origins.shape[1])[:, None]).double()
    turned = turned.reshape(*turned.shape[:2], *grid) / group.order**0.5
    return torch.einsum("gmi,gb...->mbgi...", rho, turned).flatten(0, 1)


def _orbits(rows: Tensor, columns: Tensor, taps: Tensor, grid: tuple[int, ...]) -> OrbitBasis:
    """Entries (row, column, tap) that some element carries into each other have one label."""
    entries = rows[:, :, None, None] * columns.shape[1] + columns[:, None, :, None]
    entries = entries * taps.shape[1] + taps[:, None, None, :]
    first, labels = torch.unique(entries.amin(0), return_inverse=True)
    shape = (rows.shape[1], columns.shape[1], *grid)
    return OrbitBasis(labels.reshape(shape), len(first))


def _grid_group(representation: Representation) -> FiniteGroup[Any]:
    group = representation.group
    fits = getattr(group, "degree", None) in (2, 3)
    if isinstance(group, FiniteGroup) and fits and is_on_grid(group):
        return group
    raise InputError(
        "a kernel of free pixels needs a finite group of quarter turns and reflections of the "
        f"plane or of space, got a representation of {group.name}; use harmonic_kernel_basis or "
        'spherical_kernel_basis, or kernel="harmonics" in the layer'
    )
