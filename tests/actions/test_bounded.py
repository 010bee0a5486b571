"""Fields with walls."""

import pytest
import torch

from goldstone.actions import (
    BOUNDED_SYMMETRIES,
    Field,
    FieldLayout,
    bounded_symmetry,
    keeping_walls,
)
from goldstone.core import InputError
from goldstone.groups import AdditiveGroup, DihedralGroup, PolyhedralGroup
from goldstone.testing import assert_equivariant, check_action_laws

D4, OH = DihedralGroup(4), PolyhedralGroup("Oh")
FLOW = FieldLayout((Field("u", "velocity"), Field("T", "scalar")))


def noise(*shape):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


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
