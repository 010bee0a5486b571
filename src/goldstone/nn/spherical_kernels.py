"""Equivariant kernels for any rotation of space, from spherical harmonics."""

from math import sqrt
from typing import Any

import torch
from torch import Tensor

from goldstone.groups import FiniteGroup, OrthogonalGroup
from goldstone.nn.averaged_coefficients import averaged_coefficients
from goldstone.nn.block_bases import BlockBasis, DenseBasis
from goldstone.nn.spatial_elements import check_spatial
from goldstone.nn.spherical_filters import SphericalFilters
from goldstone.nn.turned_kernels import turned_kernel_basis
from goldstone.representations import (
    O3Irrep,
    Representation,
    SO3Irrep,
    clebsch_gordan,
    wigner_matrices,
)


def spherical_kernel_basis(
    source: Representation,
    target: Representation,
    size: int,
    max_degree: int | None = None,
) -> Tensor:
    """A basis of the band-limited kernels with K(g·p) = ρ_out(g) K(p) ρ_in(g)⁻¹ for all g.

    The kernels are sums of spherical harmonics on Gaussian shells (:class:`SphericalFilters`), so p
    may be any point of space and g any element of SO(3) or O(3), or of a finite group of space:
    for irreps and a harmonic of degree l on a shell their coefficients are those of Clebsch and
    Gordan (Weiler et al. 2018, "3D steerable CNNs"). What is lost is only that the voxels
    sample the kernel. Quarter turns are exact.

    Returns:
        float64 (basis, target dimension, source dimension, size, size, size), orthonormal in the
        mean over rotations.

    Raises:
        InputError: the group is not of space.
    """
    return spherical_basis(source, target, SphericalFilters(size, max_degree)).dense()


def spherical_basis(
    source: Representation, target: Representation, filters: SphericalFilters
) -> BlockBasis:
    """:func:`spherical_kernel_basis` in the form that is cheapest to combine.

    Into or out of the regular representation kernels are free on one component, and the others are
    their turned copies.
    """
    group: Any = source.group
    check_spatial(group)
    if not isinstance(group, FiniteGroup):
        return DenseBasis(_coupled(source, target, filters))
    turned = turned_kernel_basis(source, target, filters)
    return DenseBasis(_averaged(source, target, filters)) if turned is None else turned


def _coupled(source: Representation, target: Representation, filters: SphericalFilters) -> Tensor:
    """K(p)_oi = Σ_m C[n, i, m, o] R_j(|p|) Y_lm(p), C the products of source and harmonics."""
    found = []
    for degree in filters.degrees:
        products = clebsch_gordan(source, _harmonic(source.group, degree), target)
        # Of norm √dim(target); the mean of Y_lm Y_lm′ over rotations is δ.
        products = products / sqrt(target.dimension)
        found.append(_kernels(products.permute(0, 3, 1, 2), filters.filters[degree]))
    return torch.cat(found)


def _averaged(source: Representation, target: Representation, filters: SphericalFilters) -> Tensor:
    """The same for a finite group, with C in Hom_G(source ⊗ H_l, target) by averaging."""
    group: Any = source.group
    elements = group.element_tensor()
    matrices = group.matrices(elements).double()
    found = []
    for degree, action in enumerate(wigner_matrices(filters.degrees[-1], matrices)):
        invariant = averaged_coefficients(source, target, elements, action)
        found.append(_kernels(invariant, filters.filters[degree]))
    return torch.cat(found)


def _kernels(coefficients: Tensor, filters: Tensor) -> Tensor:
    """Coefficients (n, out, in, 2l + 1) on every shell, (n·shells, out, in, size, size, size)."""
    return torch.einsum("noia,jaxyz->njoixyz", coefficients, filters).flatten(0, 1)


def _harmonic(group: Any, degree: int) -> Representation:
    """The representation of the spherical harmonics of one degree."""
    if isinstance(group, OrthogonalGroup):
        return O3Irrep(degree, (-1) ** degree)
    return SO3Irrep(degree)
