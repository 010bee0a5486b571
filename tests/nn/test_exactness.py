"""The measured exactness of a network's layers."""

import pytest
import torch
from torch import nn

from goldstone.core import InputError
from goldstone.groups import CyclicGroup, DihedralGroup, PolyhedralGroup
from goldstone.nn import (
    BlurPool2d,
    GroupConv2d,
    LiftingConv2d,
    LiftingConv3d,
    OrbitBatchNorm2d,
    exactness,
)
from goldstone.nn.group_convolution import regular_fields

D4 = DihedralGroup(4)


def network(group, **options):
    return nn.Sequential(
        LiftingConv2d(group, 1, 2, 3, padding_mode="zeros"),
        OrbitBatchNorm2d(regular_fields(group, 2)),
        nn.ReLU(),
        GroupConv2d(group, 2, 2, 3, 2, padding=1, padding_mode="zeros", **options),
        nn.ReLU(),
        GroupConv2d(group, 2, 2, 3),
    )


def noise(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("group", [D4, CyclicGroup(8)])
def test_exact_networks(group):
    found = exactness(network(group), noise(2, 1, 9, 9))
    assert [layer.name for layer in found] == ["0", "1", "3", "5"]
    assert [layer.kind for layer in found][:2] == ["LiftingConv2d", "OrbitBatchNorm2d"]
    assert found[-1].grid == (5, 5)
    assert all(layer.error < 1e-6 for layer in found)


def test_the_layer_that_loses_the_centre_is_named():
    model = network(D4, exact=False)
    state = {name: value.clone() for name, value in model.state_dict().items()}
    before = torch.random.get_rng_state()
    with pytest.warns(UserWarning, match="the centre is lost"):
        found = exactness(model.eval(), noise(2, 1, 8, 8))
    assert [layer.name for layer in found if layer.error > 1e-3] == ["3"]
    assert found[2].error > 0.1
    assert torch.equal(before, torch.random.get_rng_state())
    for name, value in model.state_dict().items():
        assert torch.equal(value, state[name])


def test_a_broken_weight_is_found():
    model = network(D4)
    weight = model[3].bases[0].scale
    model[3].bases[0].scale = weight * torch.linspace(0.5, 1.5, len(weight))
    assert all(layer.error < 1e-6 for layer in exactness(model, noise(1, 1, 9, 9)))
    model[3].bases[0].labels = model[3].bases[0].labels.flip(0)[torch.randperm(8 * 8 * 9)]
    assert exactness(model, noise(1, 1, 9, 9))[2].error > 0.1


def test_pooling_over_the_grid_is_measured_too():
    """A layer of torch's that drops the last row is named."""
    model = nn.Sequential(
        nn.MaxPool2d(3, 3),
        LiftingConv2d(D4, 1, 2, 3, padding_mode="zeros"),
        nn.ReLU(),
        nn.MaxPool2d(2),
        GroupConv2d(D4, 2, 2, 3),
        BlurPool2d(),
        nn.Upsample(scale_factor=2, mode="bilinear"),
        nn.AdaptiveAvgPool2d(1),
    )
    found = exactness(model, noise(2, 1, 24, 24))
    assert [layer.name for layer in found] == ["0", "1", "3", "4", "6", "7"]
    assert all(layer.error < 1e-6 for layer in found)
    found = exactness(model, noise(2, 1, 28, 28))  # 9 points for the second pooling
    assert [layer.name for layer in found if layer.error > 1e-3] == ["0", "3"]
    assert found[2].kind == "MaxPool2d"
    assert found[2].grid == (9, 9)


def test_oblong_grids():
    """Of a group without quarter turns, and in space."""
    axes = DihedralGroup(2)
    found = exactness(network(axes), noise(1, 1, 9, 7))
    assert all(layer.error < 1e-6 for layer in found)
    cube = PolyhedralGroup("O")
    volumes = LiftingConv3d(cube, 1, 1, 3, padding_mode="zeros")
    with pytest.raises(InputError, match="4×4×6 points"):
        exactness(volumes, noise(1, 1, 4, 4, 6))


def test_errors():
    with pytest.raises(InputError, match="met none"):
        exactness(nn.Conv2d(1, 1, 3), noise(1, 1, 8, 8))
    with pytest.raises(InputError, match="9×7 points, which a quarter turn"):
        exactness(network(D4), noise(1, 1, 9, 7))
    with pytest.raises(InputError, match="no element of the group maps the grid"):
        exactness(network(CyclicGroup(3)), noise(1, 1, 9, 9))
