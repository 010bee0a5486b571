"""What a scale-equivariant network learns at one size, beside a plain one with more parameters."""

import torch
from torch import nn
from torch.nn import functional

from goldstone.nn import ScaleConv2d, ScaleFilters, ScaleLiftingConv2d, ScalePool, scale_exactness

SHAPES = torch.tensor(
    [
        [[0, 0], [0, 0], [0, 0]],
        [[-2.5, 0], [2.5, 0], [2.5, 0]],
        [[0, -2.5], [0, 2.5], [0, 2.5]],
        [[0, 0], [-3.5, 0], [0, 3.5]],
    ]
)
"""A dot, two above each other, two side by side, a corner of three."""


def images(count, factor, source, size=27):
    """Shapes of dots somewhere near the middle, at another size without interpolation."""
    label = torch.randint(4, (count,), generator=source)
    shift = 2 * torch.rand(count, 1, 2, generator=source) - 1
    places = SHAPES[label] + shift + 0.3 * torch.randn(count, 3, 2, generator=source)
    axis = (torch.arange(size) - (size - 1) / 2) / factor
    lines = torch.exp(-(axis - places[..., None]).square() / (2 * 1.2**2))
    return torch.einsum("bkx,bky->bxy", lines[:, :, 0], lines[:, :, 1])[:, None], label


class Peak(nn.Module):
    def forward(self, x):
        return x.amax((-2, -1))


def equivariant():
    filters = ScaleFilters(4, extent=3.0)
    trunk = nn.Sequential(
        ScaleLiftingConv2d(filters, 1, 4), nn.SiLU(), ScaleConv2d(filters, 4, 4, 2), nn.SiLU()
    )
    return nn.Sequential(trunk, ScalePool(), Peak(), nn.Linear(4, 4))


def plain():
    layers = (nn.Conv2d(1, 6, 7, padding=3), nn.Conv2d(6, 6, 7, padding=3))
    trunk = nn.Sequential(layers[0], nn.SiLU(), layers[1], nn.SiLU())
    return nn.Sequential(trunk, nn.Identity(), Peak(), nn.Linear(6, 4))


def accuracy(network, factor):
    x, label = images(256, factor, torch.Generator().manual_seed(99))
    with torch.no_grad():
        return float((network(x).argmax(1) == label).float().mean())


def trained(network, seed, steps=60):
    source = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(network.parameters(), 0.02)
    for _ in range(steps):
        x, label = images(16, 1.0, source)
        optimiser.zero_grad()
        functional.cross_entropy(network(x), label).backward()
        optimiser.step()
    return network


def test_shapes_of_twice_the_size_are_known_after_training_at_one():
    found = {}
    for make in (equivariant, plain):
        scores = []
        for seed in (1, 2):
            torch.manual_seed(seed)
            network = make()
            base = 2**0.5
            before = scale_exactness(network[0], base, samples=2, size=41).worst
            trained(network, seed)
            after = scale_exactness(network[0], base, samples=2, size=41).worst
            if make is equivariant:
                assert max(before, after) < 0.05
            else:
                assert min(before, after) > 0.15
            scores.append((accuracy(network, 1.0), accuracy(network, 2.0)))
        found[make] = torch.tensor(scores).mean(0).tolist()
    assert min(found[equivariant][0], found[plain][0]) > 0.95
    assert found[equivariant][1] > 0.8
    assert found[plain][1] < 0.6
    sizes = [sum(p.numel() for p in make().parameters()) for make in (equivariant, plain)]
    assert sizes[0] < sizes[1]
