"""What a network on SE(2) learns from clouds that lie one way, beside a plain one."""

import torch
from torch import nn

from goldstone.groups import SpecialEuclideanGroup
from goldstone.nn import (
    LieConv,
    LiePool,
    lift_points,
    nearest_elements,
    relative_logarithms,
    subsample_elements,
)

SE2 = SpecialEuclideanGroup(2)


def source(seed):
    return torch.Generator().manual_seed(seed)


def clouds(count, chance):
    """Points of an ellipse that lies along the first axis, and the logarithm of its area."""
    axes = 0.5 + torch.rand(count, 1, 2, generator=chance) * torch.tensor([2.0, 0.5])
    angle = 2 * torch.pi * (torch.rand(count, 1, generator=chance) + torch.arange(12) / 12)
    points = axes * torch.stack((angle.cos(), angle.sin()), -1)
    return points, (axes[:, 0].prod(-1, keepdim=True)).log()


def moved(points):
    """A sixth of a turn or so, and far away."""
    c, s = torch.tensor(1.1).cos(), torch.tensor(1.1).sin()
    return points @ torch.stack((torch.stack((c, s)), torch.stack((-s, c)))) + 3.0


class Equivariant(nn.Module):
    """Twelve points, three directions each; then a third of these elements."""

    def __init__(self):
        super().__init__()
        self.first = LieConv(SE2, 1, 12, scales=(1.0, 1.5, 1.5), hidden=16, functions=8)
        self.second = LieConv(SE2, 12, 12, scales=(1.0, 1.5, 1.5), hidden=16, functions=8)
        self.last = nn.Linear(12, 1)

    def forward(self, points):
        chance = source(0)
        g = lift_points(SE2, points, 3, generator=chance, spacing="even")
        near = nearest_elements(SE2, g, count=18)
        steps = relative_logarithms(SE2, g, neighbours=near)
        hidden = self.first(torch.ones(*g.shape[:2], 1), steps, None, near).relu()
        chosen = subsample_elements(SE2, g, 12, generator=chance)
        few = torch.take_along_dim(g, chosen[..., None, None], 1)
        near = nearest_elements(SE2, g, few, count=24)
        steps = relative_logarithms(SE2, g, few, neighbours=near)
        return self.last(LiePool()(self.second(hidden, steps, None, near).relu()))


class Plain(nn.Module):
    """Of each point by itself, and the mean."""

    def __init__(self):
        super().__init__()
        self.points = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU())
        self.last = nn.Linear(32, 1)

    def forward(self, points):
        return self.last(self.points(points).mean(1))


def test_clouds_that_lie_another_way_are_known_after_training():
    points, wanted = clouds(128, source(9))
    errors = {}
    for make in (Equivariant, Plain):
        torch.manual_seed(0)
        network, chance = make(), source(1)
        optimiser = torch.optim.Adam(network.parameters(), 0.01)
        found = {}
        for moment, steps in (("before", 0), ("after", 60)):
            for _ in range(steps):
                x, y = clouds(16, chance)
                optimiser.zero_grad()
                (network(x) - y).square().mean().backward()
                optimiser.step()
            with torch.no_grad():
                still, away = network(points), network(moved(points))
            found[moment] = float((away - still).norm() / (still - still.mean()).norm())
        found["loss"] = float((still - wanted).square().mean() / wanted.var())
        found["loss moved"] = float((away - wanted).square().mean() / wanted.var())
        errors[make] = found
    assert max(found["loss"] for found in errors.values()) < 0.35
    assert errors[Equivariant]["loss moved"] < 0.5
    assert errors[Plain]["loss moved"] > 2.0
    assert errors[Equivariant]["after"] < 0.25 * errors[Plain]["after"]
    assert errors[Equivariant]["before"] < 0.5
