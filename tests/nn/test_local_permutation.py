"""Reorderings within windows: the whole space of maps, padding, initial variance."""

import pytest
import torch

from goldstone.actions import sequence_symmetry
from goldstone.core import InputError
from goldstone.groups import PermutationGroup
from goldstone.nn import LocalPermutationConv1d, PermutationLinear
from goldstone.representations import PermutationRepresentation, intertwiner_basis
from goldstone.testing import assert_equivariant


def randomised(layer):
    with torch.no_grad():
        for p in layer.parameters():
            p.copy_(torch.randn(p.shape, generator=torch.Generator().manual_seed(1)))
    return layer


def test_all_linear_maps_of_the_wreath_product():
    # S_2 ≀ C_3 on 6 places: swap the first two, shift by a window.
    images = ((1, 0, 2, 3, 4, 5), (2, 3, 4, 5, 0, 1))
    group = PermutationGroup(images, "S2 ≀ C3")
    assert group.order == 24
    own = tuple(tuple(map(int, g)) for g in group.generators())
    v = PermutationRepresentation(group, own)
    basis = intertwiner_basis(v, v).dense().flatten(1)
    layer = LocalPermutationConv1d(1, 1, 2, 3, "circular", bias=False, dtype=torch.float64)
    maps = []
    for p in layer.parameters():
        for k in range(p.numel()):
            with torch.no_grad():
                for q in layer.parameters():
                    q.zero_()
                p.view(-1)[k] = 1
            maps.append(layer(torch.eye(6, dtype=torch.float64)[..., None])[..., 0].T.flatten())
    maps = torch.stack(maps).detach()
    assert torch.linalg.matrix_rank(maps) == len(maps) == len(basis) == 4
    torch.testing.assert_close(maps @ basis.T @ basis, maps)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("padding", ["circular", "causal", "zeros"])
@pytest.mark.parametrize("length", [12, 14])
def test_local_reorderings(padding, length, dtype):
    layer = randomised(LocalPermutationConv1d(2, 3, 4, 3, padding, dtype=dtype))
    x = torch.randn(2, length, 2, dtype=dtype)
    if padding == "circular" and length == 14:
        with pytest.raises(InputError, match="add 2 places"):
            layer(x)
        return
    assert_equivariant(layer, sequence_symmetry("local-reorderings", length, window=4), x)
    with pytest.raises(AssertionError):
        assert_equivariant(layer, sequence_symmetry("reorderings", length), x)
    if padding == "circular":
        torch.testing.assert_close(layer(x.roll(4, 1)), layer(x).roll(4, 1))
        assert not torch.allclose(layer(x.roll(1, 1)), layer(x).roll(1, 1), atol=0.1)


def test_one_window_is_a_set():
    layer = randomised(LocalPermutationConv1d(2, 3, 5, 1, dtype=torch.float64))
    sets = PermutationLinear(2, 3, dtype=torch.float64)
    with torch.no_grad():
        sets.standard.copy_(layer.within[None, :, None])
        sets.trivial.copy_(layer.between.weight[None, :, None, :, 0])
        sets.bias.copy_(layer.between.bias[None])
    x = torch.randn(3, 5, 2, dtype=torch.float64)
    mask = torch.arange(5) < torch.tensor([[5], [2], [1]])
    torch.testing.assert_close(layer(x, mask), sets(x, mask))


def test_padding_does_not_matter():
    layer = randomised(LocalPermutationConv1d(2, 3, 4, dtype=torch.float64))
    x = torch.randn(1, 6, 2, dtype=torch.float64)
    padded = torch.full((1, 13, 2), torch.nan, dtype=torch.float64)
    padded[:, :6] = x
    y = layer(padded, torch.arange(13)[None] < 6)
    torch.testing.assert_close(y[:, :6], layer(x))
    assert not y[:, 6:].any()


@pytest.mark.parametrize("shared", [False, True])
def test_initial_variance(shared):
    torch.manual_seed(0)
    x = torch.randn(16, 10, 1 if shared else 4, 64).expand(-1, -1, 4, -1).flatten(1, 2)
    y = LocalPermutationConv1d(64, 256, 4, 3, "circular")(x).detach()
    assert y.var() == pytest.approx(1, rel=0.1)


def test_bad_input():
    with pytest.raises(InputError, match="use SequenceConv1d"):
        LocalPermutationConv1d(1, 1, 1)
