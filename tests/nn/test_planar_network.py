"""Whole planar networks: exact quarter turns, eighth turns beside a plain network, exports."""

import copy
import pickle
from importlib.util import find_spec

import pytest
import torch
from torch import nn

from goldstone.actions import (
    Context,
    FeatureFieldAction,
    Field,
    FieldLayout,
    ImageAction,
    Symmetry,
    TrivialAction,
)
from goldstone.actions.images import disc_window
from goldstone.groups import CyclicGroup, DihedralGroup
from goldstone.nn import (
    BlurPool2d,
    EquivariantLinear,
    GroupConv2d,
    GroupPool,
    LiftingConv2d,
    OrbitBatchNorm2d,
    OrbitGroupNorm2d,
    PointwiseActivation,
    to_plain,
)
from goldstone.nn.group_convolution import regular_fields, trivial_fields
from goldstone.testing import assert_equivariant

C4, C8, D4 = CyclicGroup(4), CyclicGroup(8), DihedralGroup(4)


class MeanOverGrid(nn.Module):
    def forward(self, x):
        return x.mean((-2, -1))


def deep(group, dtype=torch.float32, width=3, mode="zeros", seed=0):
    """Strides, both poolings and both norms: 29 → 15 → 8 → 4 points."""
    torch.manual_seed(seed)
    fields = regular_fields(group, width)
    options = {"padding_mode": mode, "dtype": dtype}

    def block(*sizes, **more):
        return [
            GroupConv2d(group, width, width, *sizes, **more, **options),
            OrbitBatchNorm2d(fields, dtype=dtype),
            PointwiseActivation(fields),
        ]

    return nn.Sequential(
        LiftingConv2d(group, 1, width, 5, **options),
        PointwiseActivation(fields),
        *block(3, 2, padding=1),
        *block(3),
        BlurPool2d(2, 3, padding_mode="reflect", dtype=dtype),
        *block(5),
        OrbitGroupNorm2d(fields, dtype=dtype),
        nn.MaxPool2d(2),
        *block(3),
        GroupPool(fields, "attention", dtype=dtype),
        MeanOverGrid(),
        EquivariantLinear(trivial_fields(group, width), trivial_fields(group, 4), dtype=dtype),
    )


def settled(network, dtype=torch.float32):
    """In eval mode, after a batch for the running statistics."""
    network.train()(torch.randn(4, 1, 29, 29, generator=torch.manual_seed(5)).to(dtype))
    return network.eval()


@pytest.mark.parametrize(("dtype", "allowed"), [(torch.float32, 1e-6), (torch.float64, 1e-13)])
@pytest.mark.parametrize("group", [C4, D4])
def test_quarter_turns_are_exact_through_a_deep_network(group, dtype, allowed):
    network = settled(deep(group, dtype), dtype)
    action = FeatureFieldAction(group, trivial_fields(group, 1))
    symmetry = Symmetry(group.name, group, action, TrivialAction())
    x = torch.randn(2, 1, 29, 29, generator=torch.manual_seed(1)).to(dtype)
    assert_equivariant(network, symmetry, x, tolerance=allowed)
    assert_equivariant(to_plain(network), symmetry, x, tolerance=allowed)


@pytest.mark.parametrize(("dtype", "allowed"), [(torch.float32, 1e-6), (torch.float64, 1e-13)])
def test_quarter_turns_within_larger_groups_are_exact(dtype, allowed):
    network = settled(deep(DihedralGroup(8), dtype), dtype)
    x = torch.randn(2, 1, 29, 29, generator=torch.manual_seed(1)).to(dtype)
    y = network(x)
    for moved in (x.rot90(1, (-2, -1)), x.flip(-1), x.mT):
        assert (network(moved) - y).norm() < allowed * y.norm()


