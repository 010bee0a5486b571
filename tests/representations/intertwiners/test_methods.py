"""The pieces: equations, null spaces, orbits, averages, multilinear maps."""

from math import sqrt

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from goldstone.core import InputError
from goldstone.groups import (
    CyclicGroup,
    DihedralGroup,
    LorentzGroup,
    OrthogonalGroup,
    SpecialLinearGroup,
    SpecialOrthogonalGroup,
    SymmetricGroup,
    SymplecticGroup,
)
from goldstone.representations import (
    ChangeOfBasis,
    DirectSum,
    DualRepresentation,
    PermutationRepresentation,
    RegularRepresentation,
    StandardRepresentation,
    TensorProduct,
    TrivialRepresentation,
    intertwiner_basis,
    invariant_vectors,
    irreps,
    multilinear_basis,
    reynolds_average,
    reynolds_projector,
)
from goldstone.representations.intertwiners import (
    IntertwinerConstraints,
    direct_null_space,
    intertwiner_constraints,
    krylov_null_space,
    pair_orbits,
    permutation_images,
)


def constraints_of(seed, complex_entries=False):
    noise = torch.manual_seed(seed)
    dtype = torch.complex128 if complex_entries else torch.float64
    source = torch.randn(2, 3, 3, dtype=dtype, generator=noise)
    target = torch.randn(2, 4, 4, dtype=dtype, generator=noise)
    return IntertwinerConstraints(source, target)


@pytest.mark.parametrize("complex_entries", [False, True])
def test_the_operator_its_matrix_and_its_adjoint(complex_entries):
    c = constraints_of(0, complex_entries)
    noise = torch.manual_seed(1)
    a = torch.randn(5, 4, 3, dtype=c.dtype, generator=noise)
    r = torch.randn(2, 5, 4, 3, dtype=c.dtype, generator=noise)
    applied = c.apply(a)
    expected = torch.stack([b @ a - a @ d for b, d in zip(c.target, c.source, strict=True)])
    torch.testing.assert_close(applied, expected)
    flat = (c.dense() @ a.flatten(1).mT).reshape(2, 12, 5).permute(0, 2, 1)
    torch.testing.assert_close(applied.flatten(2), flat)
    left = (r.conj() * applied).sum()
    right = (c.apply_adjoint(r).conj() * a).sum()
    torch.testing.assert_close(left, right)


def test_random_matrices_have_no_intertwiners():
    c = constraints_of(2)
    assert len(direct_null_space(c).rows) == 0
    assert len(krylov_null_space(c).rows) == 0
    assert not c.is_adjoint_closed()


def test_the_smallest_singular_value_of_both_methods():
    v = StandardRepresentation(SpecialOrthogonalGroup(3))
    c = intertwiner_constraints(TensorProduct(v.group, (v, v)), v)
    values = torch.linalg.svdvals(c.dense())
    smallest = float(values[values > 1e-9].min())
    assert krylov_null_space(c).smallest_nonzero * c.scale == pytest.approx(smallest, rel=1e-6)
    found = direct_null_space(c).smallest_nonzero
    assert found * float(values.max()) == pytest.approx(smallest, rel=1e-9)


@pytest.mark.parametrize("method", [direct_null_space, krylov_null_space])
def test_an_unclear_rank_is_refused(method):
    # Two matrices that commute only up to 1e-8.
    turn = torch.tensor([[0.0, -1.0], [1.0, 0.0]], dtype=torch.float64)
    nearly = turn + 1e-8 * torch.tensor([[1.0, 0.0], [0.0, 0.0]], dtype=torch.float64)
    with pytest.raises(InputError, match=r"singular value|converge"):
        method(IntertwinerConstraints(turn[None], nearly[None]))


def test_matrices_that_do_not_fit():
    with pytest.raises(InputError, match="as many"):
        IntertwinerConstraints(torch.eye(2)[None], torch.eye(2)[None].repeat(2, 1, 1))
    with pytest.raises(InputError, match="finite"):
        IntertwinerConstraints(torch.eye(2)[None] * torch.nan, torch.eye(2)[None])


def slow_orbits(source, target):
    """Labels by search from each pair in turn, one step at a time."""
    m, n = target.shape[1], source.shape[1]
    labels = torch.full((m, n), -1)
    count = 0
    for i in range(m):
        for j in range(n):
            if labels[i, j] >= 0:
                continue
            todo = [(i, j)]
            while todo:
                a, b = todo.pop()
                if labels[a, b] < 0:
                    labels[a, b] = count
                    todo += [(int(t[a]), int(s[b])) for s, t in zip(source, target, strict=True)]
            count += 1
    return labels, count


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 6), st.integers(1, 5), st.integers(1, 3), st.integers(0, 99))
def test_orbits_of_pairs(n, m, c, seed):
    noise = torch.manual_seed(seed)
    source = torch.stack([torch.randperm(n, generator=noise) for _ in range(c)])
    target = torch.stack([torch.randperm(m, generator=noise) for _ in range(c)])
    labels, count = pair_orbits(source, target)
    expected, number = slow_orbits(source, target)
    assert count == number
    assert torch.equal(labels, expected)


def test_permutations_are_found_without_matrices():
    group = DihedralGroup(3)
    regular = RegularRepresentation(group)
    # Generators r and s on the corners of a triangle.
    corners = PermutationRepresentation(group, ((1, 2, 0), (0, 2, 1)))
    trivial = TrivialRepresentation(group)
    product = TensorProduct(group, (corners, regular, trivial))
    total = DirectSum(group, (product, DualRepresentation(corners), regular))
    elements = group.element_tensor()
    for representation in (regular, corners, trivial, product, total):
        images = permutation_images(representation, elements)
        one = torch.eye(representation.dimension, dtype=torch.float64)
        torch.testing.assert_close(one[images].mT, representation.matrix(elements))
    assert permutation_images(StandardRepresentation(group), elements) is None
    mixed = DirectSum(group, (regular, StandardRepresentation(group)))
    assert permutation_images(mixed, elements) is None


