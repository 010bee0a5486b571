"""Subgroups, cosets and the candidates of a residual subgroup."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldstone.core import InputError
from goldstone.groups import (
    CyclicGroup,
    DihedralGroup,
    GridTranslations,
    Subgroup,
    WallpaperGroup,
    all_subgroups,
    axis_lattices,
    candidate_subgroups,
    left_cosets,
    maximal,
    p4m,
    subgroup,
)

small_groups = st.one_of(
    st.integers(1, 24).map(CyclicGroup),
    st.integers(1, 9).map(DihedralGroup),
    st.tuples(st.integers(1, 5), st.integers(1, 5)).map(GridTranslations),
    st.just(p4m(2)),
)


def is_subgroup(group, elements):
    return group.identity in elements and all(
        group.compose(a, group.inverse(b)) in elements for a in elements for b in elements
    )


def subgroups_by_trying_all_subsets(group):
    """The slow oracle: every subset of elements that is closed."""
    others = [a for a in group.elements() if a != group.identity]
    return {
        frozenset((group.identity, *chosen))
        for count in range(len(others) + 1)
        for chosen in combinations(others, count)
        if group.order % (count + 1) == 0 and is_subgroup(group, {group.identity, *chosen})
    }


@pytest.mark.parametrize(
    "group",
    [CyclicGroup(12), DihedralGroup(4), DihedralGroup(6), GridTranslations((2, 4)), p4m(1)],
)
def test_against_all_subsets(group):
    found = [h.elements for h in all_subgroups(group)]
    assert len(set(found)) == len(found)
    assert set(found) == subgroups_by_trying_all_subsets(group)


@pytest.mark.parametrize(
    ("group", "count"),
    [
        (DihedralGroup(4), 10),
        (CyclicGroup(12), 6),
        (DihedralGroup(3), 6),
        (DihedralGroup(6), 16),
        (CyclicGroup(1), 1),
        # ℤ₄ × ℤ₄ has 15 subgroups.
        (GridTranslations((4, 4)), 15),
    ],
)
def test_counts(group, count):
    assert len(all_subgroups(group)) == count


@given(st.integers(1, 24))
def test_counts_of_dihedral_groups_in_closed_form(n):
    # τ(n) + σ(n) subgroups (Cavior 1975); D1 and D2 included.
    divisors = [d for d in range(1, n + 1) if n % d == 0]
    assert len(all_subgroups(DihedralGroup(n))) == len(divisors) + sum(divisors)


@given(small_groups)
def test_subgroups_are_ordered_closed_and_named_by_generators(group):
    found = all_subgroups(group)
    assert [h.order for h in found] == sorted(h.order for h in found)
    assert found[0].elements == {group.identity}
    assert found[-1].order == group.order
    assert found[-1].name == ("1" if group.order == 1 else group.name)
    assert len({h.name for h in found}) == len(found)
    for h in found:
        assert group.order % h.order == 0
        assert is_subgroup(group, h.elements)
        if 1 < h.order < group.order:
            named = [group.parse(word) for word in split_names(h.name[1:-1])]
            assert subgroup(group, named).elements == h.elements


def split_names(text):
    return [word for word in text.split(", ") if word]


@given(small_groups, st.data())
def test_left_cosets_partition_the_group(group, data):
    h = data.draw(st.sampled_from(all_subgroups(group)))
    cosets = left_cosets(group, h)
    assert set(cosets[0]) == h.elements
    assert sorted(map(repr, (a for c in cosets for a in c))) == sorted(map(repr, group.elements()))
    for coset in cosets:
        assert len(coset) == h.order
        # gH = g′H exactly when g⁻¹g′ lies in H.
        g = coset[0]
        assert {group.compose(group.inverse(g), a) for a in coset} == h.elements


def test_left_cosets_are_left():
    group = DihedralGroup(4)
    h = subgroup(group, [group.parse("s")])
    coset = next(c for c in left_cosets(group, h) if group.parse("r") in c)
    # rH = {r, rs = sr³}; the right coset Hr would hold sr.
    assert set(coset) == {group.parse("r"), group.parse("sr3")}


def test_maximal_subgroups_of_a_list():
    group = DihedralGroup(4)
    proper = [h for h in all_subgroups(group) if h.order < 8]
    assert {h.order for h in maximal(proper)} == {4}
    assert len(maximal(proper)) == 3
    assert maximal(all_subgroups(group)) == (all_subgroups(group)[-1],)
    assert maximal([]) == ()


def test_axis_lattices():
    lattices = axis_lattices(GridTranslations((8, 4)))
    # 4 divisors of 8 times 3 of 4.
    assert len(lattices) == 12
    by_name = {h.name: h for h in lattices}
    assert by_name["2Z8×Z4"].elements == {(a, b) for a in (0, 2, 4, 6) for b in range(4)}
    assert by_name["1"].order == 1
    assert by_name["Z8×Z4"].order == 32
    assert by_name["1×2Z4"].elements == {(0, 0), (0, 2)}
    for h in lattices:
        assert is_subgroup(GridTranslations((8, 4)), h.elements)
    assert candidate_subgroups(GridTranslations((8, 4))) == lattices


def test_candidates_of_small_groups_are_all_subgroups():
    assert candidate_subgroups(DihedralGroup(4)) == all_subgroups(DihedralGroup(4))


@pytest.mark.parametrize(
    "group", [p4m(4), WallpaperGroup(GridTranslations((4, 2)), DihedralGroup(2))]
)
def test_candidates_of_wallpaper_groups_are_subgroups(group):
    found = candidate_subgroups(group)
    assert len({h.elements for h in found}) == len(found)
    assert len({h.name for h in found}) == len(found)
    for h in found:
        assert is_subgroup(group, h.elements)
    assert found[-1] == Subgroup(group.name, frozenset(group.elements()))
    assert found[0].name == "1"


def test_candidates_of_p4m_keep_square_lattices_for_quarter_turns():
    # 3 × 3 lattices of ℤ₄ × ℤ₄; all 10 point subgroups on the 3 square ones. On the 6 others only
    # those 5 of the 10 without quarter turns or diagonal reflections (1, r², s, sr², all of them).
    assert len(candidate_subgroups(p4m(4))) == 3 * 10 + 6 * 5
    quarter = ((0, 0), (0, 1))
    for h in candidate_subgroups(p4m(4)):
        if quarter in h.elements:
            assert {(b, a) for (a, b), _ in h.elements} == {t for t, _ in h.elements}


def test_too_large_a_group_is_refused():
    with pytest.raises(InputError, match=r"order 512.*at most 200"):
        all_subgroups(p4m(8))
