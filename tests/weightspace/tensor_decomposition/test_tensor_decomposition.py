"""Symmetric tensor decomposition: the loss, isotropy subgroups, spectra, the catalogue."""

from itertools import permutations, product
from math import factorial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from goldstone.core import InputError, from_json, generator, to_json
from goldstone.representations import PermutationRepresentation, decompose
from goldstone.testing import check_representation_laws
from goldstone.weightspace.tensor_decomposition import (
    Catalogue,
    EntryPermutations,
    SymmetricTensorDecomposition,
    critical_point,
    diagonal_subgroup,
    find_critical_points,
    fixed_point_space,
    isotropy_subgroup,
    isotypic_spectrum,
)
from goldstone.weightspace.tensor_decomposition.fixed_points import whole_space
from goldstone.weightspace.tensor_decomposition.search import RestrictedLoss


def matrix(k, d, seed=0):
    return torch.randn(k, d, dtype=torch.float64, generator=generator(seed, "matrix"))


def delta(d, a, b):
    """aI + b(J − I)."""
    return (a - b) * torch.eye(d, dtype=torch.float64) + b


@pytest.mark.parametrize(("n", "k", "d"), [(2, 3, 3), (3, 4, 3), (3, 2, 4), (4, 3, 2), (5, 2, 2)])
def test_loss_is_the_norm_of_the_tensor_and_derivatives_are_its(n, k, d):
    problem, w = SymmetricTensorDecomposition(d, order=n, components=k), matrix(k, d)
    tensor = torch.zeros([d] * n, dtype=torch.float64)
    for places in product(range(d), repeat=n):
        value = sum(np.prod([float(w[i, p]) for p in places]) for i in range(k))
        tensor[places] = value - float(len(set(places)) == 1)
    torch.testing.assert_close(problem.loss(w), tensor.square().sum())
    torch.testing.assert_close(problem.gradient(w), torch.func.grad(problem.loss)(w))
    hessian = torch.func.hessian(problem.loss)(w).reshape(k * d, k * d)
    torch.testing.assert_close(problem.hessian(w), hessian)
    batch = torch.stack((w, 2 * w))
    torch.testing.assert_close(problem.loss(batch)[1], problem.loss(2 * w))
    torch.testing.assert_close(problem.gradient(batch)[1], problem.gradient(2 * w))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_the_symmetry_group_acts(seed):
    random = generator(seed)
    problem, w = SymmetricTensorDecomposition(4, components=3), matrix(3, 4, seed)
    rows = torch.randperm(3, generator=random)
    columns = torch.randperm(4, generator=random)
    moved = w[rows][:, columns]
    torch.testing.assert_close(problem.loss(moved), problem.loss(w))
    torch.testing.assert_close(problem.gradient(moved), problem.gradient(w)[rows][:, columns])


def stabiliser_by_listing(w):
    """All pairs of permutations, one by one."""
    k, d = w.shape
    return {
        (*rows, *(k + j for j in columns))
        for rows in permutations(range(k))
        for columns in permutations(range(d))
        # (g, h) moves the entry (i, j) to (g(i), h(j)).
        if all(w[rows[i], columns[j]] == w[i, j] for i in range(k) for j in range(d))
    }


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.integers(0, 10_000))
def test_isotropy_subgroups_agree_with_a_listing(k, d, values, seed):
    w = torch.randint(values, (k, d), generator=generator(seed)).double()
    found = isotropy_subgroup(w)
    expected = stabiliser_by_listing(w)
    assert set(found.group.elements()) == expected
    assert found.order == len(expected)
    orbits = {tuple(sorted({a[i] for a in expected})) for i in range(k)}
    assert set(found.row_orbits) == orbits