def test_averages_over_the_group_by_hand():
    group = SymmetricGroup(3)
    v = StandardRepresentation(group)
    vv = TensorProduct(group, (v, v))
    a = torch.randn(2, 3, 9, dtype=torch.float64, generator=torch.manual_seed(0))
    expected = sum(v(g) @ a @ torch.linalg.inv(vv(g)) for g in group.elements()) / 6
    torch.testing.assert_close(reynolds_average(a, vv, v), expected)
    projector = reynolds_projector(vv, v)
    torch.testing.assert_close(a.flatten(1) @ projector.mT, expected.flatten(1))
    torch.testing.assert_close(projector @ projector, projector)
    torch.testing.assert_close(intertwiner_basis(vv, v).project(a), expected)
    with pytest.raises(InputError, match="finite"):
        reynolds_projector(*[StandardRepresentation(SpecialOrthogonalGroup(3))] * 2)
    with pytest.raises(InputError, match="maps"):
        reynolds_average(a, v, vv)


def test_the_cross_product():
    v = StandardRepresentation(SpecialOrthogonalGroup(3))
    basis = multilinear_basis((v, v), v)
    assert basis.dense().shape == (1, 3, 3, 3)
    x, y = torch.randn(2, 7, 3, dtype=torch.float64, generator=torch.manual_seed(0))
    found = basis(x, y)[:, 0]
    torch.testing.assert_close(found, torch.linalg.cross(x, y) / sqrt(6))
    # It is a pseudovector: with reflections nothing is left.
    v = StandardRepresentation(OrthogonalGroup(3))
    assert len(multilinear_basis((v, v), v)) == 0
    with pytest.raises(InputError, match="2 vectors"):
        basis(x)


def test_invariant_forms():
    def form(group, *sources):
        basis = multilinear_basis(sources, TrivialRepresentation(group))
        assert len(basis) == 1
        return basis.dense()[0, 0]

    v = StandardRepresentation(LorentzGroup())
    metric = torch.diag(torch.tensor([1.0, -1, -1, -1], dtype=torch.float64)) / 2
    torch.testing.assert_close(form(v.group, v, v), metric, atol=1e-12, rtol=0)
    v = StandardRepresentation(SymplecticGroup(2))
    found = form(v.group, v, v)
    torch.testing.assert_close(found, -found.mT, atol=1e-12, rtol=0)
    g = v(v.group.sample(torch.manual_seed(0)))
    torch.testing.assert_close(g.mT @ found @ g, found, atol=1e-9, rtol=1e-9)
    v = StandardRepresentation(SpecialLinearGroup(3))
    determinant = form(v.group, v, v, v)
    columns = torch.randn(3, 3, dtype=torch.float64, generator=torch.manual_seed(1))
    found = torch.einsum("ijk,i,j,k->", determinant, *columns)
    torch.testing.assert_close(found, torch.linalg.det(columns) / sqrt(6))


def test_invariant_vectors_of_any_group():
    group = DihedralGroup(4)
    regular = RegularRepresentation(group)
    expected = torch.full((1, 8), 8**-0.5, dtype=torch.float64)
    torch.testing.assert_close(invariant_vectors(regular), expected)
    assert invariant_vectors(StandardRepresentation(group)).shape == (0, 2)
    # Turns about the third axis leave it alone.
    v = StandardRepresentation(SpecialOrthogonalGroup(3))
    vvv = TensorProduct(v.group, (v, v, v))
    levi_civita = invariant_vectors(vvv)
    assert levi_civita.shape == (1, 27)
    assert levi_civita[0, 5] == pytest.approx(1 / sqrt(6))
    permuted = PermutationRepresentation(CyclicGroup(2), ((1, 0, 2),))
    expected = torch.tensor([[0.5**0.5, 0.5**0.5, 0], [0, 0, 1]], dtype=torch.float64)
    torch.testing.assert_close(invariant_vectors(permuted), expected)


def test_equations_that_hold_of_themselves_to_rounding() -> None:
    """Both sides are 1 but for a rounding error, which must not count as a singular value."""
    one = torch.ones(1, 1, 1, dtype=torch.float64)
    for error in (0.0, 1e-16, -3e-15):
        space = direct_null_space(IntertwinerConstraints(one, one + error))
        assert space.rows.shape == (1, 1)


def test_real_coefficients_of_complex_maps() -> None:
    turn = irreps(CyclicGroup(4), "complex")[2]
    twice = DirectSum(turn.group, (turn, turn))
    unitary = torch.linalg.qr(torch.randn(2, 2, dtype=torch.complex128)).Q
    basis = intertwiner_basis(ChangeOfBasis(twice, unitary), twice)
    for dtype, expected in ((torch.float64, torch.complex128), (torch.float32, torch.complex64)):
        found = basis.combine(torch.ones(4, dtype=dtype))
        assert found.dtype == expected
        torch.testing.assert_close(found, basis.dense().sum(0).to(expected))


def test_wrong_sizes_are_named() -> None:
    plane = StandardRepresentation(DihedralGroup(4))
    with pytest.raises(InputError, match=r"expected maps \(\*batch, 2, 2\)"):
        intertwiner_basis(plane, plane).project(torch.ones(3, 3))
    forms = multilinear_basis((plane, plane), plane)
    for vectors in [(torch.ones(2),), (torch.ones(2), torch.ones(3)), (torch.ones(()),) * 2]:
        with pytest.raises(InputError, match=r"vectors of dimensions \[2, 2\]"):
            forms(*vectors)
