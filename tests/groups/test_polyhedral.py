"""The groups of the Platonic solids and finite groups of matrices."""

import json
from collections import Counter
from math import cos, pi, sin, sqrt
from pathlib import Path

import pytest
import torch

from goldstone.core import InputError
from goldstone.groups import (
    MatrixGroup,
    PolyhedralGroup,
    SignedPermutationGroup,
    icosahedral_group,
    octahedral_group,
    tetrahedral_group,
)

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "polyhedral.json").read_text("utf-8"))[
    "groups"
]
SYMBOLS = {"tetrahedral": "T", "octahedral": "O", "icosahedral": "I"}
ALL = ("T", "Td", "Th", "O", "Oh", "I", "Ih")
GOLDEN_RATIO = (1 + sqrt(5)) / 2


def matrices_of(group):
    return group.matrices(group.element_tensor())


@pytest.mark.parametrize("symbol", ALL)
def test_matrices_are_orthogonal_and_of_exact_entries(symbol):
    matrices = matrices_of(PolyhedralGroup(symbol))
    one = torch.eye(3, dtype=torch.float64).expand_as(matrices)
    torch.testing.assert_close(matrices @ matrices.mT, one, atol=1e-15, rtol=0)
    entries = {0.0, 0.5, 1.0, GOLDEN_RATIO / 2, (GOLDEN_RATIO - 1) / 2}
    assert set(matrices.abs().flatten().tolist()) <= entries
    reflections = torch.linalg.det(matrices) < 0
    assert int(reflections.sum()) == (len(matrices) // 2 if len(symbol) == 2 else 0)


@pytest.mark.parametrize("solid", SYMBOLS)
def test_classes_against_golden_values(solid):
    golden, group = GOLDEN[solid], PolyhedralGroup(SYMBOLS[solid])
    assert group.order == golden["order"]
    representatives = group.from_matrices(
        torch.tensor(golden["class_representatives"], dtype=torch.float64)
    )
    elements = group.element_tensor()
    sizes = [
        len(set(group.values(group.conjugate(a.expand_as(elements), elements))))
        for a in representatives
    ]
    assert sizes == golden["class_sizes"]


def test_the_full_octahedral_group_is_that_of_signed_permutations():
    signed = SignedPermutationGroup(3)
    expected = {str(m) for m in signed.matrices(signed.element_tensor()).tolist()}
    assert {str(m) for m in matrices_of(PolyhedralGroup("Oh")).tolist()} == expected


@pytest.mark.parametrize(
    ("small", "large"),
    [("T", "Td"), ("T", "Th"), ("Th", "Oh"), ("O", "Oh"), ("T", "I"), ("I", "Ih")],
)
def test_inclusions(small, large):
    inner, outer = PolyhedralGroup(small), PolyhedralGroup(large)
    found = outer.from_matrices(matrices_of(inner))
    torch.testing.assert_close(outer.matrices(found), matrices_of(inner), atol=0, rtol=0)


def kinds(group):
    return Counter(group.element_name(a).split("[")[0] for a in group.elements())


def test_names_by_kind():
    # Textbook lists of the symmetry operations.
    assert kinds(tetrahedral_group(reflections=True)) == {
        "e": 1, "C3": 4, "C3²": 4, "C2": 3, "S4": 3, "S4³": 3, "σ": 6,
    }  # fmt: skip
    assert kinds(octahedral_group()) == {"e": 1, "C3": 4, "C3²": 4, "C2": 9, "C4": 3, "C4³": 3}
    assert kinds(icosahedral_group(reflections=True)) == {
        "e": 1, "i": 1, "C2": 15, "σ": 15, "C3": 10, "C3²": 10, "S6": 10, "S6⁵": 10,
        "C5": 6, "C5²": 6, "C5³": 6, "C5⁴": 6, "S10": 6, "S10³": 6, "S10⁷": 6, "S10⁹": 6,
    }  # fmt: skip


def test_names_say_axis_and_angle():
    group = octahedral_group(reflections=True)

    def matrix(name):
        return group.matrices(group.tensor((group.parse(name),)))[0].tolist()

    assert matrix("C4[0,0,1]") == [[0, -1, 0], [1, 0, 0], [0, 0, 1]]
    assert matrix("C3[1,1,1]") == [[0, 0, 1], [1, 0, 0], [0, 1, 0]]
    assert matrix("i") == [[-1, 0, 0], [0, -1, 0], [0, 0, -1]]
    assert matrix("σ[1,-1,0]") == [[0, 1, 0], [1, 0, 0], [0, 0, 1]]
    assert matrix("S4[0,0,1]") == [[0, -1, 0], [1, 0, 0], [0, 0, -1]]
    five = icosahedral_group()
    turn = five.matrices(five.tensor((five.parse("C5[0,1,φ]"),)))[0]
    axis = torch.tensor([0.0, 1.0, GOLDEN_RATIO], dtype=torch.float64)
    torch.testing.assert_close(turn @ axis, axis)
    assert float(turn.trace()) == pytest.approx(1 + 2 * cos(2 * pi / 5))


def test_matrix_group_of_rounded_rotations():
    c, s = cos(2 * pi / 7), sin(2 * pi / 7)
    group = MatrixGroup([[[c, -s], [s, c]], [[-1.0, 0.0], [0.0, 1.0]]], "D7")
    assert (group.order, group.name, group.degree) == (14, "D7", 2)
    # Exact although the matrices are rounded: the seventh power is the identity.
    r = group.from_matrices(torch.tensor([[c, -s], [s, c]], dtype=torch.float64))
    assert torch.equal(group.power(r, 7), group.identity_tensor(r))


def test_matrix_group_of_f4():
    # The Weyl group of F4 has order 1152 (Humphreys, Reflection Groups and Coxeter Groups, 1990).
    roots = torch.tensor(
        [[0, 1, -1, 0], [0, 0, 1, -1], [0, 0, 0, 1], [0.5, -0.5, -0.5, -0.5]], dtype=torch.float64
    )
    one = torch.eye(4, dtype=torch.float64)
    reflections = [one - 2 * torch.outer(v, v) / v.dot(v) for v in roots]
    group = MatrixGroup(torch.stack(reflections), "W(F4)")
    assert group.order == 1152
    elements = group.sample(torch.Generator().manual_seed(1), (30,))
    torch.testing.assert_close(
        group.matrices(group.compose(elements, elements)), group.matrices(elements).matrix_power(2)
    )


@pytest.mark.parametrize(
    ("generators", "message"),
    [
        ([[[cos(1), -sin(1)], [sin(1), cos(1)]]], "more than 2000 others"),
        ([[[1.0, 1.0], [0.0, 1.0]]], "more than 2000 others"),
        ([[[2.0, 0.0], [0.0, 1.0]]], "determinant ±1"),
        ([[[0.0, 0.0], [0.0, 1.0]]], "determinant ±1"),
        ([[[1.0, 2.0]]], "shape"),
        ([], "shape"),
        ([[[float("nan")]]], "NaN"),
    ],
)
def test_matrix_group_errors(generators, message):
    with pytest.raises(InputError, match=message):
        MatrixGroup(generators)


def test_foreign_matrices_are_refused():
    quarter = torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]], dtype=torch.float64)
    with pytest.raises(InputError, match="of I, got others"):
        PolyhedralGroup("I").from_matrices(quarter)
