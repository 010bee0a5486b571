"""Summaries: plain data, in agreement with the literature and with the computed structure."""

import json
from cmath import exp, pi
from math import sqrt

import pytest
import torch

from goldstone.core import from_json, to_json
from goldstone.groups import (
    FiniteGroup,
    cayley_graph,
    group_named,
    homomorphism_from_generators,
)
from goldstone.representations import GroupSummary, irreps, summarise_group
from goldstone.representations.summary import FiniteSummary, LieSummary, readable_number


def finite(name: str) -> FiniteSummary:
    found = summarise_group(group_named(name)).finite
    assert found is not None
    return found


def lie(name: str) -> LieSummary:
    found = summarise_group(group_named(name)).lie
    assert found is not None
    return found


@pytest.mark.parametrize(
    "name",
    [*("C1", "D4", "Q8", "S4", "A5", "2T", "C2×C2×C2", "p4m(8)", "S7"), *("SO(3)", "SU(3)", "R2")],
)
def test_json_round_trip(name: str) -> None:
    summary = summarise_group(group_named(name))
    text = json.dumps(to_json(summary), allow_nan=False)
    assert from_json(GroupSummary, json.loads(text)) == summary
    assert (summary.finite is None) != (summary.lie is None)


def test_square() -> None:
    d4 = finite("D4")
    assert (d4.order, d4.type, d4.is_abelian, d4.is_solvable, d4.exponent) == (
        *(8, "D4", False, True),
        4,
    )
    assert d4.order_counts == ((1, 1), (2, 5), (4, 2))
    assert d4.generators == ("r", "s")
    assert d4.elements is not None
    assert [e.name for e in d4.elements] == ["e", "r", "r²", "r³", "s", "sr", "sr²", "sr³"]
    assert d4.classes is not None
    assert {(c.name, c.representative, c.size, c.order) for c in d4.classes} == {
        ("1A", "e", 1, 1),
        ("4A", "r", 2, 4),
        ("2A", "r²", 1, 2),
        ("2B", "s", 2, 2),
        ("2C", "sr", 2, 2),
    }
    assert d4.centre is not None
    assert d4.commutator_subgroup is not None
    assert (d4.centre.name, d4.centre.type) == ("⟨r²⟩", "C2")
    assert (d4.commutator_subgroup.name, d4.commutator_subgroup.order) == ("⟨r²⟩", 2)
    assert d4.complex_irreps is not None
    table = {s.name: s.characters for s in d4.complex_irreps}
    columns = [c.representative for c in d4.classes]
    assert dict(zip(columns, table["E"], strict=True)) == {
        "e": "2",
        "r": "0",
        "r²": "-2",
        "s": "0",
        "sr": "0",
    }
    assert dict(zip(columns, table["A2"], strict=True)) == {
        "e": "1",
        "r": "1",
        "r²": "1",
        "s": "-1",
        "sr": "-1",
    }


@pytest.mark.parametrize(
    ("name", "count", "classes"), [("D4", 10, 8), ("S4", 30, 11), ("A5", 59, 9), ("Q8", 6, 6)]
)
def test_lattices(name: str, count: int, classes: int) -> None:
    lattice = finite(name).lattice
    assert lattice is not None
    assert (lattice.count, len(lattice.classes)) == (count, classes)
    assert sum(c.conjugates for c in lattice.classes) == count
    for covering in lattice.coverings:
        lower, upper = lattice.classes[covering.lower], lattice.classes[covering.upper]
        assert upper.order % lower.order == 0
        assert covering.below * upper.conjugates == covering.above * lower.conjugates


def test_many_classes_have_names() -> None:
    classes = finite("C53").classes
    assert classes is not None
    names = [c.name for c in classes]
    assert names[:3] == ["1A", "53A", "53B"]
    assert names[26:28] == ["53Z", "53AA"]
    assert len(set(names)) == 53


def test_types_of_the_subgroups_of_s4() -> None:
    lattice = finite("S4").lattice
    assert lattice is not None
    found = sorted((str(c.type), c.conjugates) for c in lattice.classes)
    assert found == sorted(
        [
            *[("C1", 1), ("C2", 3), ("C2", 6), ("C3", 4), ("C2×C2", 1), ("C2×C2", 3), ("C4", 3)],
            *[("D3", 4), ("D4", 3), ("A4", 1), ("S4", 1)],
        ]
    )


@pytest.mark.parametrize("name", ["D4", "Q8", "A4", "A5", "2T", "C6", "Th", "C2×S3", "p4m(4)"])
def test_irreps_have_their_own_characters(name: str) -> None:
    group = group_named(name)
    assert isinstance(group, FiniteGroup)
    summary = finite(name)
    assert summary.complex_irreps is not None
    assert summary.real_irreps is not None
    assert sum(s.dimension**2 for s in summary.complex_irreps) == group.order
    for found, irrep in zip(summary.complex_irreps, irreps(group, "complex"), strict=True):
        assert (found.name, found.dimension, found.type) == (
            *(irrep.name, irrep.dimension),
            irrep.frobenius_schur_type,
        )
        assert found.characters[0] == str(irrep.dimension)
    for found, irrep in zip(summary.real_irreps, irreps(group), strict=True):
        assert (found.name, found.type) == (irrep.name, irrep.frobenius_schur_type)


