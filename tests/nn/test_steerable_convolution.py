"""Steerable convolution: exact equivariance, initial variance, and the habits of a module."""

import copy
import pickle

import pytest
import torch
from torch.nn import functional

from goldstone.actions import move_points
from goldstone.core import InputError
from goldstone.groups import CyclicGroup, DihedralGroup
from goldstone.nn import SteerableConv2d
from goldstone.representations import (
    DeterminantRepresentation,
    DirectSum,
    RegularRepresentation,
    StandardRepresentation,
    TrivialRepresentation,
    multiple,
)

D4 = DihedralGroup(4)


def mixed(group):
    """Parts in an order that grouping must undo."""
    scalar, sign = TrivialRepresentation(group), DeterminantRepresentation(group)
    vector, regular = StandardRepresentation(group), RegularRepresentation(group)
    return DirectSum(group, (vector, scalar, regular, vector, sign, regular))


def act(representation, g, x, pivot="cell"):
    matrix = representation.matrix(g).to(x.dtype)
    moved = move_points(x, representation.group.matrix(g), pivot)
    return torch.einsum("ij,bjxy->bixy", matrix, moved)


def randomised(layer, seed=0):
    """All coefficients and biases drawn at random, so that nothing is zero by chance."""
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(
                torch.randn(parameter.shape, generator=torch.manual_seed(seed), dtype=torch.float64)
            )
    return layer


def relative_error(layer, g, x, pivot="cell"):
    with torch.no_grad():
        output = layer(x)
        turned = layer(act(layer.source, g, x, pivot))
        expected = act(layer.target, g, output, pivot)
    return float((turned - expected).norm() / output.norm())


@pytest.mark.parametrize(("dtype", "allowed"), [(torch.float64, 1e-14), (torch.float32, 2e-6)])
@pytest.mark.parametrize(("size", "stride"), [(1, 1), (3, 1), (5, 1), (2, 2), (3, 3)])
@pytest.mark.parametrize("group", [CyclicGroup(4), D4], ids=lambda g: g.name)
@pytest.mark.parametrize("cells", [6, 9])
def test_equivariance_about_the_cell_centre(dtype, allowed, size, stride, group, cells):
    cells -= cells % stride
    layer = randomised(SteerableConv2d(mixed(group), mixed(group), size, stride, dtype=dtype))
    x = torch.randn(2, layer.source.dimension, cells, cells, dtype=dtype)
    for g in group.elements():
        assert relative_error(layer, g, x) < allowed


@pytest.mark.parametrize("cells", [6, 7])
def test_stride_one_keeps_the_node_too(cells):
    layer = randomised(SteerableConv2d(mixed(D4), mixed(D4), 3, dtype=torch.float64))
    x = torch.randn(1, layer.source.dimension, cells, cells, dtype=torch.float64)
    for g in D4.elements():
        assert relative_error(layer, g, x, "node") < 1e-14


def test_half_turns_and_axis_reflections_on_an_oblong_grid():
    group = DihedralGroup(2)
    layer = randomised(SteerableConv2d(mixed(group), mixed(group), 3, dtype=torch.float64))
    x = torch.randn(1, layer.source.dimension, 6, 10, dtype=torch.float64)
    for g in group.elements():
        assert relative_error(layer, g, x) < 1e-14


def test_a_plain_convolution_fails_the_same_check():
    layer = randomised(SteerableConv2d(mixed(D4), mixed(D4), 3, dtype=torch.float64))
    weight = layer.weight().detach()
    weight[0, 0, 0, 0] += 1.0
    x = torch.randn(1, layer.source.dimension, 6, 6, dtype=torch.float64)

    def broken(field):
        return functional.conv2d(functional.pad(field, (1,) * 4, mode="circular"), weight)

    turned = broken(act(layer.source, (0, 1), x))
    expected = act(layer.target, (0, 1), broken(x))
    assert (turned - expected).norm() > 1e-2 * expected.norm()


def test_the_convolution_is_the_written_sum():
    """out(p) = Σ_d K(d) in(p + d) + b, by loops."""
    layer = randomised(SteerableConv2d(mixed(D4), multiple(RegularRepresentation(D4), 2), 3))
    layer = layer.double()
    x = torch.randn(1, layer.source.dimension, 4, 5, dtype=torch.float64)
    expected = torch.zeros(1, layer.target.dimension, 4, 5, dtype=torch.float64)
    for i in range(4):
        for j in range(5):
            for k in range(3):
                for m in range(3):
                    source = x[0, :, (i + k - 1) % 4, (j + m - 1) % 5]
                    expected[0, :, i, j] += layer.weight()[:, :, k, m] @ source
            expected[0, :, i, j] += layer.bias()
    torch.testing.assert_close(layer(x), expected)


