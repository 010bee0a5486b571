"""Bases of intertwiners: laws, the Reynolds projector as oracle, and the forms they take."""

import pickle
from math import sqrt

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from goldstone.core import InputError
from goldstone.groups import (
    AlternatingGroup,
    CyclicGroup,
    DihedralGroup,
    GalileiGroup,
    HeisenbergGroup,
    SpecialEuclideanGroup,
    SpecialOrthogonalGroup,
    SpecialUnitaryGroup,
    SymmetricGroup,
    quaternion_group,
)
from goldstone.representations import (
    ChangeOfBasis,
    DeterminantRepresentation,
    DirectSum,
    DualRepresentation,
    RegularRepresentation,
    StandardRepresentation,
    TensorProduct,
    TrivialRepresentation,
    image_basis,
    intertwiner_basis,
    multiple,
    reynolds_projector,
)

METHODS = ["auto", "direct", "isotypic", "krylov"]
GROUPS = [
    CyclicGroup(1),
    CyclicGroup(5),
    DihedralGroup(1),
    DihedralGroup(4),
    DihedralGroup(5),
    SymmetricGroup(3),
    AlternatingGroup(4),
    quaternion_group(),
]


def atoms(group):
    found = [TrivialRepresentation(group), RegularRepresentation(group)]
    if isinstance(group, (CyclicGroup, DihedralGroup)):
        found += [StandardRepresentation(group), DeterminantRepresentation(group)]
    return found


@st.composite
def pairs(draw):
    group = draw(st.sampled_from(GROUPS))

    def one():
        parts = draw(st.lists(st.sampled_from(atoms(group)), min_size=1, max_size=2))
        kind = draw(st.sampled_from([DirectSum, TensorProduct]))
        found = kind(group, tuple(parts))
        return found if found.dimension <= 16 else parts[0]

    return one(), one()


def skewed(representation, seed=0):
    """The same representation in a basis that is not orthogonal."""
    n = representation.dimension
    noise = torch.randn(n, n, dtype=torch.float64, generator=torch.manual_seed(seed))
    return ChangeOfBasis(representation, torch.eye(n, dtype=torch.float64) + 0.3 * noise / sqrt(n))


def check_is_basis(basis, elements):
    maps = basis.dense()
    flat = maps.flatten(1)
    one = torch.eye(len(maps), dtype=flat.dtype)
    torch.testing.assert_close(flat @ flat.mH, one, atol=1e-11, rtol=0)
    v, w = (a.matrix(elements).to(maps.dtype) for a in (basis.source, basis.target))
    moved = w[:, None] @ maps - maps @ v[:, None]
    assert float(moved.abs().max()) < 1e-9 if moved.numel() else True


@settings(max_examples=40, deadline=None)
@given(pairs(), st.sampled_from(METHODS))
def test_the_image_of_the_reynolds_projector(pair, method):
    source, target = pair
    basis = intertwiner_basis(source, target, method)
    expected = image_basis(reynolds_projector(source, target))
    torch.testing.assert_close(basis.dense().flatten(1), expected, atol=1e-10, rtol=0)
    check_is_basis(basis, source.group.element_tensor())
    assert basis.character_dimension == len(basis) == basis.dimension
    torch.testing.assert_close(basis.sparse().to_dense(), basis.dense(), atol=1e-12, rtol=0)


@settings(max_examples=15, deadline=None)
@given(pairs(), st.sampled_from(["auto", "direct", "krylov"]))
def test_representations_that_are_not_orthogonal(pair, method):
    source, target = skewed(pair[0]), skewed(pair[1], 1)
    basis = intertwiner_basis(source, target, method)
    check_is_basis(basis, source.group.element_tensor())
    projector = reynolds_projector(source, target)
    flat = basis.dense().flatten(1)
    # An oblique projector of the same rank that leaves the maps alone has them as its image.
    assert round(float(projector.trace())) == len(basis)
    torch.testing.assert_close(flat @ projector.mT, flat, atol=1e-9, rtol=0)


LIE = [
    (SpecialOrthogonalGroup(3), 3),
    (SpecialUnitaryGroup(2), 3),
    (SpecialOrthogonalGroup(2), 2),
]


@pytest.mark.parametrize(("group", "power"), LIE, ids=lambda a: getattr(a, "name", str(a)))
def test_haar_averages_of_compact_groups(group, power):
    v = StandardRepresentation(group)
    source, target = (TensorProduct(group, (v,) * k) for k in (power, 1))
    basis = intertwiner_basis(source, target)
    noise = torch.manual_seed(3)
    a = torch.randn(target.dimension, source.dimension, dtype=v.dtype, generator=noise)
    elements = group.sample(noise, (20_000,))
    back = source.matrix(group.inverse(elements))
    average = (target.matrix(elements) @ a @ back).mean(0)
    # The entries of the mean of 20,000 have a standard deviation of about 0.01.
    torch.testing.assert_close(average, basis.project(a), atol=0.05, rtol=0)
    check_is_basis(basis, elements[:20])


