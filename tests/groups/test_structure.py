"""Centre, commutators, conjugacy, normal subgroups: against GAP's numbers and brute force."""

import json
import pickle
from collections import Counter
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from goldstone.core import InputError
from goldstone.groups import (
    AlternatingGroup,
    CyclicGroup,
    DihedralGroup,
    GridTranslations,
    PermutationGroup,
    SymmetricGroup,
    all_subgroups,
    centraliser,
    centre,
    commutator_subgroup,
    conjugacy_classes,
    conjugate_subgroup,
    derived_series,
    element_orders,
    exponent,
    is_abelian,
    is_normal,
    is_perfect,
    is_solvable,
    normal_closure,
    normal_subgroups,
    normaliser,
    p4m,
    subgroup,
)

golden = json.loads((Path(__file__).parents[1] / "golden" / "subgroup_counts.json").read_text())

groups = st.one_of(
    st.integers(1, 20).map(CyclicGroup),
    st.integers(1, 10).map(DihedralGroup),
    st.tuples(st.integers(1, 4), st.integers(1, 4)).map(GridTranslations),
    st.integers(1, 4).map(SymmetricGroup),
    st.just(p4m(2)),
)


@pytest.mark.parametrize("name", golden["groups"])
def test_against_gap(name):
    entry = golden["groups"][name]
    group = PermutationGroup(entry["generators"])
    classes = conjugacy_classes(group)
    assert len(classes) == entry["conjugacy_classes"]
    assert centre(group).order == entry["centre_order"]
    assert commutator_subgroup(group).order == entry["commutator_order"]
    assert exponent(group) == entry["exponent"]
    assert is_abelian(group) == entry["is_abelian"]
    assert is_solvable(group) == entry["is_solvable"]
    assert [h.order for h in derived_series(group)] == entry["derived_series_orders"]
    assert len(normal_subgroups(group)) == entry["normal_subgroups"]
    counts = Counter()
    for order, size in zip(classes.orders, classes.sizes, strict=True):
        counts[order] += size
    assert sorted(map(list, counts.items())) == entry["element_orders"]


@given(groups)
@settings(max_examples=30)
def test_conjugacy_classes_by_brute_force(group):
    classes = conjugacy_classes(group)
    elements = group.elements()
    orbits = {
        a: frozenset(group.compose(group.compose(g, a), group.inverse(g)) for g in elements)
        for a in elements
    }
    assert {frozenset(classes.members(i)) for i in range(len(classes))} == set(orbits.values())
    assert classes.representatives[0] == group.identity
    for i, a in enumerate(classes.representatives):
        members = classes.members(i)
        assert members[0] == a
        assert len(members) == classes.sizes[i]
        assert group.element_order(a) == classes.orders[i]
    squares = [classes.number(group.tensor((group.compose(a, a),))[0]) for a in elements]
    own = classes.number(group.element_tensor())
    assert squares == [classes.powers(2)[i] for i in own.tolist()]
    assert pickle.loads(pickle.dumps(classes)) == classes


@given(groups, st.data())
@settings(max_examples=40)
def test_centraliser_and_normaliser_by_brute_force(group, data):
    elements = group.elements()
    a = data.draw(st.sampled_from(elements))
    commuting = {g for g in elements if group.compose(g, a) == group.compose(a, g)}
    assert centraliser(group, [a]).elements == commuting
    h = data.draw(st.sampled_from(all_subgroups(group)))
    moved = {
        g: frozenset(group.compose(group.compose(g, x), group.inverse(g)) for x in h.elements)
        for g in elements
    }
    assert normaliser(group, h).elements == {g for g in elements if moved[g] == h.elements}
    assert is_normal(group, h) == (set(moved.values()) == {h.elements})
    conjugate = conjugate_subgroup(group, h, a)
    assert conjugate.elements == moved[a]
    if 1 < h.order < group.order:
        words = [group.parse(word) for word in names_of(conjugate.name)]
        assert subgroup(group, words).elements == conjugate.elements


def names_of(name):
    # Names of permutations hold commas only without the space.
    return name[1:-1].split(", ")


@given(groups)
@settings(max_examples=30)
def test_commutators_and_centre_by_brute_force(group):
    elements = group.elements()
    commutators = {
        group.compose(group.compose(a, b), group.inverse(group.compose(b, a)))
        for a in elements
        for b in elements
    }
    assert commutator_subgroup(group).elements == group.generated_by(tuple(commutators))
    central = {
        a for a in elements if all(group.compose(a, b) == group.compose(b, a) for b in elements)
    }
    assert centre(group).elements == central
    assert is_abelian(group) == (len(central) == group.order)


@given(groups)
@settings(max_examples=30)
def test_normal_subgroups_are_the_normal_ones_of_all(group):
    normal = [h.elements for h in all_subgroups(group) if is_normal(group, h)]
    assert [h.elements for h in normal_subgroups(group)] == normal


@given(groups, st.data())
@settings(max_examples=30)
def test_normal_closure_is_the_smallest_normal_subgroup(group, data):
    a = data.draw(st.sampled_from(group.elements()))
    closure = normal_closure(group, group.tensor((a,)))
    holding = [h for h in normal_subgroups(group) if a in h.elements]
    assert closure.elements == frozenset.intersection(*(h.elements for h in holding))


@given(groups)
def test_orders_of_elements_at_once(group):
    found = element_orders(group, group.element_tensor())
    assert found.tolist() == [group.element_order(a) for a in group.elements()]


def test_alternating_groups_are_perfect_and_simple():
    group = AlternatingGroup(5)
    assert is_perfect(group)
    assert not is_solvable(group)
    assert [h.order for h in normal_subgroups(group)] == [1, 60]
    assert not is_perfect(AlternatingGroup(4))


def test_large_groups_need_no_table():
    group = DihedralGroup(5000)
    assert centre(group).order == 2
    assert commutator_subgroup(group).order == 2500
    assert len(conjugacy_classes(group)) == 2503
    assert exponent(group) == 5000
    permutations = SymmetricGroup(7)
    assert len(conjugacy_classes(permutations)) == 15
    assert len(normal_subgroups(permutations)) == 3


def test_too_many_normal_subgroups_are_refused():
    with pytest.raises(InputError, match="more than 5 normal subgroups"):
        normal_subgroups(GridTranslations((4, 4)), limit=5)


def test_subgroups_of_another_group_are_refused():
    h = subgroup(DihedralGroup(6), [(0, 1)])
    with pytest.raises(InputError, match="D4"):
        normaliser(DihedralGroup(4), h)
    with pytest.raises(InputError, match="not an element"):
        centraliser(DihedralGroup(4), [(0, 5)])


def test_classes_of_a_tensor_of_elements():
    group = DihedralGroup(4)
    classes = conjugacy_classes(group)
    numbers = classes.number(torch.tensor([[[0, 1], [0, 3]], [[1, 0], [1, 2]]]))
    assert numbers[0, 0] == numbers[0, 1]
    assert numbers[1, 0] == numbers[1, 1] != numbers[0, 0]