def test_biases_are_the_invariant_vectors():
    layer = randomised(SteerableConv2d(mixed(D4), mixed(D4), 1))
    bias = layer.bias().detach()
    for g in D4.elements():
        torch.testing.assert_close(layer.target.matrix(g).float() @ bias, bias)
    # One per scalar and per regular part, none for vectors and pseudoscalars.
    assert sum(parameter.numel() for parameter in layer.biases) == 3
    assert SteerableConv2d(mixed(D4), mixed(D4), 1, bias=False).bias() is None


@pytest.mark.parametrize("size", [1, 3])
def test_unit_variance_at_initialisation(size):
    regular = multiple(RegularRepresentation(D4), 4)
    x = torch.randn(4, 32, 16, 16, generator=torch.manual_seed(1))
    layer = SteerableConv2d(regular, regular, size)
    variances = []
    for seed in range(32):
        layer.reset_parameters(torch.Generator().manual_seed(seed))
        variances.append(float(layer(x).detach().var()))
    assert sum(variances) / 32 == pytest.approx(1.0, abs=0.05)


def test_initialisation_repeats_with_its_generator():
    layers = [SteerableConv2d(mixed(D4), mixed(D4), 3) for _ in range(2)]
    for layer in layers:
        layer.reset_parameters(torch.Generator().manual_seed(5))
    assert torch.equal(layers[0].weight(), layers[1].weight())


def test_copies_and_saved_states_agree(tmp_path):
    layer = randomised(SteerableConv2d(mixed(D4), mixed(D4), 3))
    x = torch.randn(1, layer.source.dimension, 6, 6)
    expected = layer(x)
    for other in (copy.deepcopy(layer.eval()), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(other(x), expected)
    torch.save(layer.train().state_dict(), tmp_path / "layer.pt")
    fresh = SteerableConv2d(mixed(D4), mixed(D4), 3).eval()
    fresh.load_state_dict(torch.load(tmp_path / "layer.pt", weights_only=True))
    assert torch.equal(fresh(x), expected)
    assert not any("basis" in name for name in layer.state_dict())


def test_export_and_graph_capture():
    layer = randomised(SteerableConv2d(mixed(D4), mixed(D4), 3)).eval()
    x = torch.randn(1, layer.source.dimension, 6, 6)
    torch.testing.assert_close(torch.export.export(layer, (x,)).module()(x), layer(x))
    captured = torch.compile(layer, backend="eager", fullgraph=True)
    torch.testing.assert_close(captured(x), layer(x))


def test_gradients_reach_every_parameter_and_the_input():
    layer = SteerableConv2d(mixed(D4), mixed(D4), 3, dtype=torch.float64)
    x = torch.randn(1, layer.source.dimension, 4, 4, dtype=torch.float64, requires_grad=True)
    layer(x).square().sum().backward()
    for parameter in [x, *layer.parameters()]:
        # A part without an invariant vector has an empty bias.
        assert parameter.numel() == 0 or parameter.grad.abs().max() > 0
    vector = StandardRepresentation(D4)
    layer = SteerableConv2d(vector, multiple(vector, 2), 3, dtype=torch.float64)
    assert torch.autograd.gradcheck(layer, x[:, :2, :3, :3].detach().requires_grad_())


def test_device_and_dtype_are_kept():
    layer = SteerableConv2d(mixed(D4), mixed(D4), 3, device="meta", dtype=torch.float64)
    assert all(t.device.type == "meta" for t in (*layer.parameters(), *layer.buffers()))
    assert layer.weight().dtype == torch.float64
    assert "D4, 22 → 22, kernel_size=3" in repr(layer)


@pytest.mark.parametrize(("size", "stride"), [(2, 1), (3, 2), (4, 2), (0, 0)])
def test_sizes_that_lose_the_centre_are_refused(size, stride):
    with pytest.raises(InputError, match="odd kernel with stride 1"):
        SteerableConv2d(mixed(D4), mixed(D4), size, stride)


def test_other_errors():
    with pytest.raises(InputError, match="one group, got D4 and C4"):
        SteerableConv2d(mixed(D4), mixed(CyclicGroup(4)), 1)
    layer = SteerableConv2d(mixed(D4), mixed(D4), 2, 2)
    with pytest.raises(InputError, match=r"expected 22 channels .* got 3"):
        layer(torch.zeros(1, 3, 4, 4))
    with pytest.raises(InputError, match=r"\(5, 4\) is not a multiple of the stride 2"):
        layer(torch.zeros(1, 22, 5, 4))