@pytest.mark.parametrize("method", ["direct", "krylov"])
def test_groups_that_are_not_reductive(method):
    # SE(2) on (x, y, 1): A commutes with translations and turns only if it is a multiple of one.
    v = StandardRepresentation(SpecialEuclideanGroup(2))
    basis = intertwiner_basis(v, v, method)
    one = torch.eye(3, dtype=torch.float64) / sqrt(3)
    torch.testing.assert_close(basis.dense(), one[None], atol=1e-12, rtol=0)
    # What commutes with all upper triangular unipotent 3×3 matrices: a + b E₁₃.
    v = StandardRepresentation(HeisenbergGroup())
    corner = torch.zeros(3, 3, dtype=torch.float64)
    corner[0, 2] = 1.0
    expected = torch.stack((torch.eye(3, dtype=torch.float64) / sqrt(3), corner))
    found = intertwiner_basis(v, v, method)
    torch.testing.assert_close(found.dense(), expected, atol=1e-12, rtol=0)
    with pytest.raises(InputError, match="closed under adjoints"):
        intertwiner_basis(v, v, "isotypic")


@pytest.mark.parametrize(
    "group",
    [SpecialEuclideanGroup(2), SpecialEuclideanGroup(3), GalileiGroup()],
    ids=lambda g: g.name,
)
def test_rotations_first_then_translations(group):
    v = StandardRepresentation(group)
    source = TensorProduct(group, (v, v))
    target = TensorProduct(group, (DualRepresentation(v), v))
    for a, b in ((source, source), (source, target), (target, v)):
        reduced = intertwiner_basis(a, b, "reduced")
        direct = intertwiner_basis(a, b, "direct")
        torch.testing.assert_close(reduced.dense(), direct.dense(), atol=1e-11, rtol=0)
    assert intertwiner_basis(source, TensorProduct(group, (v,) * 4)).method == "reduced"
    heisenberg = StandardRepresentation(HeisenbergGroup())
    with pytest.raises(InputError, match="krylov"):
        intertwiner_basis(heisenberg, heisenberg, "reduced")


def test_larger_representations_agree_between_methods():
    v = StandardRepresentation(SpecialOrthogonalGroup(3))
    source, target = (TensorProduct(v.group, (v,) * k) for k in (3, 4))
    isotypic = intertwiner_basis(source, target)
    assert isotypic.method == "isotypic"
    krylov = intertwiner_basis(source, target, "krylov")
    # The invariants of V⊗⁷: the Riordan numbers 1, 0, 1, 1, 3, 6, 15, 36.
    assert len(isotypic) == len(krylov) == 36
    torch.testing.assert_close(isotypic.dense(), krylov.dense(), atol=1e-10, rtol=0)
    assert isotypic.smallest_nonzero > 1e4 * isotypic.largest_zero
    assert krylov.smallest_nonzero > 1e4 * krylov.largest_zero


def test_sixty_thousand_unknowns():
    v = StandardRepresentation(SpecialOrthogonalGroup(3))
    source = TensorProduct(v.group, (v,) * 5)
    basis = intertwiner_basis(source, source)
    assert len(basis) == 603  # the Riordan number of 10
    assert basis.residual < 1e-10
    # The copies of l = 0 … 5 in V⊗⁵.
    pairs = basis.factorised()
    found = {pair.source.shape[1]: pair.source.shape[2] for pair in pairs}
    assert found == {1: 6, 3: 15, 5: 15, 7: 10, 9: 4, 11: 1}
    g = v.group.sample(torch.manual_seed(0))
    rho = source.matrix(g)
    noise = torch.manual_seed(1)
    for pair in pairs:
        q, p = pair.target.shape[-1], pair.source.shape[-1]
        a = pair.map(torch.randn(q, p, dtype=torch.float64, generator=noise))
        torch.testing.assert_close(rho @ a, a @ rho, atol=1e-10, rtol=0)


def test_factors_span_the_same_maps():
    group = DihedralGroup(5)
    source = DirectSum(group, (RegularRepresentation(group), StandardRepresentation(group)))
    target = TensorProduct(group, (StandardRepresentation(group), RegularRepresentation(group)))
    basis = intertwiner_basis(source, target)
    pairs = basis.factorised()
    assert sum(pair.dimension for pair in pairs) == len(basis)
    for pair in pairs:
        rows = pair.rows().reshape(-1, target.dimension, source.dimension)
        torch.testing.assert_close(basis.project(rows), rows, atol=1e-11, rtol=0)
        c = torch.randn(pair.target.shape[-1], pair.source.shape[-1], dtype=torch.float64)
        a = pair.map(c)
        torch.testing.assert_close(pair.coefficients(a), c.to(a.dtype), atol=1e-11, rtol=0)
        assert float(a.norm()) == pytest.approx(float(c.norm()))


