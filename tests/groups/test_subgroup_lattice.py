"""Subgroups up to conjugacy: against GAP's numbers and the slow obvious way."""

import json
from collections import Counter
from math import prod
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldstone.core import InputError
from goldstone.groups import (
    CyclicGroup,
    DihedralGroup,
    GridTranslations,
    PermutationGroup,
    all_subgroups,
    p4m,
    right_cosets,
    subgroup,
    subgroup_lattice,
)

golden = json.loads((Path(__file__).parents[1] / "golden" / "subgroup_counts.json").read_text())
listed = {name: entry for name, entry in golden["groups"].items() if entry["order"] <= 2000}

small_groups = st.one_of(
    st.integers(1, 30).map(CyclicGroup),
    st.integers(1, 15).map(DihedralGroup),
    st.tuples(st.integers(1, 6), st.integers(1, 6)).map(GridTranslations),
    st.just(p4m(2)),
)


@pytest.mark.parametrize("name", listed)
def test_counts_against_gap(name):
    entry = listed[name]
    lattice = subgroup_lattice(PermutationGroup(entry["generators"]))
    assert lattice.subgroup_count == entry["subgroups"]
    assert len(lattice.classes) == entry["subgroup_classes"]
    assert len(lattice.normal) == entry["normal_subgroups"]
    assert sum(c.size for c in lattice.maximal) == entry["maximal_subgroups"]
    found = Counter((c.order, c.size) for c in lattice.classes)
    assert found == Counter((order, size) for order, size, _ in entry["classes"])


@given(small_groups)
@settings(max_examples=20)
def test_classes_and_coverings_are_those_of_the_listed_subgroups(group):
    lattice = subgroup_lattice(group)
    listed = [h.elements for h in all_subgroups(group)]
    assert lattice.subgroup_count == len(listed)
    classes = [conjugates(group, c.representative.elements) for c in lattice.classes]
    assert [len(c) for c in classes] == [c.size for c in lattice.classes]
    assert Counter(h for c in classes for h in c) == Counter(listed)
    coverings = {
        (i, j, len(maximal_inside(listed, upper) & lower_class))
        for j, upper_class in enumerate(classes)
        for upper in [next(iter(upper_class))]
        for i, lower_class in enumerate(classes)
        if maximal_inside(listed, upper) & lower_class
    }
    assert {(c.lower, c.upper, c.below) for c in lattice.coverings} == coverings
    for c in lattice.coverings:
        assert c.below * classes_size(lattice, c.upper) == c.above * classes_size(lattice, c.lower)


def classes_size(lattice, number):
    return lattice.classes[number].size


def conjugates(group, elements):
    return {
        frozenset(group.compose(group.compose(g, a), group.inverse(g)) for a in elements)
        for g in group.elements()
    }


def maximal_inside(listed, upper):
    inside = [h for h in listed if h < upper]
    return {h for h in inside if not any(h < other for other in inside)}


@given(st.integers(1, 60))
def test_dihedral_groups_in_closed_form(n):
    # One class of cyclic subgroups for each divisor d of n, and of dihedral ones of order 2n/d
    # one if d is odd, two if even.
    divisors = [d for d in range(1, n + 1) if n % d == 0]
    lattice = subgroup_lattice(DihedralGroup(n))
    assert lattice.subgroup_count == len(divisors) + sum(divisors)
    if n > 2:
        assert len(lattice.classes) == 2 * len(divisors) + sum(d % 2 == 0 for d in divisors)


@pytest.mark.parametrize(("prime", "rank"), [(2, 5), (3, 3)])
def test_elementary_abelian_groups_in_closed_form(prime, rank):
    cycles = [[*range(prime)] for _ in range(rank)]
    generators = []
    for i in range(rank):
        image = [p + prime * j for j, cycle in enumerate(cycles) for p in cycle]
        image[prime * i : prime * (i + 1)] = [prime * i + (p + 1) % prime for p in range(prime)]
        generators.append(image)
    lattice = subgroup_lattice(PermutationGroup(generators))
    # Gaussian binomials count the subspaces.
    expected = {
        prime**k: prod(prime ** (rank - i) - 1 for i in range(k))
        // prod(prime ** (i + 1) - 1 for i in range(k))
        for k in range(rank + 1)
    }
    assert Counter(c.order for c in lattice.classes) == expected


def test_representatives_are_named_by_few_generators():
    group = DihedralGroup(4)
    lattice = subgroup_lattice(group)
    assert [c.representative.name for c in lattice.classes] == [
        "1",
        "⟨r²⟩",
        "⟨s⟩",
        "⟨sr⟩",
        "⟨r⟩",
        "⟨r², s⟩",
        "⟨r², sr⟩",
        "D4",
    ]
    assert [c.size for c in lattice.classes] == [1, 1, 2, 2, 1, 1, 1, 1]


def test_limits():
    with pytest.raises(InputError, match="more than 10 subgroups"):
        subgroup_lattice(DihedralGroup(6), limit=10)
    with pytest.raises(InputError, match="at most 2000"):
        subgroup_lattice(CyclicGroup(2001))
    lattice = subgroup_lattice(p4m(6))
    assert lattice.classes[-1].order == 288


def test_right_cosets_are_right():
    group = DihedralGroup(4)
    h = subgroup(group, [group.parse("s")])
    cosets = right_cosets(group, h)
    assert set(cosets[0]) == h.elements
    coset = next(c for c in cosets if group.parse("r") in c)
    # Hr = {r, sr}; the left coset rH would hold sr³.
    assert set(coset) == {group.parse("r"), group.parse("sr")}
    assert Counter(a for c in cosets for a in c) == Counter(group.elements())
