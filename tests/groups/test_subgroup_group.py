"""A subgroup as a group: the same elements, the parent's composition."""

import pickle

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from goldstone.core import InputError
from goldstone.groups import (
    CyclicGroup,
    DihedralGroup,
    GridTranslations,
    Subgroup,
    all_subgroups,
    cayley_table,
    p4m,
    subgroup,
    subgroup_as_group,
)
from goldstone.testing import check_group_laws

groups = st.one_of(
    st.integers(1, 12).map(CyclicGroup),
    st.integers(1, 6).map(DihedralGroup),
    st.tuples(st.integers(1, 3), st.integers(1, 4)).map(GridTranslations),
    st.just(p4m(1)),
)


@given(groups, st.data())
def test_a_subgroup_is_a_group_inside_its_parent(parent, data):
    h = data.draw(st.sampled_from(all_subgroups(parent)))
    group = subgroup_as_group(parent, h)
    check_group_laws(group, group.elements()[:5])
    assert set(group.elements()) == h.elements
    assert group.order == h.order
    assert group.elements()[0] == parent.identity
    elements = group.element_tensor()
    assert torch.equal(group.index(elements), torch.arange(h.order))
    assert torch.equal(group.from_index(torch.arange(h.order)), elements)
    assert group.generated_by(group.generators()) == h.elements
    inside = group.member_mask(parent.element_tensor())
    assert {a for a, yes in zip(parent.elements(), inside, strict=True) if yes} == h.elements


def test_composition_and_names_are_the_parent_s():
    parent = DihedralGroup(4)
    group = subgroup_as_group(parent, subgroup(parent, [parent.parse("r2"), parent.parse("s")]))
    a, b = group.parse("s"), group.parse("sr2")
    assert group.compose(a, b) == parent.compose(a, b) == parent.parse("r2")
    assert group.name == "⟨r², s⟩"
    assert not group.contains(parent.parse("r"))
    assert not group.contains((5, 7))
    assert group == pickle.loads(pickle.dumps(group))
    assert hash(group) == hash(subgroup_as_group(parent, group.subgroup))


def test_elements_that_are_no_subgroup_are_named():
    parent = DihedralGroup(4)
    no_group = Subgroup("H", frozenset([parent.identity, parent.parse("r")]))
    with pytest.raises(InputError, match=r"H is no subgroup of D4: its elements r generate r"):
        subgroup_as_group(parent, no_group)
    with pytest.raises(InputError, match="lacks the identity"):
        subgroup_as_group(parent, Subgroup("H", frozenset([parent.parse("r")])))
    with pytest.raises(InputError, match="elements of D4"):
        subgroup_as_group(parent, Subgroup("H", frozenset([parent.identity, (7, 7)])))


@given(groups)
def test_the_cayley_table_is_composition(group):
    table = cayley_table(group)
    elements = group.elements()
    assert table.shape == (group.order, group.order)
    for i in range(0, group.order, 3):
        for j in range(0, group.order, 5):
            assert elements[table[i, j]] == group.compose(elements[i], elements[j])


def test_too_large_a_table_is_refused():
    with pytest.raises(InputError, match="at most 2000"):
        cayley_table(CyclicGroup(2001))
