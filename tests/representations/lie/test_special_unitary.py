"""Irreps of SU(2) and SU(3), against mpmath's small d and GAP's weights."""

import json
from cmath import exp
from collections import Counter
from fractions import Fraction
from math import comb, pi
from pathlib import Path

import pytest
import torch

from goldstone.groups import SpecialUnitaryGroup
from goldstone.representations import StandardRepresentation, SU2Irrep, SU3Irrep
from goldstone.representations.lie.gelfand_tsetlin import gelfand_tsetlin

FOLDER = Path(__file__).parents[2] / "golden"
WIGNER = json.loads((FOLDER / "wigner_d.json").read_text("utf-8"))
GOLDEN = json.loads((FOLDER / "su3.json").read_text("utf-8"))
each_weight = pytest.mark.parametrize("case", GOLDEN["irreps"], ids=lambda c: str(c["weight"]))


def test_small_d_matrices() -> None:
    for (twice_l, twice_m, twice_n), angle, expected in WIGNER["small_d"]:
        irrep = SU2Irrep(Fraction(twice_l, 2))
        turn = SpecialUnitaryGroup(2).exp(torch.tensor([0.0, angle, 0.0], dtype=torch.float64))
        found = irrep(turn)[(twice_l - twice_m) // 2, (twice_l - twice_n) // 2]
        assert abs(complex(found) - expected) < 1e-13


@each_weight
def test_dimension_casimir_and_dual(case: dict) -> None:
    irrep = SU3Irrep(*case["weight"])
    assert irrep.dimension == case["dimension"]
    generators = irrep.derivative(torch.eye(8, dtype=torch.float64))
    one = torch.eye(irrep.dimension, dtype=torch.complex128)
    assert (-(generators @ generators).sum(0) - case["casimir"] * one).abs().max() < 1e-12
    elements = irrep.group.sample(torch.Generator().manual_seed(1), (4,))
    dual = SU3Irrep(*case["dual"])
    assert (dual.character(elements) - irrep.character(elements).conj()).abs().max() < 1e-12


@each_weight
def test_dominant_weights_and_triality(case: dict) -> None:
    irrep = SU3Irrep(*case["weight"])
    weights = Counter(tuple(w) for w in irrep.weights.tolist())
    dominant = {(p, q): n for (p, q), n in weights.items() if min(p, q) >= 0}
    assert dominant == {(p, q): n for p, q, n in case["dominant_weights"]}
    centre = torch.eye(3, dtype=torch.complex128) * exp(2j * pi / 3)
    phase = exp(2j * pi / 3 * case["triality"])
    one = torch.eye(irrep.dimension, dtype=torch.complex128)
    assert (irrep(centre) - phase * one).abs().max() < 1e-12


def test_fundamental_duals_and_adjoint() -> None:
    group = SpecialUnitaryGroup(3)
    g = group.sample(torch.Generator().manual_seed(2), (5,))
    change = torch.tensor([[0, 0, 1], [0, -1, 0], [1, 0, 0]], dtype=torch.complex128)
    standard = StandardRepresentation(group)(g)
    assert (SU3Irrep(0, 1)(g) - change @ standard.conj() @ change).abs().max() < 1e-15
    adjoint = group.adjoint(g).diagonal(dim1=-2, dim2=-1).sum(-1)
    assert (SU3Irrep(1, 1).character(g) - adjoint).abs().max() < 1e-13


@pytest.mark.parametrize("n", [2, 3, 5, 8])
def test_characters_of_symmetric_powers(n: int) -> None:
    """(n, 0) is Symⁿ ℂ³: its character is the complete symmetric polynomial of the eigenvalues."""
    g = SpecialUnitaryGroup(3).sample(torch.Generator().manual_seed(n), (4,))
    a, b, c = torch.linalg.eigvals(g).unbind(-1)
    expected = sum(a**i * b**j * c ** (n - i - j) for i in range(n + 1) for j in range(n + 1 - i))
    assert (SU3Irrep(n, 0).character(g) - expected).abs().max() < 1e-11
    assert SU3Irrep(n, 0).dimension == comb(n + 2, 2)


@pytest.mark.parametrize(("p", "q"), [(0, 0), (1, 0), (0, 2), (2, 1), (3, 3), (6, 2)])
def test_elementary_matrices_satisfy_their_brackets(p: int, q: int) -> None:
    e = torch.from_numpy(gelfand_tsetlin(p, q).elementary())
    for i in range(3):
        for j in range(3):
            for k in range(3):
                for m in range(3):
                    bracket = e[i, j] @ e[k, m] - e[k, m] @ e[i, j]
                    expected = (j == k) * e[i, m] - (i == m) * e[k, j]
                    assert (bracket - expected).abs().max() < 1e-11
    assert e.diagonal().sum() == pytest.approx(0, abs=1e-10)
