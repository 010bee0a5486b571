"""Groups by name, and the names of Lie algebra bases."""

import pytest
import torch

from goldstone.core import InputError
from goldstone.groups import (
    GROUP_NAME_FORMS,
    CyclicGroup,
    DihedralGroup,
    DirectProduct,
    FiniteGroup,
    GridTranslations,
    LieGroup,
    LorentzGroup,
    PolyhedralGroup,
    SpecialLinearGroup,
    SymmetricGroup,
    SymplecticGroup,
    direct_product,
    group_named,
    p4m,
)

ORDERS = {
    "D4": 8,
    "C8": 8,
    "Z8": 8,
    "S4": 24,
    "A5": 60,
    "Q8": 8,
    "Q12": 12,
    "V4": 4,
    "K4": 4,
    "B3": 48,
    "T": 12,
    "Td": 24,
    "Th": 24,
    "O": 24,
    "Oh": 48,
    "I": 60,
    "Ih": 120,
    "2T": 24,
    "2I": 120,
    "p4(3)": 36,
    "p4m(8)": 512,
    "p4m(4x4)": 128,
    "Z4×Z6": 24,
    "C2×S3": 12,
    "C2×C2×C2": 8,
    "(C2×C2)×D3": 24,
}
DIMENSIONS = {
    "SO(2)": 1,
    "SO(3)": 3,
    "O(2)": 1,
    "SU(2)": 3,
    "SU(3)": 8,
    "U(2)": 4,
    "Spin(4)": 6,
    "SE(3)": 6,
    "E(2)": 3,
    "SL(2,R)": 3,
    "SL(2,C)": 6,
    "Sp(4,R)": 10,
    "SO(1,3)": 6,
    "SO+(1,3)": 6,
    "O(1,2)": 3,
    "Gal(3)": 10,
    "Heis(5)": 5,
    "R3": 3,
    "R": 1,
    "R+": 1,
    "Torus(2)": 2,
    "SO(3)×C2": 3,
    "SU(2)×SU(2)": 6,
}


@pytest.mark.parametrize(("name", "order"), ORDERS.items())
def test_finite_groups(name: str, order: int) -> None:
    group = group_named(name)
    assert isinstance(group, FiniteGroup)
    assert group.order == order


@pytest.mark.parametrize(("name", "dimension"), DIMENSIONS.items())
def test_lie_groups(name: str, dimension: int) -> None:
    group = group_named(name)
    assert isinstance(group, LieGroup)
    assert group.dimension == dimension


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("d4", DihedralGroup(4)),
        (" D_4 ", DihedralGroup(4)),
        ("td", PolyhedralGroup("Td")),
        ("p4m(4)", p4m(4)),
        ("z4xz2", GridTranslations((4, 2))),
        ("C2 x S3", direct_product(CyclicGroup(2), SymmetricGroup(3))),
        ("C2*S3", direct_product(CyclicGroup(2), SymmetricGroup(3))),
        ("((C2×S3))", direct_product(CyclicGroup(2), SymmetricGroup(3))),
        ("sl(2,ℂ)", SpecialLinearGroup(2, "complex")),
        ("Sp(4,ℝ)", SymplecticGroup(2)),
        ("SO⁺(1,3)", LorentzGroup(3)),
        ("SO(1,3)", LorentzGroup(3, "proper")),
        ("O(1,3)", LorentzGroup(3, "full")),
    ],
)
def test_spellings(name: str, group: FiniteGroup[object]) -> None:
    assert group_named(name) == group


def test_products_nest() -> None:
    nested = group_named("(C2×C2)×C3")
    assert isinstance(nested, DirectProduct)
    assert [factor.name for factor in nested.groups] == ["C2×C2", "C3"]
    assert len(group_named("C2×C2×C3").groups) == 3  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", [*ORDERS, *(form.example for form in GROUP_NAME_FORMS)])
def test_names_come_back(name: str) -> None:
    group = group_named(name)
    if not group.name.startswith(("shift", "scaling")):
        assert group_named(group.name) == group


def test_each_form_has_a_working_example() -> None:
    assert len({group_named(form.example).name for form in GROUP_NAME_FORMS}) == len(
        GROUP_NAME_FORMS
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("SO3", r"did you mean one like SO\(3\)"),
        ("Foo", r"forms Cn, Dn"),
        ("D", "did you mean one like D4"),
        ("", "names no group"),
        ("C2×", "'' names no group"),
        ("(C2", "names no group"),
        ("C2)×(C3", "names no group"),
        ("Q7", "divisible by 4"),
        ("Q0", "divisible by 4"),
        ("Sp(3,R)", "even size"),
        ("Heis(4)", "odd dimension"),
        ("C0", "n ≥ 1"),
        ("SO(0)", "got 0"),
        ("SO(99)", "size up to 40"),
        ("S101", "up to 100 points"),
        ("Spin(11)", "from 2 to 10"),
        ("D" * 300, "up to 200 letters"),
    ],
)
def test_what_names_no_group_is_explained(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        group_named(name)


@pytest.mark.parametrize("name", [*DIMENSIONS, "SO(5)", "SL(3,C)", "SO(12)", "U(1)", "E(1)"])
def test_basis_names_are_as_many_and_different(name: str) -> None:
    group = group_named(name)
    assert isinstance(group, LieGroup)
    assert len(set(group.basis_names)) == len(group.basis_names) == group.dimension


@pytest.mark.parametrize(
    ("name", "relation"),
    [
        ("SO(3)", "Jx Jy Jz"),
        ("Spin(3)", "Jx Jy Jz"),
        ("SE(3)", "Jx Py Pz"),
        ("SE(2)", "J Px Py"),
        ("SO(1,3)", "Jx Ky Kz"),
        ("SO(1,3)", "Kx Ky -Jz"),
        ("Gal(2)", "H Gx -Px"),
        ("Heis(3)", "X Y Z"),
        ("SL(2,R)", "E F H"),
        ("SL(3,R)", "E12 E23 E13"),
        ("SL(3,R)", "E12 E21 H1"),
        ("SL(2,C)", "E iF iH"),
        ("Sp(4,R)", "A12 B22 B21"),
        ("SU(2)", "T1 T2 T3"),
    ],
)
def test_basis_names_mean_what_they_say(name: str, relation: str) -> None:
    """[X, Y] = ±Z by the relations of the physics books."""
    group = group_named(name)
    assert isinstance(group, LieGroup)
    first, second, third = relation.split()
    names, one = group.basis_names, torch.eye(group.dimension, dtype=torch.float64)
    bracket = group.bracket(one[names.index(first)], one[names.index(second)])
    sign = -1.0 if third.startswith("-") else 1.0
    expected = sign * one[names.index(third.removeprefix("-"))]
    torch.testing.assert_close(bracket, expected, atol=1e-12, rtol=0.0)
