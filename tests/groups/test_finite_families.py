"""The laws that every family of finite groups keeps, by property."""

import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from goldstone.core import InputError
from goldstone.groups import (
    AlternatingGroup,
    CayleyGroup,
    CyclicGroup,
    DicyclicGroup,
    DihedralGroup,
    KleinFourGroup,
    LinearGroup,
    MatrixGroup,
    PermutationGroup,
    PolyhedralGroup,
    SemidirectProduct,
    SignedPermutationGroup,
    SymmetricGroup,
    cayley_table,
    direct_product,
    p4m,
    parse_cycles,
    quaternion_group,
    wreath_product,
)
from goldstone.testing import check_group_laws

# Orders in closed form or from the literature, beside each group.
FAMILIES = [
    (SymmetricGroup(1), 1),
    (SymmetricGroup(2), 2),
    (SymmetricGroup(5), 120),
    (AlternatingGroup(1), 1),
    (AlternatingGroup(2), 1),
    (AlternatingGroup(3), 3),
    (AlternatingGroup(4), 12),
    (AlternatingGroup(5), 60),
    (AlternatingGroup(6), 360),
    (SignedPermutationGroup(1), 2),
    (SignedPermutationGroup(2), 8),
    (SignedPermutationGroup(3), 48),
    (DicyclicGroup(1), 4),
    (quaternion_group(), 8),
    (DicyclicGroup(3), 12),
    (DicyclicGroup(8), 32),
    (KleinFourGroup(), 4),
    *zip(
        map(PolyhedralGroup, ("T", "Td", "Th", "O", "Oh", "I", "Ih")),
        (12, 24, 24, 24, 48, 60, 120),
        strict=True,
    ),
    (PermutationGroup([(0, 1, 2)]), 1),
    (PermutationGroup([parse_cycles("(1 2 3 4 5 6 7)", 7), parse_cycles("(2 3)(4 7)", 7)]), 168),
    (MatrixGroup([[[0.0, -1.0], [1.0, -1.0]], [[0.0, 1.0], [1.0, 0.0]]]), 6),
    (CayleyGroup(cayley_table(DihedralGroup(5))), 10),
    (direct_product(CyclicGroup(4), quaternion_group()), 32),
    (direct_product(SymmetricGroup(3), p4m(2), CyclicGroup(2)), 384),
    (SemidirectProduct(CyclicGroup(7), CyclicGroup(3), ((2,),)), 21),
    (SemidirectProduct(KleinFourGroup(), SymmetricGroup(3), ((2, 1), (2, 3))), 24),
    (wreath_product(CyclicGroup(2), SymmetricGroup(3)), 48),
    (wreath_product(SymmetricGroup(3), PermutationGroup([(1, 0)])), 72),
]
GROUPS = [group for group, _ in FAMILIES]
LINEAR = [group for group in GROUPS if isinstance(group, LinearGroup)]


@st.composite
def groups_with_elements(draw, groups=GROUPS, count=4):
    group = draw(st.sampled_from(groups))
    number = st.integers(0, group.order - 1)
    index = torch.tensor(draw(st.lists(number, min_size=1, max_size=count)))
    return group, group.values(group.from_index(index))


@given(groups_with_elements())
@settings(deadline=None)
def test_laws(drawn):
    check_group_laws(*drawn)


@pytest.mark.parametrize(("group", "order"), FAMILIES, ids=lambda x: getattr(x, "name", None))
def test_elements_are_numbered_once_identity_first_and_generated(group, order):
    elements = group.element_tensor()
    assert group.order == order == len(elements)
    assert torch.equal(group.index(elements), torch.arange(order))
    assert torch.equal(group.from_index(torch.arange(order)), elements)
    values = group.elements()
    assert values[0] == group.identity
    assert len(set(values)) == order
    assert group.member_mask(elements).all()
    assert len(group.generated_by(group.generators())) == order


