"""Band-limited equivariant kernels against published dimensions, other routes and the law."""

import json
from pathlib import Path

import pytest
import torch

from goldstone.core import InputError
from goldstone.groups import (
    CyclicGroup,
    DihedralGroup,
    OrthogonalGroup,
    SpecialOrthogonalGroup,
    SymmetricGroup,
    group_named,
)
from goldstone.nn import harmonic_kernel_basis
from goldstone.nn.circular_harmonics import CircularHarmonics
from goldstone.nn.harmonic_kernels import _averaged
from goldstone.representations import (
    O2Irrep,
    RegularRepresentation,
    SO2Irrep,
    StandardRepresentation,
    TrivialRepresentation,
    irreps,
)

GOLDEN = json.loads(
    (Path(__file__).parents[1] / "golden" / "steerable_kernels.json").read_text(encoding="utf-8")
)
SIZE = 9


def ring_dimension(source, target, most):
    """Of the kernels on one ring with frequencies up to ``most``."""
    filters = CircularHarmonics(SIZE)
    total = before = 0
    for f in range(most + 1):
        count = len(harmonic_kernel_basis(source, target, SIZE, f))
        rings = len(filters.rings(f))
        assert (count - before) % rings == 0
        total, before = total + (count - before) // rings, count
    return total


def test_dimensions_between_irreps_of_the_continuous_groups():
    for (k,), (m,), expected in GOLDEN["continuous"]["SO(2)"]:
        if k + m <= 4:
            assert ring_dimension(SO2Irrep(k), SO2Irrep(m), k + m) == expected
    for (i, k), (j, m), expected in GOLDEN["continuous"]["O(2)"]:
        if k + m <= 4:
            source, target = (
                O2Irrep(k, 1 if i == 0 or k else -1),
                O2Irrep(m, 1 if j == 0 or m else -1),
            )
            assert ring_dimension(source, target, k + m) == expected


@pytest.mark.parametrize(("name", "frequency", "expected"), GOLDEN["discrete"])
def test_dimensions_between_regular_representations(name, frequency, expected):
    regular = RegularRepresentation(group_named(name))
    assert ring_dimension(regular, regular, frequency) == expected


def kernels_beyond_the_grid(basis, size, matrix):
    """The basis' kernels at the taps turned by a matrix: (kernel, out, in, tap).

    A kernel is Σ c R_jf(|p|) Y_f(p); the c are fitted at the taps, and must fit. Turning a tap
    leaves |p|, so that it is Y_f alone that is evaluated off the grid.
    """
    filters = CircularHarmonics(size)
    axis = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    taps = torch.cartesian_prod(axis, axis)

    def functions(points):
        angle = torch.atan2(points[:, 1], points[:, 0])
        found = []
        for f in filters.frequencies:
            for ring in filters.rings(f).flatten(1):
                waves = (f * angle).cos(), (f * angle).sin()
                found += [ring * wave for wave in waves[: 2 if f else 1]]
        return torch.stack(found).T

    values = basis.flatten(3).reshape(-1, size * size).T
    fit = torch.linalg.lstsq(functions(taps), values).solution
    torch.testing.assert_close(functions(taps) @ fit, values, atol=1e-10, rtol=0)
    turned = functions(taps @ matrix.T) @ fit
    return turned.T.reshape(*basis.shape[:3], -1)


def pairs():
    c8, d5 = CyclicGroup(8), DihedralGroup(5)
    so2, o2 = SpecialOrthogonalGroup(2), OrthogonalGroup(2)
    return [
        (RegularRepresentation(c8), RegularRepresentation(c8)),
        (RegularRepresentation(d5), RegularRepresentation(d5)),
        (StandardRepresentation(d5), RegularRepresentation(d5)),
        (RegularRepresentation(d5), StandardRepresentation(d5)),
        (StandardRepresentation(d5), StandardRepresentation(d5)),
        (TrivialRepresentation(c8), irreps(c8)[2]),
        (StandardRepresentation(so2), SO2Irrep(2)),
        (O2Irrep(1), O2Irrep(2)),
        (StandardRepresentation(o2), O2Irrep(0, -1)),
    ]


@pytest.mark.parametrize("size", [3, 4, 5])
@pytest.mark.parametrize(("source", "target"), pairs())
def test_the_law_at_any_angle(source, target, size):
    """K(g·p) = ρ_out(g) K(p) ρ_in(g)⁻¹ for the kernels as functions on the plane."""
    generator = torch.Generator().manual_seed(0)
    basis = harmonic_kernel_basis(source, target, size)
    assert len(basis)
    for g in source.group.sample(generator, (4,)):
        after = kernels_beyond_the_grid(basis, size, source.group.matrices(g))
        expected = torch.einsum(
            "ij,njkp,lk->nilp", target.matrix(g), basis.flatten(3), source.matrix(g)
        )
        torch.testing.assert_close(after, expected, atol=1e-9, rtol=0)


@pytest.mark.parametrize("group", [CyclicGroup(3), CyclicGroup(8), DihedralGroup(3)])
def test_both_routes_span_the_same_kernels(group):
    regular, vector = RegularRepresentation(group), StandardRepresentation(group)
    for source, target in ((regular, regular), (regular, vector), (vector, regular)):
        basis = harmonic_kernel_basis(source, target, 3).flatten(1)
        other = _averaged(source, target, CircularHarmonics(3)).flatten(1)
        assert basis.shape == other.shape
        together = torch.linalg.matrix_rank(torch.cat((basis, other)))
        assert together == len(basis) == torch.linalg.matrix_rank(basis)


@pytest.mark.parametrize(("source", "target"), pairs()[:6])
def test_orthonormal_where_the_group_turns_often_enough(source, target):
    flat = harmonic_kernel_basis(source, target, 5).flatten(1)
    torch.testing.assert_close(flat @ flat.T, torch.eye(len(flat), dtype=torch.float64))


def test_groups_not_of_the_plane_are_refused():
    for representation in (
        RegularRepresentation(SymmetricGroup(3)),
        StandardRepresentation(OrthogonalGroup(3)),
    ):
        with pytest.raises(InputError, match="rotations and reflections of the plane"):
            harmonic_kernel_basis(representation, representation, 3)
