"""Equivariant kernels for any rotation angle, from circular harmonics."""

from typing import Any

import torch
from torch import Tensor

from goldstone.nn.averaged_coefficients import averaged_coefficients
from goldstone.nn.block_bases import BlockBasis, DenseBasis
from goldstone.nn.circular_harmonics import CircularHarmonics, harmonic_action
from goldstone.nn.planar_elements import check_planar, frequency_bound, planar_elements
from goldstone.nn.turned_kernels import turned_kernel_basis
from goldstone.representations import Representation


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
    turned = turned_kernel_basis(source, target, filters)
    return DenseBasis(_averaged(source, target, filters)) if turned is None else turned


def _averaged(source: Representation, target: Representation, filters: CircularHarmonics) -> Tensor:
    """K(p) = Σ_jfa C_jf[o, i, a] R_jf(|p|) Y_fa(p) with C_jf in Hom_G(source ⊗ H_f, target)."""
    group: Any = source.group
    frequencies = filters.frequencies
    band = frequency_bound(source) + frequency_bound(target) + frequencies[-1]
    elements = planar_elements(group, band)
    matrices = group.matrices(elements).double()
    found = []
    for f in frequencies:
        invariant = averaged_coefficients(source, target, elements, harmonic_action(matrices, f))
        kernels = torch.einsum(
            "noia,jxy,axy->njoixy", invariant, filters.rings(f), filters.angular(f)
        )
        found.append(kernels.flatten(0, 1))
    return torch.cat(found)
