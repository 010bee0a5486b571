"""Restriction to a subgroup: the subgroup acts on the output by the target, and nothing is lost."""

import copy
import pickle

import pytest
import torch
from torch import nn

from goldstone.core import InputError
from goldstone.groups import (
    CyclicGroup,
    DihedralGroup,
    OrthogonalGroup,
    PolyhedralGroup,
    SpecialOrthogonalGroup,
    subgroup,
    subgroup_as_group,
)
from goldstone.nn import (
    GroupConv2d,
    GroupPool,
    LiftingConv2d,
    OrbitBatchNorm2d,
    PointwiseActivation,
    Restricted,
    SteerableConv2d,
    exactness,
)
from goldstone.representations import (
    DirectSum,
    O2Irrep,
    Pullback,
    QuotientRepresentation,
    RegularRepresentation,
    SO2Irrep,
    SO3Irrep,
    StandardRepresentation,
    TrivialRepresentation,
    multiple,
)

C2, C4, C8, D4, D8 = (*map(CyclicGroup, (2, 4, 8)), *map(DihedralGroup, (4, 8)))
SO2, O2, SO3 = SpecialOrthogonalGroup(2), OrthogonalGroup(2), SpecialOrthogonalGroup(3)
CUBE, OH = PolyhedralGroup("O"), PolyhedralGroup("Oh")
REFLECTION = subgroup(D4, [(1, 0)])
MIXED = DirectSum(
    D4,
    (
        StandardRepresentation(D4),
        RegularRepresentation(D4),
        TrivialRepresentation(D4),
        QuotientRepresentation(D4, REFLECTION),
        StandardRepresentation(D4),
    ),
)
CASES = [
    (multiple(RegularRepresentation(D8), 2), C8),
    (RegularRepresentation(D8), D4),
    (RegularRepresentation(C8), C2),
    (multiple(RegularRepresentation(D4), 2), CyclicGroup(1)),
    (MIXED, C4),
    (MIXED, DihedralGroup(1)),
    (MIXED, D4),
    (MIXED, subgroup_as_group(D4, REFLECTION)),
    (DirectSum(SO2, (SO2Irrep(1), SO2Irrep(0), SO2Irrep(3))), C8),
    (DirectSum(O2, (O2Irrep(1), O2Irrep(0, -1), O2Irrep(4))), D4),
    (DirectSum(SO3, (SO3Irrep(0), SO3Irrep(2), SO3Irrep(1), SO3Irrep(2))), CUBE),
    (RegularRepresentation(OH), CUBE),
]


def noise(*shape):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("source", "group"),
    CASES,
    ids=[f"{s.group.name} to {h.name} {k}" for k, (s, h) in enumerate(CASES)],
)
def test_the_subgroup_acts_on_the_output(source, group):
    layer = Restricted(source, group, dtype=torch.float64)
    assert layer.target.group == group
    assert layer.target.dimension == source.dimension
    x = noise(3, source.dimension)
    y = layer(x)
    for h in group.element_tensor():
        moved = x @ source.matrix(layer.inclusion(h)).T
        torch.testing.assert_close(layer(moved), y @ layer.target.matrix(h).T, rtol=0, atol=1e-12)
    # Orthogonal, so nothing is lost.
    torch.testing.assert_close(y @ y.T, x @ x.T, rtol=0, atol=1e-12)


def test_circles():
    """O(2) to its rotations: for elements of the Lie group."""
    source = DirectSum(O2, (O2Irrep(2), O2Irrep(0, -1), O2Irrep(0)))
    layer = Restricted(source, SO2, dtype=torch.float64)
    x, h = noise(3, 4), SO2.exp(torch.tensor([0.7], dtype=torch.float64))
    torch.testing.assert_close(
        layer(x @ source.matrix(h).T), layer(x) @ layer.target.matrix(h).T, rtol=0, atol=1e-12
    )


def test_fields_become_fields_of_each_coset():
    """F_t(h) = F(h t): for D4 in C4 t = 1 and the reflection s."""
    layer = Restricted(multiple(RegularRepresentation(D4), 2), C4)
    assert layer.target == multiple(RegularRepresentation(C4), 4)
    elements = list(D4.elements())
    x = noise(1, 16)
    expected = [
        x[0, 8 * field + elements.index(D4.compose((0, k), t))]
        for field in range(2)
        for t in ((0, 0), (1, 0))
        for k in range(4)
    ]
    assert torch.equal(layer(x)[0], torch.stack(expected))