NAMES = [
    (torch.eye(5), "ΔS5", 120),
    (torch.ones(5, 5), "S5×S5", factorial(5) ** 2),
    (torch.ones(2, 3), "S2×S3", 12),
    (torch.diag(torch.tensor([1.0, 1, 1, 1, 0])), "Δ(S4×S1)", 24),
    (torch.diag(torch.tensor([1.0, 1, 2, 2])), "Δ(S2×S2)", 4),
    (torch.diag(torch.tensor([1.0, 1, 1, 0, 0])), "ΔS3×S2×S2", 24),
    (torch.block_diag(torch.ones(4, 4), torch.eye(2)), "ΔS2×S4×S4", 1152),
    (torch.block_diag(torch.ones(3, 1), torch.ones(2, 4)), "S3×S2×S4", 288),
    (torch.arange(12.0).reshape(3, 4), "1", 1),
    (torch.tensor([[0.0, 1, 2], [2, 0, 1], [1, 2, 0]]), "C3", 3),
    (torch.eye(10) + 0.5, "ΔS10", factorial(10)),
]


@pytest.mark.parametrize(("w", "name", "order"), NAMES, ids=[name for _, name, _ in NAMES])
def test_names_of_isotropy_subgroups(w, name, order):
    rows = torch.randperm(len(w), generator=generator(1))
    found = isotropy_subgroup(w[rows].double() + 1e-8 * matrix(*w.shape))
    assert (found.name, found.order) == (name, order)
    assert found.spread < 1e-6
    assert found.gap is None or found.gap > 1e-6


def test_tolerance_is_shown_by_the_gap():
    w = torch.diag(torch.tensor([1.0, 1.0, 1.001], dtype=torch.float64))
    fine, coarse = isotropy_subgroup(w, 1e-6), isotropy_subgroup(w, 1e-2)
    assert (fine.name, coarse.name) == ("Δ(S2×S1)", "ΔS3")
    assert fine.gap == pytest.approx(1e-3)
    assert coarse.spread == pytest.approx(1e-3)


def test_fixed_point_spaces():
    space = fixed_point_space(diagonal_subgroup((4,), 4, 4))
    assert space.dimension == 2
    torch.testing.assert_close(
        space.embed(torch.tensor([2.0, 3.0], dtype=torch.float64)), delta(4, 2, 3)
    )
    w = matrix(4, 4)
    subgroup = diagonal_subgroup((2, 1), 4, 4)
    space = fixed_point_space(subgroup)
    mean = torch.zeros_like(w)
    for a in subgroup.group.elements():
        moved = torch.empty_like(w)
        for i, j in product(range(4), range(4)):
            moved[a[i], a[4 + j] - 4] = w[i, j]
        mean += moved / subgroup.order
    torch.testing.assert_close(space.embed(space.project(w)), mean)
    # Gradients at fixed points are fixed: symmetric criticality.
    problem = SymmetricTensorDecomposition(4)
    slope = problem.gradient(mean)
    torch.testing.assert_close(space.embed(space.project(slope)), slope)


@pytest.mark.parametrize(
    "space", [whole_space(3, 4), fixed_point_space(diagonal_subgroup((3,), 3, 4))]
)
def test_restricted_losses_have_the_right_derivatives(space):
    problem = SymmetricTensorDecomposition(4, order=4, components=3)
    restricted = RestrictedLoss(problem, space)
    x = torch.randn(space.dimension, dtype=torch.float64, generator=generator(0))

    def loss(y):
        w = space.embed(y)
        return problem.loss(w) + 0.3 * w.square().sum()

    value, slope = restricted.value_and_gradient(x.numpy(), 0.3)
    assert value == pytest.approx(float(loss(x)))
    np.testing.assert_allclose(slope, torch.func.grad(loss)(x))
    plain = torch.func.hessian(lambda y: problem.loss(space.embed(y)))(x)
    np.testing.assert_allclose(restricted.hessian(x.numpy()), plain, atol=1e-9)


def test_entry_permutations_are_a_representation():
    group = diagonal_subgroup((3,), 3, 4).group
    representation = EntryPermutations(group, 3)
    check_representation_laws(representation)
    w = matrix(3, 4)
    g = group.tensor(group.generators())[1]
    moved = (representation.matrix(g) @ w.flatten()).reshape(3, 4)
    for i, j in product(range(3), range(4)):
        assert moved[g[i], g[3 + j] - 3] == w[i, j]


