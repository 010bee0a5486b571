"""Whole networks in space: exact turns of the cube, other rotations beside a plain network."""

import pytest
import torch
from torch import nn

from goldstone.actions import FeatureFieldAction, Symmetry, TrivialAction
from goldstone.core import InputError
from goldstone.groups import OrthogonalGroup, PolyhedralGroup, SpecialOrthogonalGroup
from goldstone.nn import (
    BlurPool3d,
    GatedActivation,
    GroupConv3d,
    GroupPool,
    LiftingConv3d,
    NormActivation,
    OrbitBatchNorm3d,
    PointwiseActivation,
    SteerableConv3d,
    exactness,
    to_plain,
)
from goldstone.nn.group_convolution import regular_fields
from goldstone.nn.turning_error import grid_elements, turned, turning_error
from goldstone.representations import (
    DirectSum,
    SO3Irrep,
    StandardRepresentation,
    TrivialRepresentation,
    multiple,
)
from goldstone.testing import assert_equivariant

O, OH = PolyhedralGroup("O"), PolyhedralGroup("Oh")  # noqa: E741
SO3 = SpecialOrthogonalGroup(3)


class MeanOverGrid(nn.Module):
    def forward(self, x):
        return x.mean((-3, -2, -1))


def noise(*shape, seed=0, dtype=torch.float64):
    source = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=source).to(dtype)


def on_the_group(group, dtype):
    """Strides and both poolings: 13 → 7 → 4 → 2 points."""
    torch.manual_seed(0)
    fields = regular_fields(group, 2)
    options = {"padding_mode": "zeros", "dtype": dtype}

    def block(*sizes, **more):
        return [
            GroupConv3d(group, 2, 2, *sizes, **more, **options),
            OrbitBatchNorm3d(fields, dtype=dtype),
            PointwiseActivation(fields),
        ]

    return nn.Sequential(
        LiftingConv3d(group, 1, 2, 3, **options),
        PointwiseActivation(fields),
        *block(3, 2, padding=1),
        BlurPool3d(2, 3, padding_mode="reflect", dtype=dtype),
        *block(3),
        nn.MaxPool3d(2),
        GroupPool(fields, "max"),
        MeanOverGrid(),
        nn.Linear(2, 2, dtype=dtype),
    )


def of_irreps(dtype, size=3, seed=0, strides=True, width=3):
    """Gated features l = 0, 1, 2 of SO(3) to scalars."""
    torch.manual_seed(seed)
    parts = [SO3Irrep(k) for k in range(3)]
    features = DirectSum(SO3, tuple(part for part in parts for _ in range(width)))
    gate = GatedActivation(features, axis=1, dtype=dtype)
    options = {"padding_mode": "zeros", "dtype": dtype}

    def block(source, *sizes, **more):
        return [
            SteerableConv3d(source, gate.source, *sizes, **more, **options),
            OrbitBatchNorm3d(gate.source, dtype=dtype),
            gate,
        ]

    down = [BlurPool3d(2, 3, padding_mode="reflect", dtype=dtype)] if strides else []
    return nn.Sequential(
        *block(SO3Irrep(0), size),
        *(block(features, 3, 2, padding=1) if strides else block(features, size)),
        *down,
        SteerableConv3d(features, features, size, **options),
        NormActivation(features, axis=1, dtype=dtype),
        SteerableConv3d(features, multiple(SO3Irrep(0), 4), size, **options),
        nn.SiLU(),
        MeanOverGrid(),
    )


def settled(network, size, dtype):
    network.train()(noise(2, 1, size, size, size, seed=5, dtype=dtype))
    return network.eval()


@pytest.mark.parametrize(("dtype", "allowed"), [(torch.float32, 1e-6), (torch.float64, 1e-13)])
@pytest.mark.parametrize("name", ["O", "Oh", "SO(3)"])
def test_turns_of_the_cube_are_exact_through_a_deep_network(name, dtype, allowed):
    group = OH if name == "Oh" else O
    network = of_irreps(dtype) if name == "SO(3)" else on_the_group(group, dtype)
    settled(network, 13, dtype)
    action = FeatureFieldAction(group, TrivialRepresentation(group))
    symmetry = Symmetry(group.name, group, action, TrivialAction())
    x = noise(1, 1, 13, 13, 13, seed=1, dtype=dtype)
    elements = group.elements()[:: 7 if name == "Oh" else 5]
    assert_equivariant(network, symmetry, x, tolerance=allowed, elements=elements)
    assert_equivariant(to_plain(network), symmetry, x, tolerance=allowed, elements=elements)
    assert (network(x.roll(3, 0) * 2) - network(x)).norm() > 1e-3 * network(x).norm()


def test_every_layer_is_measured():
    network = settled(of_irreps(torch.float64), 13, torch.float64)
    found = exactness(network, noise(1, 1, 13, 13, 13))
    kinds = {layer.kind for layer in found}
    assert kinds == {"SteerableConv3d", "OrbitBatchNorm3d", "GatedActivation"}
    assert [layer.grid[0] for layer in found if layer.kind == "SteerableConv3d"] == [13, 13, 4, 4]
    assert all(layer.error < 1e-13 for layer in found)


