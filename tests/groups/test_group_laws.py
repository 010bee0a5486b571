"""The group laws, names and value semantics of every group, by property."""

import pickle
from math import gcd, lcm

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldstone.core import InputError
from goldstone.groups import (
    AdditiveGroup,
    CyclicGroup,
    DihedralGroup,
    GridTranslations,
    PointGroup,
    WallpaperGroup,
    p4m,
)
from goldstone.testing import check_group_laws

cyclic = st.integers(1, 30).map(CyclicGroup)
dihedral = st.integers(1, 20).map(DihedralGroup)
translations = st.tuples(st.integers(1, 12), st.integers(1, 12)).map(GridTranslations)
wallpapers = st.one_of(
    st.builds(
        WallpaperGroup,
        translations,
        st.sampled_from([CyclicGroup(1), CyclicGroup(2), DihedralGroup(1), DihedralGroup(2)]),
    ),
    st.integers(1, 10).map(p4m),
    st.integers(1, 10).map(
        lambda n: WallpaperGroup(GridTranslations((n, n)), CyclicGroup(4)),
    ),
)
finite_groups = st.one_of(cyclic, dihedral, translations, wallpapers)


@st.composite
def groups_with_elements(draw):
    group = draw(finite_groups)
    return group, draw(st.lists(st.sampled_from(group.elements()), min_size=1, max_size=4))


@given(groups_with_elements())
def test_laws_of_finite_groups(drawn):
    check_group_laws(*drawn)


@pytest.mark.parametrize(
    "group", [CyclicGroup(12), DihedralGroup(4), DihedralGroup(6), DihedralGroup(1), p4m(1)]
)
def test_laws_on_all_triples(group):
    check_group_laws(group)


@given(
    st.integers(1, 4).flatmap(
        lambda n: st.lists(
            st.tuples(*[st.integers(-1000, 1000).map(lambda i: i / 8)] * n), min_size=1, max_size=4
        )
    )
)
def test_laws_of_additive_groups(elements):
    # Multiples of 1/8: addition is exact.
    check_group_laws(AdditiveGroup("boost", len(elements[0])), elements)


@given(finite_groups)
def test_elements_are_listed_once_identity_first_and_generated(group):
    elements = group.elements()
    assert elements[0] == group.identity
    assert len(set(elements)) == len(elements) == group.order
    assert all(group.contains(a) for a in elements)
    assert group.generated_by(group.generators()) == frozenset(elements)


@given(groups_with_elements())
def test_names_are_read_back(drawn):
    group, elements = drawn
    for a in elements:
        assert group.parse(group.element_name(a)) == a
    assert len({group.element_name(a) for a in group.elements()}) == group.order


@given(groups_with_elements())
def test_the_order_of_an_element_divides_that_of_the_group(drawn):
    group, elements = drawn
    for a in elements:
        n = group.element_order(a)
        assert group.order % n == 0
        assert len(group.generated_by([a])) == n


@given(st.integers(1, 30), st.data())
def test_element_orders_in_closed_form(n, data):
    k = data.draw(st.integers(0, n - 1))
    assert CyclicGroup(n).element_order(k) == n // gcd(n, k)
    assert DihedralGroup(n).element_order((0, k)) == n // gcd(n, k)
    assert DihedralGroup(n).element_order((1, k)) == 2
    other = data.draw(st.integers(1, 12))
    j = data.draw(st.integers(0, other - 1))
    assert GridTranslations((n, other)).element_order((k, j)) == lcm(
        n // gcd(n, k), other // gcd(other, j)
    )


@given(finite_groups)
def test_groups_are_values(group):
    copy = pickle.loads(pickle.dumps(group))
    assert copy == group
    assert hash(copy) == hash(group)
    assert group not in (CyclicGroup(97), DihedralGroup(97), GridTranslations((97, 1)))


def test_different_kinds_of_group_differ():
    assert CyclicGroup(2) != DihedralGroup(2)
    assert AdditiveGroup("boost") != AdditiveGroup("translation")
    assert {p4m(8), p4m(8), p4m(16)} == {p4m(8), p4m(16)}
    assert isinstance(CyclicGroup(3), PointGroup)


def _times(p, q):
    return tuple(tuple(sum(p[i][k] * q[k][j] for k in (0, 1)) for j in (0, 1)) for i in (0, 1))


@given(st.one_of(cyclic, dihedral), st.data())
def test_plane_matrices_are_a_faithful_homomorphism(group, data):
    a = data.draw(st.sampled_from(group.elements()))
    b = data.draw(st.sampled_from(group.elements()))
    product = _times(group.matrix(a), group.matrix(b))
    for row, expected in zip(product, group.matrix(group.compose(a, b)), strict=True):
        assert row == pytest.approx(expected, abs=1e-12)
    if a != b:
        differences = [
            abs(x - y)
            for p, q in zip(group.matrix(a), group.matrix(b), strict=True)
            for x, y in zip(p, q, strict=True)
        ]
        assert max(differences) > 1e-3


def test_d4_by_hand():
    group = DihedralGroup(4)
    r, s = group.parse("r"), group.parse("s")
    assert group.matrix(r) == ((0, -1), (1, 0))
    assert group.matrix(s) == ((-1, 0), (0, 1))
    assert group.compose(r, s) == group.parse("sr³") == group.parse("sr^3") == group.parse("s r3")
    assert group.matrix(group.parse("sr²")) == ((1, 0), (0, -1))
    # The diagonal reflections exchange the axes.
    assert group.matrix(group.parse("sr")) == ((0, 1), (1, 0))
    assert group.matrix(group.parse("sr3")) == ((0, -1), (-1, 0))


def test_p4m_turns_its_shifts():
    group = p4m(8)
    r, shift = group.parse("r"), group.parse("shift(1,0)")
    turned = group.compose(group.compose(r, shift), group.inverse(r))
    assert group.element_name(turned) == "shift(0,1)"
    assert group.order == 512
    assert group.element_name(group.compose(shift, r)) == "shift(1,0)·r"


def test_exponential_map_of_vectors():
    group = AdditiveGroup("boost", 2, "velocity")
    assert group.log(group.exp((0.5, -1.0))) == (0.5, -1.0)
    assert group.generators() == ((1.0, 0.0), (0.0, 1.0))
    assert group.element_name((0.25, 0.0)) == "boost(0.25,0)"
    assert not group.contains((float("nan"), 0.0))
    assert not group.contains((1.0,))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CyclicGroup(0), "n ≥ 1"),
        (lambda: DihedralGroup(-1), "n ≥ 1"),
        (lambda: GridTranslations((0, 4)), "sizes ≥ 1"),
        (lambda: AdditiveGroup("boost", 0), "dimension ≥ 1"),
        (lambda: WallpaperGroup(GridTranslations((4, 6)), DihedralGroup(4)), "square grid"),
        (lambda: WallpaperGroup(GridTranslations((4, 4)), CyclicGroup(3)), "does not map"),
        (lambda: DihedralGroup(4).parse("q"), "names no element of D4; its elements are e, r"),
        (lambda: CyclicGroup(4).element_order(7), "7 is not an element of C4"),
        (lambda: DihedralGroup(4).generated_by([(2, 0)]), "not an element of D4"),
    ],
)
def test_errors(make, message):
    with pytest.raises(InputError, match=message):
        make()
