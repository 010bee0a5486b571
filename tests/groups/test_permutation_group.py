"""Permutations, their notation, and groups that they generate."""

import json
from collections import Counter
from math import factorial
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from goldstone.core import InputError
from goldstone.groups import AlternatingGroup, PermutationGroup, SymmetricGroup, parse_cycles
from goldstone.groups.permutations import cycle_notation

GOLDEN = json.loads(
    (Path(__file__).parents[1] / "golden" / "subgroup_counts.json").read_text("utf-8")
)["groups"]

some_generators = st.integers(1, 6).flatmap(
    lambda n: st.lists(st.permutations(range(n)), min_size=1, max_size=3)
)


def closure(generators):
    """The slow oracle: products of tuples until nothing is new."""
    found = {tuple(range(len(generators[0])))}
    frontier = set(found)
    while frontier:
        frontier = {tuple(a[i] for i in b) for a in generators for b in frontier} - found
        found |= frontier
    return found


@given(some_generators)
@settings(deadline=None, max_examples=60)
def test_against_closure(generators):
    group = PermutationGroup(generators)
    expected = closure(generators)
    assert group.order == len(expected)
    assert set(group.elements()) == expected
    everything = SymmetricGroup(group.points).element_tensor()
    inside = {tuple(row) for row in everything[group.member_mask(everything)].tolist()}
    assert inside == expected


@pytest.mark.parametrize("name", GOLDEN)
def test_orders_of_elements_and_classes(name):
    golden = GOLDEN[name]
    group = PermutationGroup(golden["generators"], name)
    assert group.order == golden["order"]
    orders = Counter(group.element_order(a) for a in group.elements())
    assert sorted(orders.items()) == sorted(map(tuple, golden["element_orders"]))
    if group.order <= 400:
        # Burnside: commuting pairs over order is the number of classes.
        a = group.element_tensor()
        products = group.compose(a[:, None], a[None])
        commuting = (products == products.transpose(0, 1)).all(-1).sum()
        assert int(commuting) == golden["conjugacy_classes"] * group.order


@pytest.mark.parametrize(
    ("points", "generators", "order"),
    [
        # The Mathieu groups M11 and M24 (Conway et al., ATLAS of Finite Groups, 1985).
        (11, ["(2 10)(4 11)(5 7)(8 9)", "(1 4 3 8)(2 5 6 9)"], 7_920),
        (
            24,
            [
                "(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23)",
                "(3 17 10 7 9)(4 13 14 19 5)(8 18 11 12 23)(15 20 22 21 16)",
                "(1 24)(2 23)(3 12)(4 16)(5 18)(6 10)(7 20)(8 14)(9 21)(11 17)(13 22)(15 19)",
            ],
            244_823_040,
        ),
        (8, ["(1 2 3)", "(2 3 4 5 6 7 8)"], factorial(8) // 2),
        (25, ["(1 2)", "(" + " ".join(map(str, range(1, 26))) + ")"], factorial(25)),
    ],
)
def test_known_orders(points, generators, order):
    group = PermutationGroup([parse_cycles(text, points) for text in generators])
    assert group.order == order
    a, b = group.sample(torch.Generator().manual_seed(0), (2, 20))
    assert group.contains(group.compose(a, group.inverse(b)))
    if order < 2**63:
        assert torch.equal(group.from_index(group.index(a)), a)


def test_the_same_elements_as_the_alternating_group():
    a5 = PermutationGroup([parse_cycles("(1 2 3)", 5), parse_cycles("(1 2 3 4 5)", 5)], "A5")
    assert set(a5.elements()) == set(AlternatingGroup(5).elements())
    assert not a5.contains((1, 0, 2, 3, 4))
    assert not a5.contains((0, 0, 2, 3, 4))
    assert not a5.contains((0, 1, 2, 3, 9))
    assert a5.name == "A5"
    assert PermutationGroup([(1, 0, 2)]).name == "⟨(1 2)⟩"


def test_order_of_the_symmetric_group_is_lexicographic():
    assert list(SymmetricGroup(5).elements()) == sorted(SymmetricGroup(5).elements())
    assert list(AlternatingGroup(5).elements()) == sorted(AlternatingGroup(5).elements())


@given(st.integers(1, 12).flatmap(lambda n: st.permutations(range(n))))
def test_cycle_notation_is_read_back(images):
    assert parse_cycles(cycle_notation(images), len(images)) == tuple(images)


def test_cycle_notation():
    assert parse_cycles("(1 2 3)(4 5)", 5) == (1, 2, 0, 4, 3)
    assert parse_cycles("(123)(45)", 5) == parse_cycles("(1,2,3) (4,5)", 5) == (1, 2, 0, 4, 3)
    # Not disjoint: the right cycle acts first.
    assert parse_cycles("(1 2)(2 3)", 3) == parse_cycles("(1 2 3)", 3)
    assert parse_cycles("(10 11)", 11) == (*range(9), 10, 9)
    assert parse_cycles("()", 2) == parse_cycles("e", 2) == (0, 1)
    assert cycle_notation((1, 2, 0, 4, 3)) == "(1 2 3)(4 5)"


@pytest.mark.parametrize("text", ["", "1 2", "(1 2", "(1 6)", "(0 1)", "(1 1)", "(1 2)x", "(a b)"])
def test_unreadable_cycles(text):
    with pytest.raises(InputError, match=r"points 1 … 5 in cycle notation"):
        parse_cycles(text, 5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PermutationGroup([]), "at least one generator"),
        (lambda: PermutationGroup([(1, 2)]), "each of the points 0 … 1 once"),
        (lambda: PermutationGroup([(1, 0), (0, 1, 2)]), "each of the points 0 … 1 once"),
        (lambda: PermutationGroup([()]), "generators"),
        (lambda: AlternatingGroup(4).parse("(1 2)"), "outside A4"),
        (
            lambda: PermutationGroup(SymmetricGroup(21).generators()).index(torch.arange(21)),
            "exceed 64-bit",
        ),
    ],
)
def test_errors(make, message):
    with pytest.raises(InputError, match=message):
        make()
