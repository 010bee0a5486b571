"""Equivariant kernels for any rotation angle, from circular harmonics."""

from typing import Any

import torch
from torch import Tensor

from goldstone.nn.block_bases import BlockBasis, DenseBasis
from goldstone.nn.circular_harmonics import CircularHarmonics, harmonic_action
from goldstone.nn.planar_elements import check_planar, frequency_bound, planar_elements
from goldstone.nn.rotated_filters import RotatedFilters
from goldstone.representations import RegularRepresentation, Representation, image_basis
from goldstone.representations.intertwiners import permutation_images


def harmonic_kernel_basis(
    source: Representation,
    target: Representation,
    size: int,
    max_frequency: int | None = None,
) -> Tensor:
    """A basis of the band-limited kernels with K(g·p) = ρ_out(g) K(p) ρ_in(g)⁻¹ for all g.

    The kernels are sums of circular harmonics on Gaussian rings (:class:`CircularHarmonics`), so p
    may be any point of the plane and g any rotation or reflection: of C_n and D_n of any order, and
    of SO(2) and O(2) (Weiler & Cesa 2019, "General E(2)-equivariant steerable CNNs"). What is lost
    is only that the grid samples the kernel. Quarter turns are exact.

    Returns:
        float64 (basis, target dimension, source dimension, size, size), orthonormal in the mean
        over rotations.

    Raises:
        InputError: the group is not of the plane.
    """
    return harmonic_basis(source, target, CircularHarmonics(size, max_frequency)).dense()


def harmonic_basis(
    source: Representation, target: Representation, filters: CircularHarmonics
) -> BlockBasis:
    """:func:`harmonic_kernel_basis` in the form that is cheapest to combine.

    Into or out of the regular representation kernels are free on one component, and the others are
    their turned copies (Frobenius reciprocity); elsewhere an average over the group of the
    coefficients, for each frequency, gives them.
    """
    group: Any = source.group
    check_planar(group)
    if isinstance(target, RegularRepresentation):
        if isinstance(source, RegularRepresentation):
            return _regular_to_regular(source, filters)
        return DenseBasis(_to_regular(source, filters))
    if isinstance(source, RegularRepresentation):
        # The transposed kernels are equivariant from target to source.
        return DenseBasis(_to_regular(target, filters).transpose(1, 2))
    return DenseBasis(_averaged(source, target, filters))


def _regular_to_regular(regular: Representation, filters: CircularHarmonics) -> RotatedFilters:
    """K[g, h](p) = Σ_b c[g⁻¹h, b] B_b(g⁻¹p)."""
    group: Any = regular.group
    elements = group.element_tensor()
    origins = permutation_images(regular, group.inverse(elements))
    if origins is None:
        raise TypeError(f"the regular representation of {group.name} permutes")
    return RotatedFilters(filters.turned(group.matrices(elements)), origins)


def _to_regular(source: Representation, filters: CircularHarmonics) -> Tensor:
    """K[g, i](p) = Σ c[i′, b] ρ_in(g⁻¹)[i′, i] B_b(g⁻¹p), the coefficients one at a time."""
    group: Any = source.group
    elements = group.element_tensor()
    turned = filters.turned(group.matrices(elements)) / group.order**0.5
    rho = source.matrix_unchecked(group.inverse(elements))
    return torch.einsum("gmi,gbxy->mbgixy", rho, turned).flatten(0, 1)


def _averaged(source: Representation, target: Representation, filters: CircularHarmonics) -> Tensor:
    """K(p) = Σ_jfa C_jf[o, i, a] R_jf(|p|) Y_fa(p) with C_jf in Hom_G(source ⊗ H_f, target)."""
    group: Any = source.group
    frequencies = filters.frequencies
    band = frequency_bound(source) + frequency_bound(target) + frequencies[-1]
    elements = planar_elements(group, band)
    matrices = group.matrices(elements).double()
    rho_out, rho_in = target.matrix_unchecked(elements), source.matrix_unchecked(elements)
    found = []
    for f in frequencies:
        action = harmonic_action(matrices, f)
        # Real orthogonal representations: C ↦ ρ_out C (ρ_in ⊗ H)ᵀ.
        mean = torch.einsum("goO,giI,gaA->oiaOIA", rho_out, rho_in, action) / len(elements)
        shape = mean.shape[:3]
        invariant = image_basis(mean.reshape(shape.numel(), -1)).reshape(-1, *shape)
        kernels = torch.einsum(
            "noia,jxy,axy->njoixy", invariant, filters.rings(f), filters.angular(f)
        )
        # Means of cos² are 1/2, those of a pair of them and its ring 1.
        found.append(kernels.flatten(0, 1))
    return torch.cat(found)
