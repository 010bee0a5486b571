"""Finite subgroups of Lie groups."""

import pytest
import torch

from goldstone.core import InputError
from goldstone.groups import (
    AdditiveGroup,
    CyclicGroup,
    DicyclicGroup,
    DihedralGroup,
    EuclideanGroup,
    GridTranslations,
    OrthogonalGroup,
    PolyhedralGroup,
    SignedPermutationGroup,
    SpecialEuclideanGroup,
    SpecialOrthogonalGroup,
    SpecialUnitaryGroup,
    SymmetricGroup,
    TorusGroup,
    UnitaryGroup,
    binary_polyhedral_group,
    conjugacy_classes,
    discretise,
    embedding,
    unitary_covering,
)


@pytest.mark.parametrize(
    ("group", "steps", "expected"),
    [
        (SpecialOrthogonalGroup(2), 8, CyclicGroup(8)),
        (OrthogonalGroup(2), 6, DihedralGroup(6)),
        (SpecialEuclideanGroup(2), 5, CyclicGroup(5)),
        (EuclideanGroup(2), 4, DihedralGroup(4)),
        (SpecialOrthogonalGroup(3), 7, DihedralGroup(7)),
        (OrthogonalGroup(3), 6, DihedralGroup(6)),
        (SpecialUnitaryGroup(2), 5, DicyclicGroup(5)),
        (TorusGroup((2.0,)), 16, CyclicGroup(16)),
        (TorusGroup((2.0, 3.0)), (8, 6), GridTranslations((8, 6))),
    ],
)
def test_families(group, steps, expected):
    found = discretise(group, steps)
    assert found.source == expected
    assert found.target == group
    elements = expected.element_tensor()
    images = found(elements)
    assert group.contains(images)
    assert found.is_injective
    found.check(elements, elements)


@pytest.mark.parametrize(
    ("subgroup", "group"),
    [
        (CyclicGroup(5), SpecialOrthogonalGroup(3)),
        (CyclicGroup(3), OrthogonalGroup(4)),
        (SignedPermutationGroup(3), OrthogonalGroup(3)),
        (SymmetricGroup(4), OrthogonalGroup(4)),
        (SymmetricGroup(4), EuclideanGroup(4)),
        (DicyclicGroup(2), SpecialOrthogonalGroup(4)),
    ],
)
def test_groups_of_matrices(subgroup, group):
    found = embedding(subgroup, group)
    assert found.is_injective
    assert found.source == subgroup


@pytest.mark.parametrize("symbol", ["T", "O", "I", "Td", "Th", "Oh", "Ih"])
def test_polyhedral_groups(symbol):
    group = SpecialOrthogonalGroup(3) if len(symbol) == 1 else OrthogonalGroup(3)
    found = discretise(group, symbol)
    assert found.source == PolyhedralGroup(symbol)
    assert found.is_injective
    if group == OrthogonalGroup(3):
        with pytest.raises(InputError, match="lies outside SO"):
            discretise(SpecialOrthogonalGroup(3), symbol)


@pytest.mark.parametrize(
    ("symbol", "order", "classes"), [("T", 24, 7), ("O", 48, 8), ("I", 120, 9)]
)
def test_binary_polyhedral_groups(symbol, order, classes):
    found = discretise(SpecialUnitaryGroup(2), symbol)
    assert found.source == binary_polyhedral_group(symbol)
    assert found.source.order == order
    assert len(conjugacy_classes(found.source)) == classes
    assert found.is_injective
    # Over the rotations of the solid, two to one.
    elements = found.source.element_tensor()
    rotations = unitary_covering()(found(elements))
    solid = PolyhedralGroup(symbol)
    below = solid.index(solid.from_matrices(rotations))
    assert torch.equal(torch.bincount(below), torch.full((order // 2,), 2))
    # −1 is the only element of order 2.
    assert sum(found.source.element_order(a) == 2 for a in found.source.elements()) == 1


def test_steps_are_those_of_the_circle():
    found = discretise(SpecialOrthogonalGroup(2), 12)
    quarter = found(3)
    assert found.target.element_name(quarter) == "rot(90°)"
    shifts = discretise(TorusGroup((2.0, 3.0)), (8, 6))
    assert shifts((1, 5)) == (0.25, 2.5)
    coordinates = shifts.target.log(shifts(torch.tensor([1, 5])))
    torch.testing.assert_close(coordinates, torch.tensor([0.25, -0.5]).double())


def test_dicyclic_groups_cover_dihedral_ones():
    covering = unitary_covering()
    for n in (2, 3, 5):
        found = discretise(SpecialUnitaryGroup(2), n).then(covering)
        rotations = found(found.source.element_tensor())
        distinct = torch.unique(rotations.mul(1e6).round(), dim=0)
        assert len(distinct) == 2 * n
        assert found.kernel().order == 2


def test_matrices_in_the_plane_are_turned_over_in_space():
    found = embedding(DihedralGroup(4), SpecialOrthogonalGroup(3))
    half_turn = torch.tensor(found((1, 0)))
    assert torch.equal(half_turn, torch.diag(torch.tensor([-1.0, 1.0, -1.0])))
    mirror = torch.tensor(embedding(DihedralGroup(4), OrthogonalGroup(3))((1, 0)))
    assert torch.equal(mirror, torch.diag(torch.tensor([-1.0, 1.0, 1.0])))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: discretise(SpecialOrthogonalGroup(5), 4), "no family of finite subgroups"),
        (lambda: discretise(AdditiveGroup("boost"), 4), "no family of finite subgroups"),
        (lambda: discretise(SpecialOrthogonalGroup(2), (4, 4)), "torus with two periods"),
        (lambda: discretise(TorusGroup((1.0, 1.0)), 4), "no family"),
        (lambda: embedding(DihedralGroup(3), SpecialOrthogonalGroup(2)), "lies outside SO"),
        (lambda: embedding(DihedralGroup(3), TorusGroup((1.0,))), "cyclic shifts"),
        (lambda: embedding(CyclicGroup(3), UnitaryGroup(2)), "no natural embedding"),
        (lambda: embedding(SymmetricGroup(4), OrthogonalGroup(3)), "size at most 3"),
        (lambda: embedding(SymmetricGroup(3), SpecialUnitaryGroup(2)), "unit quaternions"),
        (lambda: embedding(SymmetricGroup(4), SpecialUnitaryGroup(2)), "no homomorphism"),
        (lambda: discretise(SpecialUnitaryGroup(2), "Oh"), "expected T, O or I"),
        (lambda: discretise(OrthogonalGroup(2), "O"), "are for SO"),
    ],
)
def test_errors(make, message):
    with pytest.raises(InputError, match=message):
        make()
