"""Isomorphism tests, and names of structures."""

import json
from itertools import combinations, pairwise, product
from pathlib import Path

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
    PermutationGroup,
    SymmetricGroup,
    are_isomorphic,
    cayley_table,
    conjugate_subgroup,
    direct_product,
    find_isomorphism,
    invariant_factors,
    isomorphism_type,
    p4m,
    quotient_group,
    subgroup,
    subgroup_as_group,
)

golden = json.loads((Path(__file__).parents[1] / "golden" / "subgroup_counts.json").read_text())
up_to_15 = [PermutationGroup(entry["generators"]) for entry in golden["up_to_15"]]


def metacyclic(m, k, j):
    """C_m ⋊ C_k: the generator of C_k raises elements of C_m to the power j."""
    elements = list(product(range(m), range(k)))
    number = {a: i for i, a in enumerate(elements)}
    return CayleyGroup(
        [
            [number[(a + pow(j, b, m) * c) % m, (b + d) % k] for c, d in elements]
            for a, b in elements
        ]
    )


def relabelled(group, seed):
    """The same group with its elements, the identity too, in another order."""
    order = torch.randperm(group.order, generator=torch.Generator().manual_seed(seed))
    back = order.argsort()
    return CayleyGroup(back[cayley_table(group)[order][:, order]])


groups = st.one_of(
    st.integers(1, 30).map(CyclicGroup),
    st.integers(1, 15).map(DihedralGroup),
    st.tuples(st.integers(1, 6), st.integers(1, 6)).map(GridTranslations),
    st.integers(1, 4).map(SymmetricGroup),
    st.sampled_from([p4m(2), p4m(3), AlternatingGroup(5), metacyclic(7, 3, 2)]),
)


@given(groups, st.integers(0, 100))
@settings(max_examples=40)
def test_relabelling_is_seen_through(group, seed):
    other = relabelled(group, seed)
    phi = find_isomorphism(group, other)
    assert phi is not None
    assert phi.is_isomorphism
    assert isomorphism_type(group) == isomorphism_type(other)


def test_the_groups_up_to_order_15_differ():
    for a, b in combinations(up_to_15, 2):
        assert not are_isomorphic(a, b)
    for a in up_to_15:
        assert are_isomorphic(a, relabelled(a, 1))


def test_names_up_to_order_15():
    expected = (
        "C1 C2 C3 C4 C2×C2 C5 D3 C6 C7 C8 C2×C4 D4 Q8 C2×C2×C2 C9 C3×C3 D5 C10 C11 "
        "Dic3 C12 A4 D6 C2×C6 C13 D7 C14 C15"
    )
    assert [isomorphism_type(group) for group in up_to_15] == expected.split()


def test_names_of_order_16():
    # The nine that are not abelian.
    pauli = subgroup_as_group(
        SymmetricGroup(8),
        subgroup(
            SymmetricGroup(8),
            [(1, 2, 3, 0, 5, 6, 7, 4), (4, 5, 6, 7, 0, 1, 2, 3), (0, 1, 2, 3, 6, 7, 4, 5)],
        ),
    )
    found = {
        "D8": DihedralGroup(8),
        "SD16": metacyclic(8, 2, 3),
        "M16": metacyclic(8, 2, 5),
        "Q16": PermutationGroup(golden["groups"]["Q16"]["generators"]),
        "C2×D4": direct_product(CyclicGroup(2), DihedralGroup(4)),
        "C2×Q8": direct_product(
            CyclicGroup(2), PermutationGroup(golden["groups"]["Q8"]["generators"])
        ),
        "C4⋊C4": metacyclic(4, 4, 3),
        "(C2×C2)⋊C4": PermutationGroup(golden["groups"]["p4(2)"]["generators"]),
        "(C2×C4)⋊C2": pauli,
    }
    assert pauli.order == 16
    for name, group in found.items():
        assert group.order == 16
        assert isomorphism_type(group) == name
    for a, b in combinations(found.values(), 2):
        assert not are_isomorphic(a, b)


@pytest.mark.parametrize(
    ("group", "name"),
    [
        (metacyclic(3, 8, 2), "C3⋊C8"),
        (metacyclic(7, 3, 2), "C7⋊C3"),
        (metacyclic(5, 4, 2), "C5⋊C4"),
        (metacyclic(5, 4, 4), "Dic5"),
        (metacyclic(9, 3, 4), "C9⋊C3"),
        (direct_product(CyclicGroup(4), DihedralGroup(3)), "C4×D3"),
        (direct_product(DihedralGroup(3), CyclicGroup(10)), "C10×D3"),
        (direct_product(CyclicGroup(2), metacyclic(7, 3, 2)), "C2×(C7⋊C3)"),
        (p4m(5), "(C5×C5)⋊D4"),
        (SymmetricGroup(3), "D3"),
        (SymmetricGroup(5), "S5"),
        (AlternatingGroup(6), "A6"),
        (DihedralGroup(2), "C2×C2"),
        (GridTranslations((6, 4)), "C2×C12"),
    ],
)
def test_names(group, name):
    assert isomorphism_type(group) == name


@pytest.mark.parametrize("name", ["A5", "S5", "S6", "SL(2,3)", "GL(2,3)", "SL(2,5)", "PSL(2,7)"])
def test_names_of_known_groups(name):
    assert isomorphism_type(PermutationGroup(golden["groups"][name]["generators"])) == name


def test_names_of_quotients_and_subgroups():
    s4 = SymmetricGroup(4)
    four = subgroup(s4, [(1, 0, 3, 2), (2, 3, 0, 1)])
    assert isomorphism_type(subgroup_as_group(s4, four)) == "C2×C2"
    assert isomorphism_type(quotient_group(s4, four)) == "D3"
    moved = conjugate_subgroup(s4, subgroup(s4, [(1, 2, 3, 0)]), (1, 0, 2, 3))
    assert isomorphism_type(subgroup_as_group(s4, moved)) == "C4"


def test_like_colours_do_not_mislead():
    # C4 × C4 and C4 ⋊ C4 have as many elements of every order.
    assert not are_isomorphic(GridTranslations((4, 4)), metacyclic(4, 4, 3))
    # As have C8 × C2 and the modular group M16.
    assert not are_isomorphic(GridTranslations((8, 2)), metacyclic(8, 2, 5))
    # Exponent 3 and order 27: elementary abelian or Heisenberg.
    heisenberg = PermutationGroup(golden["groups"]["Heisenberg(3)"]["generators"])
    cube = direct_product(CyclicGroup(3), CyclicGroup(3), CyclicGroup(3))
    assert not are_isomorphic(heisenberg, cube)


@given(st.lists(st.integers(1, 12), min_size=1, max_size=3))
@settings(max_examples=30)
def test_invariant_factors(orders):
    factors = invariant_factors(direct_product(*map(CyclicGroup, orders)))
    size = 1
    for a, b in pairwise(factors):
        assert b % a == 0
    for d in factors:
        assert d > 1
        size *= d
    expected = 1
    for order in orders:
        expected *= order
    assert size == expected
    # As many solutions of aᵏ = e on both sides, for every k.
    for k in range(1, 13):
        assert number_of_solutions(orders, k) == number_of_solutions(factors, k)


def number_of_solutions(orders, k):
    count = 1
    for order in orders:
        count *= sum(a * k % order == 0 for a in range(order))
    return count


def test_groups_that_are_not_abelian_have_no_invariant_factors():
    with pytest.raises(InputError, match="an abelian group, got D3"):
        invariant_factors(DihedralGroup(3))