@pytest.mark.parametrize(("name", "most"), [("p4m(8)", "p4m(8×8)"), ("S6", "S6")])
def test_real_irreps_without_construction(name: str, most: str) -> None:
    """Σ d²/dim End = |G|, although the irreps are read off the character table."""
    summary = summarise_group(group_named(name))
    assert summary.name == most
    assert summary.finite is not None
    assert summary.finite.real_irreps is not None
    ends = {"real": 1, "complex": 2, "quaternionic": 4}
    total = sum(s.dimension**2 // ends[s.type] for s in summary.finite.real_irreps)
    assert total == summary.finite.order


def test_large_groups_leave_out_and_say_so() -> None:
    summary = summarise_group(group_named("S12"))
    assert summary.finite is not None
    assert summary.finite.order == 479001600
    assert summary.finite.lattice is None
    assert {o.part: o.reason for o in summary.omitted}["subgroup lattice"] == (
        "the order is over 240"
    )
    many = summarise_group(group_named("C2×C2×C2×C2×C2×C2×C2"))
    reasons = {o.part: o.reason for o in many.omitted}
    assert "more than 2000 subgroups" in reasons["subgroup lattice"]
    assert "over 100 conjugacy classes" in reasons["character table"]


@pytest.mark.parametrize("name", ["D4", "S4", "Q8", "C1", "V4"])
def test_cayley_graph(name: str) -> None:
    group = group_named(name)
    assert isinstance(group, FiniteGroup)
    summary = finite(name)
    assert summary.cayley_graph is not None
    assert summary.elements is not None
    rotation = torch.tensor(summary.cayley_graph.rotation)
    for step, targets in zip(group.generators(), summary.cayley_graph.targets, strict=True):
        for g, image in zip(group.elements(), targets, strict=True):
            assert summary.elements[image].name == group.element_name(group.compose(g, step))
        column = torch.tensor(targets)
        assert torch.equal(column[rotation], rotation[column])  # it maps arrows to arrows


def test_cayley_graph_of_generators_that_do_not_generate_is_not_connected() -> None:
    group = group_named("C6")
    assert isinstance(group, FiniteGroup)
    graph = cayley_graph(group, [2])
    assert graph.targets[:, 0].tolist() == [2, 3, 4, 5, 0, 1]
    with pytest.raises(ValueError, match="other than the identity"):
        cayley_graph(group, [0])
    assert cayley_graph(group) == cayley_graph(group, group.generators())
    # A Cayley graph of the image of a homomorphism is the image of the graph.
    onto = homomorphism_from_generators(group, group_named("C3"), [1])
    images = onto(group.element_tensor())
    assert torch.equal(images[graph.targets[:, 0]], (images + 2) % 3)


def test_rotations() -> None:
    so3 = lie("SO(3)")
    assert so3.brackets == ("[Jx, Jy] = Jz", "[Jx, Jz] = -Jy", "[Jy, Jz] = Jx")
    assert so3.killing_signature == (0, 3, 0)
    assert so3.is_compact
    assert so3.component_generators == ()
    assert so3.irreps is not None
    assert [s.dimension for s in so3.irreps] == [1, 3, 5, 7]


@pytest.mark.parametrize(
    ("name", "signature"),
    [
        ("SU(3)", (0, 8, 0)),
        ("SL(2,R)", (2, 1, 0)),
        ("SO(1,3)", (3, 3, 0)),
        ("Sp(4,R)", (6, 4, 0)),
        ("SE(3)", (0, 3, 3)),
        ("Heis(3)", (0, 0, 3)),
        ("SL(2,C)", (3, 3, 0)),
    ],
)
def test_killing_signatures(name: str, signature: tuple[int, int, int]) -> None:
    """By Cartan: (non-compact, compact, radical's part) generators."""
    assert lie(name).killing_signature == signature


def test_components_and_brackets() -> None:
    assert len(lie("O(2)").component_generators) == 1
    assert len(lie("O(1,3)").component_generators) == 2
    assert lie("Heis(3)").brackets == ("[X, Y] = Z",)
    assert lie("R3").brackets == ()
    assert "[E, F] = H" in (lie("SL(2,R)").brackets or ())
    assert "[T4, T5] = 1/2 T3 + √3/2 T8" in (lie("SU(3)").brackets or ())
    summary = summarise_group(group_named("SO(40)"))
    assert summary.lie is not None
    assert summary.lie.brackets is None
    assert "brackets" in {o.part for o in summary.omitted}


@pytest.mark.parametrize(
    ("value", "exponent", "text"),
    [
        (3, 1, "3"),
        (-0.0, 1, "0"),
        (sqrt(2), 8, "√2"),
        (-sqrt(3), 12, "-√3"),
        ((1 + sqrt(5)) / 2, 5, "φ"),
        ((1 - sqrt(5)) / 2, 5, "1-φ"),
        (1j, 4, "i"),
        (-2j, 4, "-2i"),
        (1j * sqrt(3), 3, "i√3"),
        (-1j * sqrt(2), 8, "-i√2"),
        (exp(2j * pi / 3), 3, "ζ3"),
        (exp(4j * pi / 3), 6, "ζ3²"),
        (2 * exp(2j * pi * 3 / 8), 8, "2ζ8³"),
        (2 * exp(2j * pi * 11 / 12), 12, "2ζ12¹¹"),
        ((-1 + 1j * sqrt(7)) / 2, 84, "-0.5+1.323i"),
        (2 * (2 * pi / 7 * 1j).real + 1.247, 7, "1.247"),
    ],
)
def test_readable_numbers(value: complex, exponent: int, text: str) -> None:
    assert readable_number(complex(value), exponent) == text