def multiplicities(spectrum):
    return sorted((part.dimension, len(part.eigenvalues)) for part in spectrum)


@pytest.mark.parametrize("d", [4, 5, 6])
def test_matrices_split_into_seven_irreps_of_the_symmetric_group(d):
    """M(d, d) = 2·trivial + 3·standard + Λ² + S^{(d−2,2)}."""
    spectrum = isotypic_spectrum(torch.eye(d * d), diagonal_subgroup((d,), d, d))
    pair, square = (d - 1) * (d - 2) // 2, d * (d - 3) // 2
    assert multiplicities(spectrum) == sorted([(1, 2), (d - 1, 3), (pair, 1), (square, 1)])
    assert [part.trivial for part in spectrum] == [True, False, False, False]


def test_isotypic_eigenvalues_are_those_of_the_hessian_and_of_the_irreps():
    w = torch.diag(torch.tensor([1.0, 1, 1, 2], dtype=torch.float64)) + 0.1
    problem, subgroup = SymmetricTensorDecomposition(4), isotropy_subgroup(w)
    hessian = problem.hessian(w)
    spectrum = isotypic_spectrum(hessian, subgroup)
    every = sorted(v for part in spectrum for v in part.eigenvalues for _ in range(part.dimension))
    torch.testing.assert_close(torch.tensor(every).double(), torch.linalg.eigvalsh(hessian))
    # Oracle: the decomposition of the table of permutations by characters.
    group = subgroup.group
    space = EntryPermutations(group, 4)
    images = space.images_of(group.tensor(group.generators())).tolist()
    parts = decompose(PermutationRepresentation(group, images))
    assert multiplicities(spectrum) == sorted((i.dimension, m) for i, m in parts.components)
    for irrep, _ in parts.components:
        basis = torch.linalg.svd(parts.isotypic_projector(irrep))
        columns = basis.U[:, basis.S > 0.5]
        values = torch.linalg.eigvalsh(columns.mT @ hessian @ columns)[:: irrep.dimension]
        assert any(
            part.dimension == irrep.dimension
            and len(part.eigenvalues) == len(values)
            and np.allclose(part.eigenvalues, values)
            for part in spectrum
        )


def test_irreps_of_complex_type_come_in_pairs():
    w = torch.tensor([[0.0, 1, 2], [2, 0, 1], [1, 2, 0]], dtype=torch.float64)
    hessian = SymmetricTensorDecomposition(3).hessian(w)
    spectrum = isotypic_spectrum(hessian, isotropy_subgroup(w))
    every = sorted(v for part in spectrum for v in part.eigenvalues for _ in range(part.dimension))
    torch.testing.assert_close(torch.tensor(every).double(), torch.linalg.eigvalsh(hessian))
    assert multiplicities(spectrum) == [(1, 3)] * 3


def rounded(point):
    """Eigenvalues with multiplicities, equal ones joined."""
    found = {}
    for value, count in point.eigenvalues:
        key = round(value, 6) + 0.0
        found[key] = found.get(key, 0) + count
    return found


def test_golden_identity_and_constant_matrix():
    problem = SymmetricTensorDecomposition(5)
    identity = critical_point(problem, torch.eye(5))
    assert identity.loss == pytest.approx(0, abs=1e-12)
    assert rounded(identity) == {6.0: 20, 18.0: 5}
    assert (identity.index, identity.nullity, identity.isotropy.name) == (0, 0, "ΔS5")
    constant = critical_point(problem, torch.full((5, 5), 0.2, dtype=torch.float64))
    assert constant.loss == pytest.approx(5 - 1 / 5)
    assert rounded(constant) == {-2.4: 16, -1.2: 4, 0.0: 4, 3.6: 1}
    assert (constant.index, constant.nullity, constant.isotropy.name) == (20, 4, "S5×S5")