def test_which_fields_quotients_become():
    # C4 moves the four cosets of D4's reflection all, the other way round two stay.
    quotient = QuotientRepresentation(D4, REFLECTION)
    assert Restricted(quotient, C4).target.parts == (RegularRepresentation(C4),)
    flip = DihedralGroup(1)
    assert Restricted(quotient, flip).target.parts == (
        TrivialRepresentation(flip),
        RegularRepresentation(flip),
        TrivialRepresentation(flip),
    )
    half = QuotientRepresentation(C8, subgroup(C8, [4]))
    (part,) = Restricted(half, C4).target.parts[:1]
    assert part == QuotientRepresentation(C4, subgroup(C4, [2]))


def network(**options):
    first = LiftingConv2d(D8, 1, 2, 5, padding_mode="zeros", **options)
    restricted = Restricted(first.target, C8, **options)
    second = GroupConv2d(C8, 4, 3, 5, padding_mode="zeros", **options)
    return nn.Sequential(
        first,
        OrbitBatchNorm2d(first.target, **options),
        PointwiseActivation(first.target),
        restricted,
        second,
        GroupPool(second.target),
    ).eval()


def test_a_network_keeps_the_subgroup_and_only_that():
    torch.manual_seed(0)
    model = network(dtype=torch.float64)
    x = noise(1, 1, 9, 9)
    y = model(x)
    torch.testing.assert_close(model(x.rot90(1, (2, 3))), y.rot90(1, (2, 3)))
    assert (model(x.flip(2)) - y.flip(2)).norm() > 0.1 * y.norm()
    assert all(layer.error < 1e-13 for layer in exactness(model, x))
    assert [layer.kind for layer in exactness(model, x)][2:4] == ["Restricted", "GroupConv2d"]
    # Before the restriction the reflection is kept.
    both = model[:3]
    assert (both(x.flip(2)).sum(1) - both(x).sum(1).flip(1)).norm() < 1e-12


def test_vectors_become_irreps_that_a_convolution_takes():
    vector = multiple(StandardRepresentation(D8), 2)
    layer = Restricted(vector, C8)
    assert [part.dimension for part in layer.target.parts] == [2, 2]
    convolution = SteerableConv2d(layer.target, layer.target, 3)
    assert convolution(layer(noise(1, 4, 6, 6).float())).shape == (1, 4, 6, 6)


def test_habits_of_a_module():
    for source, group in (CASES[0], CASES[4]):
        layer = Restricted(source, group)
        x = noise(2, source.dimension, 4, 5).float()
        expected = layer(x)
        for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
            assert torch.equal(other(x), expected)
        assert layer.state_dict() == {}
        assert torch.equal(torch.export.export(layer, (x,)).module()(x), expected)
        assert torch.equal(torch.compile(layer, backend="aot_eager", fullgraph=True)(x), expected)
        last = layer(x.to(memory_format=torch.channels_last))
        assert torch.equal(last, expected)
        assert last.is_contiguous(memory_format=torch.channels_last)
        assert f"{source.group.name} → {group.name}" in repr(layer)
        back = layer.half().double()(x.double())
        torch.testing.assert_close(back, expected.double(), rtol=0, atol=1e-6)


def test_restriction_is_the_pullback():
    """The characters of the target are those of the source on the subgroup."""
    layer = Restricted(MIXED, C4)
    pulled = Pullback(layer.inclusion, MIXED)
    elements = C4.element_tensor()
    torch.testing.assert_close(layer.target.character(elements), pulled.character(elements))


def test_errors():
    with pytest.raises(InputError, match="C3 is no subgroup of C4, which has no element with"):
        Restricted(RegularRepresentation(C4), CyclicGroup(3))
    with pytest.raises(InputError, match="D4 is no subgroup of C4"):
        Restricted(RegularRepresentation(C4), D4)
    with pytest.raises(InputError, match=r"SO\(2\) is no subgroup of C4"):
        Restricted(RegularRepresentation(C4), SO2)
    with pytest.raises(InputError, match="no subgroup of O"):
        Restricted(RegularRepresentation(CUBE), C4)
    with pytest.raises(InputError, match="subgroup_as_group"):
        Restricted(RegularRepresentation(C4), subgroup_as_group(D4, REFLECTION))
    with pytest.raises(InputError, match="expected 4 components along axis 1"):
        Restricted(RegularRepresentation(C4), C2)(noise(1, 3))