@pytest.mark.parametrize("method", METHODS)
def test_direct_sums_are_the_union_of_their_blocks(method):
    group = DihedralGroup(4)
    v, r = StandardRepresentation(group), RegularRepresentation(group)
    source = DirectSum(group, (v, DirectSum(group, (r, v))))
    target = multiple(r, 2)
    basis = intertwiner_basis(source, target, method)
    assert basis.method == "blocks"
    # 2·(2 + 8 + 2), in one canonical order.
    assert len(basis) == 24
    expected = image_basis(reynolds_projector(source, target))
    torch.testing.assert_close(basis.dense().flatten(1), expected, atol=1e-11, rtol=0)


@pytest.mark.parametrize("n", [4, 9, 20])
def test_order_two_tensors_of_the_symmetric_group(n):
    # The Bell number of 4, once there are four points to tell apart.
    v = StandardRepresentation(SymmetricGroup(n))
    vv = TensorProduct(v.group, (v, v))
    basis = intertwiner_basis(vv, vv)
    assert (len(basis), basis.method, basis.residual) == (15, "orbits", 0.0)
    assert len(intertwiner_basis(vv, v)) == 5
    labels = basis.orbits()
    assert labels.shape == (n * n, n * n)
    assert len(labels.unique()) == 15
    c = torch.arange(15.0, dtype=torch.float64)
    if n < 10:
        expected = torch.einsum("k,kij->ij", c, basis.dense())
        torch.testing.assert_close(basis.combine(c), expected)


def test_quaternions_commute_with_quaternions():
    # Over ℝ, SU(2) on ℂ² = ℝ⁴ has the quaternions as its endomorphisms: dimension 4.
    from goldstone.representations import Realification

    v = Realification(StandardRepresentation(SpecialUnitaryGroup(2)))
    for method in METHODS:
        basis = intertwiner_basis(v, v, method)
        assert len(basis) == 4
        assert basis.dense().dtype is torch.float64
    a, b = basis.combine(torch.randn(2, 4, dtype=torch.float64, generator=torch.manual_seed(0)))
    torch.testing.assert_close(basis.project(a @ b), a @ b)


def test_complex_and_real_representations_together():
    group = SpecialUnitaryGroup(2)
    v = StandardRepresentation(group)
    product = TensorProduct(group, (v, v))
    trivial = TrivialRepresentation(group)
    basis = intertwiner_basis(product, trivial)
    form = torch.tensor([0, 1, -1, 0], dtype=torch.complex128) / sqrt(2)
    torch.testing.assert_close(basis.dense()[0, 0], form)
    # V is isomorphic to its dual and to its conjugate.
    assert len(intertwiner_basis(v, DualRepresentation(v))) == 1


def test_no_maps_at_all():
    group = DihedralGroup(3)
    for method in METHODS:
        basis = intertwiner_basis(
            TrivialRepresentation(group), DeterminantRepresentation(group), method
        )
        assert len(basis) == 0
        assert basis.dense().shape == (0, 1, 1)
        assert basis.sparse().shape == (0, 1, 1)


def test_a_group_without_generators():
    regular = RegularRepresentation(CyclicGroup(1))
    source = multiple(regular, 3)
    for method in METHODS:
        basis = intertwiner_basis(source, source, method)
        torch.testing.assert_close(basis.dense().flatten(1), torch.eye(9, dtype=torch.float64))


def test_bases_pickle_and_repeat():
    v = StandardRepresentation(SpecialOrthogonalGroup(3))
    source = TensorProduct(v.group, (v, v, v))
    basis = intertwiner_basis(source, source)
    copy = pickle.loads(pickle.dumps(basis))
    assert torch.equal(copy.dense(), basis.dense())
    assert torch.equal(intertwiner_basis(source, source).dense(), basis.dense())


def test_groups_too_large_to_sum_over():
    # 12! elements: nothing but the generators is touched.
    group = SymmetricGroup(12)
    v, one = StandardRepresentation(group), TrivialRepresentation(group)
    assert [len(intertwiner_basis(a, b)) for a, b in ((one, one), (one, v), (v, v))] == [1, 1, 2]
    assert intertwiner_basis(one, one).character_dimension is None


def test_refusals():
    c4, d4 = RegularRepresentation(CyclicGroup(4)), StandardRepresentation(DihedralGroup(4))
    with pytest.raises(InputError, match="one group"):
        intertwiner_basis(c4, d4)
    with pytest.raises(InputError, match="permutation representations"):
        intertwiner_basis(d4, d4, "orbits")
    with pytest.raises(InputError, match="orbits"):
        intertwiner_basis(d4, d4).orbits()
    with pytest.raises(InputError, match="coefficients"):
        intertwiner_basis(d4, d4).combine(torch.ones(3))
    v = StandardRepresentation(SpecialOrthogonalGroup(3))
    big = TensorProduct(v.group, (v,) * 4)
    with pytest.raises(InputError, match="4096 unknowns"):
        intertwiner_basis(big, big, "direct")