@pytest.mark.parametrize(
    ("d", "diagonal", "off", "loss", "index"),
    [(6, -0.1614, 0.2631, 5.4792, 24), (10, -0.1182, 0.1384, 9.7781, 80)],
)
def test_golden_saddles_with_all_permutations(d, diagonal, off, loss, index):
    problem = SymmetricTensorDecomposition(d)
    found = find_critical_points(
        problem, 16, seed=0, kind="critical points", within=diagonal_subgroup((d,), d, d)
    )
    assert found.searched == f"ΔS{d}"
    [point] = [e.point for e in found.entries if e.point.loss == pytest.approx(loss, abs=1e-4)]
    assert point.isotropy.name == f"ΔS{d}"
    assert (point.index, point.nullity) == (index, 0)
    assert float(point.matrix[0, 0]) == pytest.approx(diagonal, abs=1e-4)
    assert float(point.matrix[0, 1]) == pytest.approx(off, abs=1e-4)
    if d == 6:
        assert [count for _, count in point.eigenvalues] == [10, 9, 5, 5, 1, 5, 1]
        assert [count for value, count in point.eigenvalues if value < 0] == [10, 9, 5]


def test_golden_minima_of_random_starts():
    """Of 200 starts the source finds losses 0 (114), 1 (75) and 2 (10); here 40 starts."""
    found = find_critical_points(SymmetricTensorDecomposition(5), 40, seed=0)
    shares = {round(e.point.loss, 6): e.count / 40 for e in found.entries}
    assert set(shares) <= {0.0, 1.0, 2.0}
    assert abs(shares[0.0] - 0.57) < 0.2
    assert abs(shares[1.0] - 0.375) < 0.2
    best, second = (entry.point for entry in found.entries[:2])
    assert (best.isotropy.name, best.nullity) == ("ΔS5", 0)
    # One target is missed and one row is spare: a degenerate set, found at its shortest point.
    assert second.nullity > 0
    assert second.isotropy.name == "Δ(S4×S1)"
    singular = torch.linalg.svdvals(second.matrix)
    torch.testing.assert_close(singular, torch.tensor([1.0, 1, 1, 1, 0]).double())
    assert found.unconverged + sum(e.count for e in found.entries) == 40
    assert from_json(Catalogue, to_json(found)) == found


def test_searches_do_not_depend_on_the_number_of_starts():
    problem = SymmetricTensorDecomposition(3)
    few, more = (find_critical_points(problem, n, seed=3) for n in (4, 8))
    assert few.entries[0].count <= more.entries[0].count
    assert few.entries[0].point.weights in {e.point.weights for e in more.entries}


def test_bad_input():
    problem = SymmetricTensorDecomposition(3)
    with pytest.raises(InputError, match="an order ≥ 2"):
        SymmetricTensorDecomposition(3, order=1)
    with pytest.raises(InputError, match=r"shape \(\*batch, 3, 3\), got"):
        problem.loss(torch.zeros(2, 3))
    with pytest.raises(InputError, match="gradient of norm"):
        critical_point(problem, matrix(3, 3))
    with pytest.raises(InputError, match="one or more starts"):
        find_critical_points(problem, 0, seed=0)
    with pytest.raises(InputError, match="one of minima, critical points"):
        find_critical_points(problem, 1, seed=0, kind="maxima")
    with pytest.raises(InputError, match="permutes 4 rows"):
        find_critical_points(problem, 1, seed=0, within=diagonal_subgroup((2,), 4, 4))
    with pytest.raises(InputError, match="add up to at most 3"):
        diagonal_subgroup((2, 2), 3, 4)
    with pytest.raises(InputError, match="finite matrix"):
        isotropy_subgroup(torch.full((2, 2), torch.nan))
    with pytest.raises(InputError, match="tolerance > 0"):
        isotropy_subgroup(torch.eye(2), 0)
    with pytest.raises(InputError, match="does not commute with ΔS3"):
        isotypic_spectrum(problem.hessian(matrix(3, 3)), diagonal_subgroup((3,), 3, 3))
    with pytest.raises(InputError, match=r"expected a matrix \(9, 9\)"):
        isotypic_spectrum(torch.eye(4), diagonal_subgroup((3,), 3, 3))
    with pytest.raises(InputError, match=r"coordinates \(\*batch, 2\)"):
        fixed_point_space(diagonal_subgroup((3,), 3, 3)).embed(torch.zeros(3))