def test_a_network_of_rotations_hears_reflections_and_one_of_both_does_not():
    x = noise(1, 1, 13, 13, 13, seed=1)
    heard = settled(on_the_group(O, torch.float64), 13, torch.float64)
    deaf = settled(on_the_group(OH, torch.float64), 13, torch.float64)
    y = heard(x).detach()
    assert (heard(x.flip(-1)) - y).norm() > 1e-6 * y.norm()
    torch.testing.assert_close(deaf(x.flip(-1)), deaf(x), rtol=1e-12, atol=1e-12)


def blobs(rotation, size=15, count=6, samples=2):
    """Sums of Gaussians about the centre, turned without interpolation."""
    axis = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    grid = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), -1)
    centres = 1.2 * noise(samples, count, 3, seed=11)
    heights = noise(samples, count, seed=12)
    places = centres @ rotation.T
    squares = (grid - places[:, :, None, None, None]).square().sum(-1)
    return torch.einsum("sk,skxyz->sxyz", heights, (-squares / (2 * 1.5**2)).exp())[:, None]


def rotation_error(network):
    """Relative change of the means over the grid when smooth volumes turn by any angle."""
    with torch.no_grad():
        y = network(blobs(torch.eye(3, dtype=torch.float64)))
        turns = SO3.sample(torch.Generator().manual_seed(3), (2,))
        changes = [(network(blobs(turn)) - y).norm() / y.norm() for turn in turns]
    return float(sum(changes) / len(changes))


def plain_of(network):
    """The same layers with free weights."""
    plain = to_plain(network)
    for layer in plain.modules():
        if isinstance(layer, nn.Conv3d):
            nn.init.kaiming_normal_(layer.weight)
    return plain


def test_any_rotation_beside_a_plain_network():
    networks = [of_irreps(torch.float64, 5, seed, strides=False, width=2) for seed in range(2)]
    for network in networks:
        network.train()(blobs(torch.eye(3, dtype=torch.float64)))
        network.eval()
    equivariant = [rotation_error(network) for network in networks]
    plain = [rotation_error(plain_of(network)) for network in networks]
    assert max(equivariant) < 0.1 * min(plain)
    assert max(equivariant) < 0.01


@pytest.mark.parametrize(
    ("options", "grid", "coarse"),
    [({}, 8, 4), ({"pivot": "node"}, 8, 4), ({"padding_mode": "reflect", "size": 3}, 9, 5)],
    ids=str,
)
def test_blurred_pooling(options, grid, coarse):
    vector = StandardRepresentation(OH)
    pool = BlurPool3d(**options, dtype=torch.float64)
    x = noise(1, 3, grid, grid, grid)
    assert pool(x).shape == (1, 3, coarse, coarse, coarse)
    assert turning_error(pool, vector, vector, x, pool.pivot) < 1e-14
    torch.testing.assert_close(pool(torch.ones_like(x)), torch.ones_like(pool(x)))
    with pytest.raises(InputError, match="3 axes"):
        pool(x[0])
    with pytest.raises(InputError, match="BlurPool3d: "):
        BlurPool3d(2, 3)(x)


@pytest.mark.parametrize("kind", ["vectors", "fields"])
def test_batch_norm_in_space(kind):
    vector = DirectSum(O, (StandardRepresentation(O), TrivialRepresentation(O)))
    representation = vector if kind == "vectors" else regular_fields(O, 2)
    layer = OrbitBatchNorm3d(representation, dtype=torch.float64)
    x = 3 * noise(2, representation.dimension, 4, 4, 4) + 1
    y = layer(x).detach()
    assert turning_error(layer, representation, representation, x) < 1e-13
    parts = y[:, :3] if kind == "vectors" else y[:, :24]
    assert float(parts.square().mean()) == pytest.approx(1.0, abs=1e-4)
    layer.eval()
    plain = layer.to_plain()
    assert type(plain) is nn.BatchNorm3d
    torch.testing.assert_close(plain(x), layer(x))


def test_elements_of_a_box():
    assert len(grid_elements(O, (4, 4, 4))) == 23
    assert len(grid_elements(OrthogonalGroup(3), (4, 4, 4))) == 47
    assert len(grid_elements(O, (4, 4, 6))) == 7
    assert len(grid_elements(OH, (2, 4, 6))) == 7
    x = noise(1, 3, 4, 4, 4)
    vector = StandardRepresentation(O)
    for g in grid_elements(O, (4, 4, 4))[:5]:
        action = FeatureFieldAction(O, vector)
        torch.testing.assert_close(
            turned(vector, g, x, "node"),
            FeatureFieldAction(O, vector, "node").act(O.value(g), x, None),
        )
        torch.testing.assert_close(turned(vector, g, x, "cell"), action.act(O.value(g), x, None))
