"""Lifting, group and projecting convolutions against sums with turned filters."""

import pytest
import torch
from torch.nn import functional

from goldstone.core import InputError
from goldstone.groups import CyclicGroup, DihedralGroup, SpecialOrthogonalGroup
from goldstone.nn import GroupConv2d, LiftingConv2d, ProjectingConv2d
from goldstone.nn.turning_error import turned

C4 = CyclicGroup(4)


def noise(*shape):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def quarter_turns(kernel, k):
    """The filter in its kth pose: the first axis towards the second."""
    return torch.rot90(kernel, k, (-2, -1))


def test_lifting_turns_every_filter():
    layer = LiftingConv2d(C4, 2, 3, 3, padding_mode="zeros", dtype=torch.float64)
    x = noise(1, 2, 6, 6)
    weight = layer.weight().detach().reshape(3, 4, 2, 3, 3)
    y = layer(x).reshape(3, 4, 6, 6)
    for c in range(3):
        for k in range(4):
            filters = quarter_turns(weight[c, 0], k)
            expected = functional.conv2d(x, filters[None], padding=1)[0, 0]
            torch.testing.assert_close(y[c, k], expected)
    # The filters themselves are free.
    assert layer.map_dimension == 3 * 2 * 9


def test_group_convolution_turns_filters_and_shifts_their_components():
    layer = GroupConv2d(C4, 2, 1, 3, padding_mode="zeros", bias=False, dtype=torch.float64)
    x = noise(1, 8, 6, 6)
    weight = layer.weight().detach().reshape(4, 2, 4, 3, 3)
    y = layer(x)[0]
    for k in range(4):
        # K[k, h](p) = K[0, h − k](turned back by k).
        filters = quarter_turns(weight[0].roll(k, 1), k)
        expected = functional.conv2d(x, filters.reshape(1, 8, 3, 3), padding=1)[0, 0]
        torch.testing.assert_close(y[k], expected)
    assert layer.map_dimension == 2 * 4 * 9


def test_projection_gives_channels_that_turn_as_images():
    group = DihedralGroup(4)
    layer = ProjectingConv2d(group, 2, 3, 3, dtype=torch.float64)
    x = noise(1, 16, 6, 6)
    for g in group.element_tensor():
        moved = layer(turned(layer.source, g, x, "cell"))
        torch.testing.assert_close(moved, turned(layer.target, g, layer(x), "cell"))
    assert layer.map_dimension == 2 * 3 * 9


def test_options_go_on():
    layer = GroupConv2d(CyclicGroup(8), 4, 2, 3, groups=2, dilation=2, padding_mode="reflect")
    assert layer(torch.randn(1, 32, 9, 9)).shape == (1, 16, 9, 9)
    assert layer.groups == 2
    assert "padding=2 (reflect)" in repr(layer)


def test_errors():
    with pytest.raises(InputError, match="SteerableConv2d takes SO"):
        GroupConv2d(SpecialOrthogonalGroup(2), 1, 1, 3)
    with pytest.raises(InputError, match="positive number of channels or fields, got 0"):
        LiftingConv2d(C4, 0, 1, 3)
