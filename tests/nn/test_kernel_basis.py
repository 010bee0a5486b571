"""Bases of equivariant kernels against the character formula and a slow average."""

from math import cos, pi, sin

import pytest
import torch

from goldstone.core import InputError
from goldstone.groups import CyclicGroup, DihedralGroup, MatrixGroup
from goldstone.nn import SteerableConv2d, kernel_basis
from goldstone.representations import (
    DeterminantRepresentation,
    DirectSum,
    RegularRepresentation,
    StandardRepresentation,
    TrivialRepresentation,
)

KINDS = (
    TrivialRepresentation,
    DeterminantRepresentation,
    StandardRepresentation,
    RegularRepresentation,
)
GROUPS = [CyclicGroup(1), CyclicGroup(2), CyclicGroup(4)] + [DihedralGroup(n) for n in (1, 2, 4)]


def turned_tap(matrix, tap, size):
    """Where a tap of the kernel goes, by its place about the kernel's centre."""
    (a, b), (c, d) = matrix
    x, y = (2 * i - (size - 1) for i in tap)
    return tuple(round((z + size - 1) / 2) for z in (a * x + b * y, c * x + d * y))


def taps(size):
    return [(i, j) for i in range(size) for j in range(size)]


def averaged(kernel, source, target):
    """mean_g ρ_out(g) K(g⁻¹ p) ρ_in(g)⁻¹, one tap at a time."""
    group, size = source.group, kernel.shape[-1]
    result = torch.zeros_like(kernel)
    for g in group.elements():
        for i, j in taps(size):
            k, m = turned_tap(group.matrix(g), (i, j), size)
            turned = target.matrix(g) @ kernel[:, :, i, j] @ source.matrix(g).T
            result[:, :, k, m] += turned / group.order
    return result


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("group", GROUPS, ids=lambda g: g.name)
def test_dimensions_by_characters(group, size):
    # dim Hom = mean_g χ_out(g) χ_in(g) #{taps fixed by g}.
    for source in (kind(group) for kind in KINDS):
        for target in (kind(group) for kind in KINDS):
            expected = sum(
                float(source.matrix(g).trace())
                * float(target.matrix(g).trace())
                * sum(turned_tap(group.matrix(g), tap, size) == tap for tap in taps(size))
                for g in group.elements()
            )
            if source.dimension * target.dimension * size**2 <= 400:
                assert len(kernel_basis(source, target, size)) == round(expected / group.order)


@pytest.mark.parametrize("group", GROUPS, ids=lambda g: g.name)
def test_intertwiners_of_the_regular_representation(group):
    regular = RegularRepresentation(group)
    assert len(kernel_basis(regular, regular, 1)) == group.order


def test_vectors_map_to_vectors_in_one_way():
    vector = StandardRepresentation(DihedralGroup(4))
    basis = kernel_basis(vector, vector, 1)
    torch.testing.assert_close(basis[0, :, :, 0, 0], torch.eye(2, dtype=torch.float64) / 2**0.5)
    assert len(basis) == 1
    # Without reflections a quarter turn commutes too.
    vector = StandardRepresentation(CyclicGroup(4))
    assert len(kernel_basis(vector, vector, 1)) == 2


@pytest.mark.parametrize("size", [1, 2, 3, 4])
@pytest.mark.parametrize("group", [CyclicGroup(4), DihedralGroup(2), DihedralGroup(4)])
def test_the_basis_is_orthonormal_and_spans_the_averages(group, size):
    source = DirectSum(group, (StandardRepresentation(group), DeterminantRepresentation(group)))
    target = RegularRepresentation(group)
    basis = kernel_basis(source, target, size)
    flat = basis.flatten(1)
    torch.testing.assert_close(flat @ flat.T, torch.eye(len(basis), dtype=torch.float64))
    for kernel in basis:
        torch.testing.assert_close(averaged(kernel, source, target), kernel)
    random = torch.randn(basis.shape[1:], dtype=torch.float64, generator=torch.manual_seed(0))
    expected = averaged(random, source, target)
    projected = ((flat @ random.flatten()) @ flat).reshape(random.shape)
    torch.testing.assert_close(projected, expected)


def test_the_basis_is_unique():
    # The first basis kernel is the normalised average of the first unit kernel, and so on: no
    # eigensolver's choice is in it, so saved coefficients mean the same everywhere.
    group = DihedralGroup(4)
    regular = RegularRepresentation(group)
    unit = torch.zeros(8, 8, 3, 3, dtype=torch.float64)
    unit[0, 0, 0, 0] = 1.0
    first = averaged(unit, regular, regular)
    basis = kernel_basis(regular, regular, 3)
    torch.testing.assert_close(basis[0], first / first.norm())


def test_rotations_off_the_grid_are_refused():
    vector = StandardRepresentation(CyclicGroup(3))
    with pytest.raises(InputError, match="quarter turn"):
        kernel_basis(vector, vector, 3)


def test_matrices_that_are_rounded():
    """A quarter turn from cosines is one: kernels are free pixel by pixel, as those of C4."""
    cosine, sine = cos(pi / 2), sin(pi / 2)
    group = MatrixGroup([[[cosine, -sine], [sine, cosine]]])
    regular = RegularRepresentation(group)
    assert len(kernel_basis(regular, regular, 3)) == 36
    assert SteerableConv2d(regular, regular, 3).map_dimension == 36