def smooth(group, seed, width=3):
    """5×5 kernels and one blurred step: little aliasing, so that other angles fare well too."""
    torch.manual_seed(seed)
    fields = regular_fields(group, width)
    options = {"padding_mode": "zeros", "dtype": torch.float64}

    def block():
        return [
            GroupConv2d(group, width, width, 5, **options),
            OrbitBatchNorm2d(fields, dtype=torch.float64),
            PointwiseActivation(fields),
        ]

    return nn.Sequential(
        LiftingConv2d(group, 1, width, 5, **options),
        PointwiseActivation(fields),
        *block(),
        BlurPool2d(2, 3, padding_mode="reflect", dtype=torch.float64),
        *block(),
        *block(),
        GroupPool(fields),
        MeanOverGrid(),
    )


def plain_of(network):
    """The same layers with free weights and without the pooling over the group."""
    layers = [layer for layer in to_plain(network) if not isinstance(layer, GroupPool)]
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight)
    return nn.Sequential(*layers)


def eighth_turn_error(network):
    """Relative change of the means over the grid when smooth images turn by 45°."""
    action = ImageAction(C8, FieldLayout((Field("image", "scalar"),)))
    x = torch.randn(16, 1, 33, 33, dtype=torch.float64, generator=torch.manual_seed(7))
    row = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0], dtype=torch.float64) / 16
    for _ in range(2):
        x = nn.functional.conv2d(x, torch.outer(row, row)[None, None])
    x = nn.functional.pad(x * disc_window((25, 25), 6.0), (2,) * 4)
    with torch.no_grad():
        y, turned = network(x), network(action.act(1, x, Context()))
    return float((turned - y).norm() / y.norm())


def test_eighth_turns_beside_a_plain_network_before_training():
    networks = [settled(smooth(C8, seed), torch.float64) for seed in range(3)]
    equivariant = [eighth_turn_error(network) for network in networks]
    plain = [eighth_turn_error(settled(plain_of(network), torch.float64)) for network in networks]
    assert max(equivariant) < 0.3 * min(plain)
    assert max(equivariant) < 0.04


def test_habits_of_a_whole_network(tmp_path):
    network = deep(C8)
    torch.save(network.state_dict(), tmp_path / "fresh.pt")
    settled(network)
    x = torch.randn(2, 1, 29, 29, generator=torch.manual_seed(1))
    expected = network(x)
    for other in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        assert torch.equal(other(x), expected)
    fresh = deep(C8, seed=9).eval()
    fresh.load_state_dict(network.train().state_dict())
    network.eval()
    assert torch.equal(fresh(x), expected)
    exported = torch.export.export(network, (x,)).module()
    torch.testing.assert_close(exported(x), expected)
    compiled = torch.compile(network, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(x), expected)
    with torch.autocast("cpu", torch.bfloat16):
        half = network(x)
    assert (half.float() - expected).norm() < 0.1 * expected.norm()


@pytest.mark.skipif(find_spec("onnxscript") is None, reason="the ONNX exporter is not installed")
def test_onnx(tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    x = torch.randn(2, 1, 29, 29, generator=torch.manual_seed(1))
    network = settled(deep(C4))
    for k, model in enumerate((network, to_plain(network))):
        path = tmp_path / f"{k}.onnx"
        torch.onnx.export(model, (x,), path, dynamo=True)
        session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        (found,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
        torch.testing.assert_close(torch.from_numpy(found), model(x), rtol=1e-4, atol=1e-5)


def test_training_step_learns():
    network = deep(C4)
    x = torch.randn(8, 1, 29, 29, generator=torch.manual_seed(1))
    wanted = torch.arange(8) % 4
    optimiser = torch.optim.Adam(network.parameters(), 0.01)
    losses = []
    for _ in range(12):
        optimiser.zero_grad()
        loss = nn.functional.cross_entropy(network.train()(x), wanted)
        loss.backward()
        assert all(p.grad is not None for p in network.parameters())
        optimiser.step()
        losses.append(float(loss))
    assert losses[-1] < 0.8 * losses[0]
