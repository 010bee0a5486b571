"""Folding a whole network: ordinary layers, the same output, the original untouched."""

import pytest
import torch
from torch import nn

from goldstone.groups import CyclicGroup, DihedralGroup
from goldstone.nn import (
    EquivariantLinear,
    GroupConv2d,
    GroupPool,
    LiftingConv2d,
    OrbitBatchNorm2d,
    to_plain,
)
from goldstone.nn.block_weights import BlockWeights
from goldstone.nn.group_convolution import regular_fields, trivial_fields


class Classifier(nn.Module):
    def __init__(self, group):
        super().__init__()
        self.lift = LiftingConv2d(group, 1, 2, 3, padding_mode="zeros")
        self.norm = OrbitBatchNorm2d(regular_fields(group, 2))
        self.again = GroupConv2d(group, 2, 2, 3)
        self.layers = nn.ModuleDict({"shared": self.again, "relu": nn.ReLU()})
        self.pool = GroupPool(regular_fields(group, 2))
        self.head = EquivariantLinear(trivial_fields(group, 2), trivial_fields(group, 5))

    def forward(self, x):
        x = self.norm(self.lift(x)).relu()
        x = self.layers["relu"](self.layers["shared"](self.again(x)))
        return self.head(self.pool(x).mean((-2, -1)))


@pytest.mark.parametrize("group", [DihedralGroup(4), CyclicGroup(8)])
def test_whole_networks(group):
    network = Classifier(group)
    x = torch.randn(3, 1, 8, 8, generator=torch.manual_seed(0))
    network(x)  # moves the running statistics
    state = {name: value.clone() for name, value in network.state_dict().items()}
    plain = to_plain(network)
    kinds = [type(module) for module in plain.children()]
    assert kinds == [
        nn.Conv2d, nn.BatchNorm2d, nn.Conv2d, nn.ModuleDict, GroupPool, nn.Linear
    ]  # fmt: skip
    assert plain.layers["shared"] is plain.again
    assert not any(isinstance(module, BlockWeights) for module in plain.modules())
    torch.testing.assert_close(plain(x), network.eval()(x))
    assert not plain.training
    for name, value in network.state_dict().items():
        assert torch.equal(value, state[name])


def test_one_layer():
    layer = LiftingConv2d(DihedralGroup(4), 1, 2, 3)
    assert isinstance(to_plain(layer), nn.Conv2d)
    assert not hasattr(to_plain(nn.ReLU()), "weight")