@pytest.mark.parametrize("group", GROUPS, ids=lambda g: g.name)
def test_names_are_unique_and_read_back(group):
    names = [group.element_name(a) for a in group.elements()]
    assert len(set(names)) == group.order
    for a, name in list(zip(group.elements(), names, strict=True))[:: max(1, group.order // 20)]:
        assert group.parse(name) == a
    assert group.parse("e") == group.identity
    with pytest.raises(InputError, match=r"nonsense"):
        group.parse("nonsense")


@pytest.mark.parametrize("group", GROUPS, ids=lambda g: g.name)
def test_groups_are_values(group):
    copy = pickle.loads(pickle.dumps(group))
    assert copy == group
    assert hash(copy) == hash(group)
    assert sum(group == other for other in GROUPS) == 1
    assert copy.elements() == group.elements()


@given(groups_with_elements(LINEAR, 3))
@settings(deadline=None)
def test_matrices_are_a_faithful_homomorphism(drawn):
    group, values = drawn
    a = group.tensor(values)
    matrices = group.matrices(a)
    assert matrices.dtype == torch.float64
    assert matrices.shape == (len(values), group.degree, group.degree)
    products = group.matrices(group.compose(a[:, None], a[None]))
    torch.testing.assert_close(products, matrices[:, None] @ matrices[None], atol=1e-14, rtol=0)
    one = torch.eye(group.degree, dtype=torch.float64)
    if any(value != group.identity for value in values):
        moved = a[[value != group.identity for value in values]]
        assert ((group.matrices(moved) - one).flatten(1).abs().amax(1) > 0.1).all()


@given(groups_with_elements())
@settings(deadline=None)
def test_orders_of_elements(drawn):
    group, values = drawn
    for value in values:
        # Products one by one, against what the class knows (cycle lengths).
        n, power = 1, value
        while power != group.identity:
            power, n = group.compose(power, value), n + 1
        assert group.element_order(value) == n
        assert group.order % n == 0


@given(st.sampled_from(GROUPS), st.integers(0, 2**32))
@settings(deadline=None, max_examples=30)
def test_samples_lie_in_the_group_and_follow_the_seed(group, seed):
    first = group.sample(torch.Generator().manual_seed(seed), (2, 3))
    again = group.sample(torch.Generator().manual_seed(seed), (2, 3))
    assert torch.equal(first, again)
    assert first.shape == (2, 3, *group.element_shape)
    assert group.contains(first)


@pytest.mark.parametrize(
    "group",
    [
        AlternatingGroup(4),
        SymmetricGroup(3),
        SignedPermutationGroup(2),
        PolyhedralGroup("T"),
        direct_product(CyclicGroup(3), KleinFourGroup()),
    ],
    ids=lambda g: g.name,
)
def test_samples_are_uniform(group):
    count = 2_000 * group.order
    sample = group.sample(torch.Generator().manual_seed(3), (count,))
    found = torch.bincount(group.index(sample), minlength=group.order).double()
    # χ² with order − 1 degrees of freedom: mean order − 1, variance twice that.
    chi_square = float((found - 2_000).square().sum() / 2_000)
    assert chi_square < group.order - 1 + 5 * (2 * (group.order - 1)) ** 0.5


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SymmetricGroup(0), "n ≥ 1 points"),
        (lambda: AlternatingGroup(0), "n ≥ 1 points"),
        (lambda: SignedPermutationGroup(0), "n ≥ 1 axes"),
        (lambda: DicyclicGroup(0), "n ≥ 1"),
        (lambda: PolyhedralGroup("D4"), "one of T, Td, Th, O, Oh, I, Ih"),
        (lambda: SymmetricGroup(10).elements(), "too many to list"),
        (lambda: SymmetricGroup(21).index(torch.arange(21)), "exceed 64-bit"),
        (lambda: SignedPermutationGroup(17).from_index(torch.tensor(0)), "exceed 64-bit"),
        (lambda: SignedPermutationGroup(2).parse("[1, 1]"), "signed permutation of 2 axes"),
    ],
)
def test_errors(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_large_groups_work_without_numbers():
    for group in (SymmetricGroup(100), AlternatingGroup(100), SignedPermutationGroup(50)):
        a, b = group.sample(torch.Generator().manual_seed(0), (2, 5))
        assert group.contains(group.compose(a, b))
        identity = group.identity_tensor(a)
        assert group.equal(group.compose(a, group.inverse(a)), identity).all()


def test_multiplication_by_hand():
    s4 = SymmetricGroup(4)
    # The right factor acts first: 1 → 2 → 3.
    assert s4.compose(s4.parse("(2 3)"), s4.parse("(1 2)")) == s4.parse("(1 3 2)")
    q8 = quaternion_group()
    i, j, k = (q8.parse(name) for name in "ijk")
    assert q8.compose(i, j) == k
    assert q8.compose(j, i) == q8.parse("-k")
    assert q8.compose(k, k) == q8.parse("-1")
    b2 = SignedPermutationGroup(2)
    turn, mirror = b2.parse("[2, -1]"), b2.parse("[-1, 2]")
    assert b2.compose(mirror, turn) == b2.parse("[2, 1]")
    assert b2.compose(turn, mirror) == b2.parse("[-2, -1]")


@given(st.integers(1, 9), st.data())
def test_quaternions_multiply_as_the_elements(n, data):
    group = DicyclicGroup(n)
    a, b = group.from_index(torch.tensor([data.draw(st.integers(0, 4 * n - 1)) for _ in "ab"]))
    (w, x, y, z), (p, q, r, s) = group.quaternions(a).tolist(), group.quaternions(b).tolist()
    hamilton = [
        w * p - x * q - y * r - z * s,
        w * q + x * p + y * s - z * r,
        w * r - x * s + y * p + z * q,
        w * s + x * r - y * q + z * p,
    ]
    assert group.quaternions(group.compose(a, b)).tolist() == pytest.approx(hamilton, abs=1e-14)
