"""Lie algebras against sympy and exponentials against mpmath: tests/golden."""

import json
from pathlib import Path

import pytest
import torch

from goldstone.core import InputError
from goldstone.groups import (
    GalileiGroup,
    HeisenbergGroup,
    LorentzGroup,
    SpecialEuclideanGroup,
    SpecialLinearGroup,
    SpecialOrthogonalGroup,
    SpecialUnitaryGroup,
    SymplecticGroup,
)

GOLDEN = Path(__file__).parents[2] / "golden"
ALGEBRAS = json.loads((GOLDEN / "structure_constants.json").read_text())["algebras"]
EXPONENTIALS = json.loads((GOLDEN / "lie_exp_log.json").read_text())
GROUPS = {
    **{f"SO({n})": SpecialOrthogonalGroup(n) for n in (2, 3, 4, 5)},
    **{f"SE({n})": SpecialEuclideanGroup(n) for n in (2, 3)},
    **{f"SU({n})": SpecialUnitaryGroup(n) for n in (2, 3)},
    "SO+(1,3)": LorentzGroup(),
    "SO(1,3)": LorentzGroup(),
    "SL(2,R)": SpecialLinearGroup(2),
    "Sp(2,R)": SymplecticGroup(1),
    "Sp(4,R)": SymplecticGroup(2),
    "Heisenberg(3)": HeisenbergGroup(1),
    "Galilei(3)": GalileiGroup(3),
}
BY_LOWER_CASE = {name.lower(): group for name, group in GROUPS.items()}


@pytest.mark.parametrize("name", ALGEBRAS)
def test_lie_algebras(name):
    group, golden = BY_LOWER_CASE[name.lower()], ALGEBRAS[name]
    expected = torch.zeros((golden["dimension"],) * 3, dtype=torch.float64)
    for i, j, k, value in golden["structure_constants"]:
        expected[i, j, k] = value
    torch.testing.assert_close(group.structure_constants(), expected, rtol=0, atol=1e-14)
    killing = torch.tensor(golden["killing_form"], dtype=torch.float64)
    torch.testing.assert_close(group.killing_form(), killing, rtol=0, atol=1e-13)
    basis = torch.tensor(golden["basis_real"], dtype=torch.float64)
    if group.is_complex:
        basis = torch.complex(basis, torch.tensor(golden["basis_imaginary"], dtype=torch.float64))
    torch.testing.assert_close(group.basis, basis, rtol=0, atol=1e-15)


def matrix(parts, group):
    real = torch.tensor(parts["re"], dtype=torch.float64)
    if not group.is_complex:
        return real
    imaginary = parts.get("im", torch.zeros_like(real).tolist())
    return torch.complex(real, torch.tensor(imaginary, dtype=torch.float64))


CASES = [(name, i) for name, cases in EXPONENTIALS["groups"].items() for i in range(len(cases))]


@pytest.mark.parametrize(("name", "number"), CASES)
def test_exponentials(name, number):
    group, case = GROUPS[name], EXPONENTIALS["groups"][name][number]
    X, g = matrix(case["X"], group), matrix(case["exp"], group)
    x = group.vee(X)
    torch.testing.assert_close(group.hat(x), X, rtol=0, atol=1e-15)
    size = float(g.abs().max())
    torch.testing.assert_close(group.exp(x), g, rtol=0, atol=5e-15 * size)
    if case["principal"]:
        gap = torch.pi - case["largest_angle"]
        condition = float(torch.linalg.cond(g))
        closed = name in ("SO(2)", "SO(3)", "SU(2)")
        allowed = 1e-14 * condition if closed else 1e-14 * condition / min(gap, 1.0)
        torch.testing.assert_close(group.log(g), x, rtol=0, atol=allowed)


@pytest.mark.parametrize("case", EXPONENTIALS["outside"], ids=lambda case: case["reason"])
def test_outside_the_domain(case):
    group = GROUPS[case["group"]]
    g = torch.tensor(case["g"], dtype=group.element_dtype)
    with pytest.raises(InputError, match="is defined where"):
        group._log(g)
