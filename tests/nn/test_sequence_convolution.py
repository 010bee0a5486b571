"""Convolution along sequences against loops; shifts on rings and within padding."""

import pytest
import torch

from goldstone.actions import sequence_symmetry
from goldstone.core import InputError
from goldstone.groups import CyclicGroup
from goldstone.nn import SequenceConv1d
from goldstone.representations import RegularRepresentation, intertwiner_basis
from goldstone.testing import assert_equivariant


def randomised(layer):
    with torch.no_grad():
        for p in layer.parameters():
            p.copy_(torch.randn(p.shape, generator=torch.Generator().manual_seed(1)))
    return layer


@pytest.mark.parametrize("padding", ["circular", "causal", "zeros"])
@pytest.mark.parametrize(("size", "dilation"), [(1, 1), (3, 1), (4, 1), (3, 2)])
def test_against_a_loop(padding, size, dilation):
    layer = randomised(SequenceConv1d(2, 3, size, padding, dilation, dtype=torch.float64))
    x = torch.randn(2, 9, 2, dtype=torch.float64)
    y = torch.zeros(2, 9, 3, dtype=torch.float64) + layer.bias
    width = (size - 1) * dilation
    before = width if padding == "causal" else width // 2
    for t in range(9):
        for k in range(size):
            place = t - before + k * dilation
            if padding == "circular":
                place %= 9
            if 0 <= place < 9:
                y[:, t] += x[:, place] @ layer.weight[:, :, k].T
    torch.testing.assert_close(layer(x), y)


def test_all_linear_maps_on_a_ring():
    n = 5
    regular = RegularRepresentation(CyclicGroup(n))
    basis = intertwiner_basis(regular, regular).dense().flatten(1)
    layer = SequenceConv1d(1, 1, n, bias=False, dtype=torch.float64)
    maps = []
    for k in range(n):
        with torch.no_grad():
            layer.weight.copy_(torch.eye(n)[k])
        maps.append(layer(torch.eye(n, dtype=torch.float64)[..., None])[..., 0].T.flatten())
    maps = torch.stack(maps)
    assert torch.linalg.matrix_rank(maps) == n == len(basis)
    torch.testing.assert_close(maps @ basis.T @ basis, maps)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_rings(dtype):
    layer = randomised(SequenceConv1d(2, 3, 4, dilation=2, dtype=dtype))
    x = torch.randn(2, 12, 2, dtype=dtype)
    assert_equivariant(layer, sequence_symmetry("cyclic-shifts", 12), x)
    y = layer(x)
    assert (y - y.roll(1, 1)).norm() > 0.1 * y.norm()


@pytest.mark.parametrize("padding", ["causal", "zeros"])
def test_shifts_within_padding(padding):
    layers = [randomised(SequenceConv1d(2, 2, 3, padding, dtype=torch.float64)) for _ in range(3)]

    def net(x, masked=True):
        mask = x.any(-1) if masked else None
        for layer in layers:
            x = layer(x, mask).tanh()
        return x

    x = torch.zeros(2, 12, 2, dtype=torch.float64)
    x[:, :6] = torch.randn(2, 6, 2)
    assert_equivariant(net, sequence_symmetry("padded-shifts", 12), x)
    # Without the mask biases fill the padding, up to an end that shifts bring nearer.
    with pytest.raises(AssertionError):
        assert_equivariant(lambda x: net(x, False), sequence_symmetry("padded-shifts", 12), x)


def test_causal_means_causal():
    layer = randomised(SequenceConv1d(1, 1, 3, "causal", 2))
    x = torch.randn(1, 10, 1)
    later = x.clone()
    later[:, 6:] += 1
    assert torch.equal(layer(x)[:, :6], layer(later)[:, :6])
    assert not torch.allclose(layer(x)[:, 6:], layer(later)[:, 6:])


def test_initial_variance():
    torch.manual_seed(0)
    y = SequenceConv1d(64, 256, 5)(torch.randn(16, 50, 64)).detach()
    assert y.var() == pytest.approx(1, rel=0.05)


def test_bad_input():
    with pytest.raises(InputError, match="circular, causal, zeros"):
        SequenceConv1d(1, 1, 3, "same")
    with pytest.raises(InputError, match="positive channels"):
        SequenceConv1d(1, 1, 0)
    with pytest.raises(InputError, match="more than once round"):
        SequenceConv1d(1, 1, 5)(torch.ones(1, 4, 1))
