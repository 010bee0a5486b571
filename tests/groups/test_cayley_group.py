"""Groups from Cayley tables: the axioms verified, violations named."""

import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from goldstone.core import InputError
from goldstone.groups import (
    AlternatingGroup,
    CayleyGroup,
    CyclicGroup,
    DihedralGroup,
    GridTranslations,
    cayley_table,
    quaternion_group,
)

SMALL = [CyclicGroup(1), CyclicGroup(6), DihedralGroup(4), quaternion_group(), AlternatingGroup(4)]
# A loop (identity, both cancellation laws) of order 5 that is no group.
LOOP = [[0, 1, 2, 3, 4], [1, 0, 3, 4, 2], [2, 4, 0, 1, 3], [3, 2, 4, 0, 1], [4, 3, 1, 2, 0]]


@given(st.sampled_from(SMALL), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_any_numbering_of_a_group(group, random):
    """Relabelled by a permutation, the identity anywhere: still a group, of the same structure."""
    place = list(range(group.order))
    random.shuffle(place)
    number = {a: place[i] for i, a in enumerate(group.elements())}
    table = [[0] * group.order for _ in place]
    for a in number:
        for b in number:
            table[number[a]][number[b]] = number[group.compose(a, b)]
    found = CayleyGroup(table)
    assert found.identity == number[group.identity] == found.elements()[0]
    assert found.element_name(found.identity) == "e"
    for a in number:
        assert found.inverse(number[a]) == number[group.inverse(a)]
        assert found.element_order(number[a]) == group.element_order(a)
    assert len(found.generated_by(found.generators())) == group.order


def is_group(table):
    n = len(table)
    units = [e for e in range(n) if all(table[e][a] == a == table[a][e] for a in range(n))]
    return (
        bool(units)
        and all(any(table[a][b] == units[0] == table[b][a] for b in range(n)) for a in range(n))
        and all(
            table[table[a][b]][c] == table[a][table[b][c]]
            for a in range(n)
            for b in range(n)
            for c in range(n)
        )
    )


@given(st.sampled_from(SMALL[1:]), st.data())
@settings(deadline=None)
def test_one_wrong_entry_is_found_and_the_named_elements_break_the_law(group, data):
    n = group.order
    table = cayley_table(group).tolist()
    row, column, value = (data.draw(st.integers(0, n - 1)) for _ in range(3))
    table[row][column] = value
    assert_refused_rightly(table)


@given(
    st.integers(1, 4).flatmap(
        lambda n: st.lists(
            st.lists(st.integers(0, n - 1), min_size=n, max_size=n), min_size=n, max_size=n
        )
    )
)
@settings(deadline=None, max_examples=200)
def test_any_small_table(table):
    # With an identity in front, so that later laws get their turn.
    n = len(table)
    for a in range(n):
        table[0][a] = table[a][0] = a
    assert_refused_rightly(table)


@given(st.permutations(range(5)))
def test_a_loop_is_not_a_group(place):
    table = [[0] * 5 for _ in place]
    for a in range(5):
        for b in range(5):
            table[place[a]][place[b]] = place[LOOP[a][b]]
    assert_refused_rightly(table)


def assert_refused_rightly(table):
    """Refused exactly if a brute-force check refuses; a named triple is not associative."""
    names = [f"x{a}" for a in range(len(table))]
    if is_group(table):
        CayleyGroup(table, names)
        return
    with pytest.raises(InputError, match=r"^(identity|inverses|associativity) fails?: ") as caught:
        CayleyGroup(table, names)
    if str(caught.value).startswith("associativity"):
        a, b, c = map(int, re.findall(r"x(\d+)", str(caught.value))[:3])
        assert table[table[a][b]][c] != table[a][table[b][c]]


def test_large_tables():
    group = GridTranslations((40, 50))
    table = cayley_table(group)
    found = CayleyGroup(table, label="shifts")
    assert found.order == 2000
    assert found.name == "shifts"
    # The only fault, far from the generators' rows.
    table[1999, 1998], table[1999, 1997] = table[1999, 1997].clone(), table[1999, 1998].clone()
    with pytest.raises(InputError, match="associativity fails"):
        CayleyGroup(table)
    assert found == CayleyGroup(cayley_table(group), label="shifts")


def test_names():
    group = CayleyGroup([[0, 1], [1, 0]], ["stay", "swap"])
    assert group.parse("swap") == 1
    assert group.name == "Cayley group of order 2"
    assert group != CayleyGroup([[0, 1], [1, 0]])


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([[0, 1], [1, 2]], "closure fails: g1·g1 = 2"),
        ([[0, 1], [0, 1]], "identity fails: .*g0 has e·a = a, but g1·g0"),
        ([[0, 0], [1, 1]], "identity fails: .*g0 has a·e = a, but g0·g1"),
        ([[0, 1], [1, 1]], "inverses fail: no element b has a·b = e for a = g1"),
        (LOOP, "associativity fails: "),
        ([[0, 1], [1]], "rows"),
        ([[0, 1]], "square"),
        ([], "square"),
        ([[0.0]], "row numbers"),
        (torch.zeros(2001, 2001, dtype=torch.int64), "at most 2000"),
    ],
)
def test_errors(table, message):
    with pytest.raises(InputError, match=message):
        CayleyGroup(table)


def test_names_must_differ():
    with pytest.raises(InputError, match="2 different names"):
        CayleyGroup([[0, 1], [1, 0]], ["a", "a"])
