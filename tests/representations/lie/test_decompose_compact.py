"""What representations of compact Lie groups contain."""

import json
from pathlib import Path

import pytest
import torch

from goldstone.core import InputError
from goldstone.groups import (
    Group,
    OrthogonalGroup,
    SpecialOrthogonalGroup,
    SpecialUnitaryGroup,
)
from goldstone.representations import (
    ChangeOfBasis,
    DirectSum,
    ExteriorPower,
    O2Irrep,
    O3Irrep,
    Realification,
    Representation,
    SO2ComplexIrrep,
    SO2Irrep,
    SO3Irrep,
    StandardRepresentation,
    SU2Irrep,
    SU3Irrep,
    SymmetricPower,
    TensorProduct,
    decompose,
    irrep_multiplicities,
    irreps_up_to,
)

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "su3.json").read_text("utf-8"))
GROUPS = (
    (SpecialOrthogonalGroup(2), 3),
    (OrthogonalGroup(2), 3),
    (SpecialOrthogonalGroup(3), 2),
    (OrthogonalGroup(3), 1),
    (SpecialUnitaryGroup(2), 1.5),
    (SpecialUnitaryGroup(3), 1),
)
each_group = pytest.mark.parametrize(("group", "degree"), GROUPS, ids=lambda x: str(x))


def check(representation: Representation) -> None:
    found = decompose(representation)
    elements = representation.group.sample(torch.Generator().manual_seed(1), (5,))
    inside = found.inverse_basis @ representation(elements).to(found.basis) @ found.basis
    assert (inside - found.direct_sum(elements)).abs().max() < 1e-10


@each_group
def test_sums_of_irreps_are_found_again(group: Group, degree: float) -> None:
    irreps = irreps_up_to(group, degree)
    parts = irreps + irreps[-1:] + irreps[:1] * 2
    counts = irrep_multiplicities(DirectSum(group, parts))
    assert counts == {irrep: parts.count(irrep) for irrep in irreps}
    check(DirectSum(group, parts))


@each_group
def test_tensor_powers_decompose(group: Group, degree: float) -> None:
    standard = StandardRepresentation(group)
    check(TensorProduct(group, (standard, standard, standard)))


@each_group
def test_skew_bases_decompose(group: Group, degree: float) -> None:
    irreps = irreps_up_to(group, degree)
    straight = DirectSum(group, irreps + irreps[1:3] + irreps[1:2])
    n = straight.dimension
    basis = torch.randn(n, n, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    check(ChangeOfBasis(straight, basis / 3 + 2 * torch.eye(n)))


def test_closed_forms() -> None:
    def counted(representation: Representation) -> dict[str, int]:
        return {r.name: n for r, n in irrep_multiplicities(representation).items()}

    space = StandardRepresentation(OrthogonalGroup(3))
    assert counted(SymmetricPower(space, 2)) == {"0e": 1, "2e": 1}
    assert counted(ExteriorPower(space, 2)) == {"1e": 1}
    assert counted(ExteriorPower(space, 3)) == {"0o": 1}
    assert counted(SymmetricPower(space, 3)) == {"1o": 1, "3o": 1}
    plane = StandardRepresentation(OrthogonalGroup(2))
    assert counted(TensorProduct(plane.group, (plane, plane))) == {"A1": 1, "A2": 1, "E2": 1}
    quarks = StandardRepresentation(SpecialUnitaryGroup(3))
    threes = TensorProduct(quarks.group, (quarks, quarks, quarks))
    assert counted(threes) == {"(0,0)": 1, "(1,1)": 2, "(3,0)": 1}
    spins = TensorProduct(SpecialUnitaryGroup(2), (SU2Irrep(2.5), SU2Irrep(1)))
    assert counted(spins) == {"D3/2": 1, "D5/2": 1, "D7/2": 1}
    phases = DirectSum(SpecialOrthogonalGroup(2), (SO2ComplexIrrep(2), SO2ComplexIrrep(-1)))
    assert counted(phases) == {"k=-1": 1, "k=2": 1}


def test_products_of_su3_are_those_of_gap() -> None:
    for case in GOLDEN["products"]:
        a, b = (SU3Irrep(*weight) for weight in case["factors"])
        expected = {SU3Irrep(p, q): n for p, q, n in case["terms"]}
        assert irrep_multiplicities(TensorProduct(a.group, (a, b))) == expected


def test_real_forms_of_complex_irreps_contain_both_conjugates() -> None:
    assert irrep_multiplicities(Realification(SU3Irrep(1, 0))) == {
        SU3Irrep(1, 0): 1,
        SU3Irrep(0, 1): 1,
    }
    check(Realification(SU2Irrep(0.5)))


def test_high_degrees() -> None:
    product = TensorProduct(SpecialOrthogonalGroup(3), (SO3Irrep(8), SO3Irrep(7)))
    assert irrep_multiplicities(product) == {SO3Irrep(k): 1 for k in range(1, 16)}


def test_other_groups_are_refused() -> None:
    with pytest.raises(InputError, match=r"not SO\(4\)"):
        irrep_multiplicities(StandardRepresentation(SpecialOrthogonalGroup(4)))


def test_order_and_field() -> None:
    twice = DirectSum(OrthogonalGroup(3), (O3Irrep(2, 1), O3Irrep(0, -1), O3Irrep(2, 1)))
    assert str(decompose(twice)) == "2 2e ⊕ 0o"
    mixed = DirectSum(SpecialOrthogonalGroup(2), (SO2Irrep(1), SO2ComplexIrrep(0)))
    assert set(irrep_multiplicities(mixed)) == {SO2ComplexIrrep(k) for k in (-1, 0, 1)}
    assert set(irrep_multiplicities(O2Irrep(3))) == {O2Irrep(3)}
