"""Ready symmetries of images and of bounded fields."""

import pickle

import pytest
import torch

from goldstone.actions import (
    BOUNDED_SYMMETRIES,
    IMAGE_SYMMETRIES,
    ClassPermutation,
    Context,
    Field,
    FieldLayout,
    bounded_symmetry,
    disc_window,
    image_symmetry,
    keeping_walls,
)
from goldstone.core import InputError
from goldstone.groups import AdditiveGroup, DihedralGroup, PolyhedralGroup
from goldstone.representations import PermutationRepresentation
from goldstone.testing import assert_equivariant, check_action_laws

D2, D4, OH = DihedralGroup(2), DihedralGroup(4), PolyhedralGroup("Oh")
EXACT = ("quarter-turns", "turns-and-flips", "flips", "left-right", "up-down")
FLOW = FieldLayout((Field("u", "velocity"), Field("T", "scalar")))
CONTEXT = Context()


def noise(*shape):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


def blurred(n):
    """Images of low frequency that fade out before the edges, 4 channels."""
    i = torch.arange(n, dtype=torch.float64) / n
    waves = [torch.cos(4 * k * i[:, None] + 5 * i + k) for k in range(1, 5)]
    return torch.stack(waves)[None] * disc_window((n, n), n / 3) ** 4


@pytest.mark.parametrize("name", IMAGE_SYMMETRIES)
def test_images(name):
    layout = FieldLayout((Field("a", "scalar"), Field("u", "vector"), Field("b", "scalar")))
    symmetry = image_symmetry(name.upper(), (24, 24), layout, output="same")
    group = symmetry.group
    elements = symmetry.elements
    if name == "scale":
        elements = tuple(a for a in elements if 0.7 < a < 1.4)
    if name == "shifts":
        elements = ((0.5, 0.0), (0.0, 1.0))
    tolerance = 0.0 if name in EXACT else 2e-2
    check_action_laws(symmetry.on_input, group, blurred(24), None, elements, tolerance)
    assert symmetry.on_output == symmetry.on_input
    assert group.identity not in symmetry.elements
    assert len(set(symmetry.elements)) == len(symmetry.elements)
    again = image_symmetry(name, (24, 24), layout, output="same")
    assert pickle.loads(pickle.dumps(symmetry)) == symmetry == again
    assert hash(again) == hash(symmetry)


@pytest.mark.parametrize("name", EXACT)
def test_a_radial_average_is_invariant_and_a_half_is_not(name):
    symmetry = image_symmetry(name, (8, 8), 2)
    assert_equivariant(lambda x: (x**2).mean((2, 3)), symmetry, noise(3, 2, 8, 8))
    with pytest.raises(AssertionError, match="not equivariant"):
        assert_equivariant(lambda x: x[:, :, :3, :2].mean((2, 3)), symmetry, noise(3, 2, 8, 8))


def test_left_right_exchanges_columns_and_classes():
    flip = PermutationRepresentation(D2, ((1, 0, 2), (0, 1, 2)))
    symmetry = image_symmetry("left-right", (4, 6), 1, output=ClassPermutation(flip))
    (mirror,) = (a for a in symmetry.group.elements() if a != symmetry.group.identity)
    x = noise(2, 1, 4, 6)
    assert torch.equal(symmetry.on_input.act(mirror, x, CONTEXT), x.flip(-1))

    def sides(x):
        """Scores for left, right and straight."""
        left, right = x[..., :3].sum((1, 2, 3)), x[..., 3:].sum((1, 2, 3))
        return torch.stack((left, right, left + right), -1)

    assert_equivariant(sides, symmetry, x)


def test_exact_quarter_turns_among_any_angles():
    rotations = image_symmetry("rotations", (7, 7), 1)
    x = noise(1, 1, 7, 7)
    right = [a for a in rotations.elements if abs(a[0][0]) in (0.0, 1.0)]
    assert len(right) == 2
    for a in right:
        turned = rotations.on_input.act(a, x, CONTEXT)
        assert torch.equal(turned.flatten().sort().values, x.flatten().sort().values)


def test_wrong_images():
    with pytest.raises(InputError, match=r"unknown symmetry 'turn'; .*scale \(growth"):
        image_symmetry("turn", (8, 8))
    for name in ("quarter-turns", "rotations", "motions"):
        with pytest.raises(InputError, match="square grid, got 8×6"):
            image_symmetry(name, (8, 6))
    for name in ("flips", "shifts", "scale"):
        assert image_symmetry(name, (8, 6)).name == name
    with pytest.raises(InputError, match="'invariant', 'same' or an action, got 'classes'"):
        image_symmetry("flips", (8, 6), output="classes")


def names(group):
    return {group.parent.element_name(a) for a in group.elements()}


def test_elements_that_keep_walls():
    """In D4 s and sr² are the axis reflections; s reverses the first axis."""
    assert names(keeping_walls(D4, (1,))) == {"e", "r²", "s", "sr²"}
    assert names(keeping_walls(D4, (1,), equal_walls=False)) == {"e", "s"}
    assert names(keeping_walls(D4, (0,), equal_walls=False)) == {"e", "sr²"}
    assert keeping_walls(D4, (0, 1)).order == 8
    assert keeping_walls(D4, ()).order == 8
    # A layer between plates: the 16 symmetries of a square prism, or the 8 that keep up and down.
    assert keeping_walls(OH, (2,)).order == 16
    assert keeping_walls(OH, (2,), equal_walls=False).order == 8
    with pytest.raises(InputError, match="bounded axes among 0 … 1"):
        keeping_walls(D4, (2,))


def distance_to_walls(n):
    j = torch.arange(n, dtype=torch.float64)
    return torch.minimum(j, n - 1 - j)


def test_bounded_points_and_shifts():
    """A model that knows how far the walls are, and one that knows which is the lower."""

    def channel(x):
        return x * distance_to_walls(8)

    def heated(x):
        return x * torch.arange(8.0, dtype=torch.float64)

    x = noise(2, 3, 8, 8)
    for name in BOUNDED_SYMMETRIES:
        assert_equivariant(channel, bounded_symmetry(name, FLOW, (8, 8)), x)
        assert_equivariant(heated, bounded_symmetry(name, FLOW, (8, 8), equal_walls=False), x)
    with pytest.raises(AssertionError, match="not equivariant"):
        assert_equivariant(heated, bounded_symmetry("points", FLOW, (8, 8)), x)
    with pytest.raises(AssertionError, match="not equivariant"):
        assert_equivariant(channel, bounded_symmetry("points", FLOW, (8, 8), (0, 1)), x)
    along = bounded_symmetry("shifts", FLOW, (9, 8))
    assert along.group == AdditiveGroup("shift", 1, "cells")
    check_action_laws(along.on_input, along.group, noise(1, 3, 9, 8), None, along.elements)


def test_wrong_walls():
    with pytest.raises(InputError, match="walls along both axes has no shifts"):
        bounded_symmetry("shifts", FLOW, (8, 8), (0, 1))
    with pytest.raises(InputError, match="keeps the walls"):
        bounded_symmetry("points", FLOW, (8, 8), (0, 1), equal_walls=False)
    with pytest.raises(InputError, match="unknown symmetry 'turns'"):
        bounded_symmetry("turns", FLOW, (8, 8))
