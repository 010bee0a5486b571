"""Attention over sets against a loop; permutations, padding, initial variance."""

import pytest
import torch

from goldstone.actions import graph_symmetry, set_symmetry
from goldstone.core import InputError
from goldstone.nn import SetAttention
from goldstone.testing import assert_equivariant


def randomised(layer, seed=0):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in layer.parameters():
            p.copy_(torch.randn(p.shape, generator=generator, dtype=torch.float64) / 2)
    return layer


def by_loops(layer, x, pairs, mask):
    """One set, float64."""
    d = layer.channels // layer.heads
    q, k, v = (layer.inward.weight @ x.T + layer.inward.bias[:, None]).T.chunk(3, -1)
    y = torch.zeros_like(x)
    for i in range(len(x)):
        if not mask[i]:
            continue
        heads = []
        for h in range(layer.heads):
            part = slice(h * d, h * d + d)
            weights, values = [], []
            for j in range(len(x)):
                if mask[j]:
                    score = q[i, part] @ k[j, part] / d**0.5
                    if pairs is not None:
                        score = score + layer.pairs.weight[h] @ pairs[i, j]
                    weights.append(score.exp())
                    values.append(v[j, part])
            weights = torch.stack(weights)
            heads.append((weights / weights.sum()) @ torch.stack(values))
        y[i] = layer.outward.weight @ torch.cat(heads) + layer.outward.bias
    return y


@pytest.mark.parametrize("pair_channels", [0, 3])
def test_against_a_loop(pair_channels):
    layer = randomised(SetAttention(6, 2, pair_channels, dtype=torch.float64))
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(3, 5, 6, generator=generator, dtype=torch.float64)
    p = torch.randn(3, 5, 5, 3, generator=generator, dtype=torch.float64)
    mask = torch.tensor([[1, 1, 1, 1, 1], [0, 1, 0, 1, 1], [0, 0, 0, 1, 0]]) > 0
    pairs = p if pair_channels else None
    expected = [by_loops(layer, x[b], p[b] if pair_channels else None, mask[b]) for b in range(3)]
    torch.testing.assert_close(layer(x, pairs, mask), torch.stack(expected))
    full = torch.ones_like(mask)
    torch.testing.assert_close(layer(x, pairs), layer(x, pairs, full))
    # What padding holds does not matter, not even NaN.
    noise = x.masked_fill(~mask[..., None], torch.nan)
    torch.testing.assert_close(layer(noise, pairs, mask), layer(x, pairs, mask), rtol=0, atol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_it_is_equivariant(dtype):
    x, pairs = torch.randn(3, 7, 8, dtype=dtype), torch.randn(3, 7, 7, 2, dtype=dtype)
    mask = torch.rand(3, 7) < 0.7
    mask[:, 0] = True
    entries = {"x": "node", "pairs": "adjacency", "mask": "node"}
    layer = randomised(SetAttention(8, 4, 2, dtype=dtype))
    symmetry = graph_symmetry(7, entries, "node")
    assert_equivariant(layer, symmetry, {"x": x, "pairs": pairs, "mask": mask})
    without = randomised(SetAttention(8, 4, dtype=dtype))
    assert_equivariant(without, set_symmetry(7, invariant=False), x)
    y = without(x)
    assert (y - y.flip(1)).norm() > 0.1 * y.norm()


def test_an_empty_set_has_finite_gradients():
    layer = randomised(SetAttention(4, 2, dtype=torch.float64))
    x = torch.randn(2, 3, 4, dtype=torch.float64, requires_grad=True)
    y = layer(x, mask=torch.tensor([[False] * 3, [True] * 3]))
    assert not y[0].any()
    y.square().sum().backward()
    assert x.grad.isfinite().all()
    assert not x.grad[0].any()


def test_initial_variance():
    torch.manual_seed(0)
    layer = SetAttention(256, 4)
    x = torch.randn(8, 64, 256)
    query, key, value = layer.inward(x).detach().chunk(3, -1)
    for part in (query, key, value):
        assert part.var() == pytest.approx(1, rel=0.1)
    scores = (query[..., :64] @ key[..., :64].transpose(1, 2)) / 8
    assert scores.var() == pytest.approx(1, rel=0.15)
    # One element alone attends to itself: two linear maps of unit gain.
    assert layer(x[:, :1]).detach().var() == pytest.approx(1, rel=0.2)
    assert layer(x).var() < 1


def test_bad_input():
    with pytest.raises(InputError, match="divides the 6 channels"):
        SetAttention(6, 4)
    with pytest.raises(InputError, match="0 or more pair channels"):
        SetAttention(6, 2, -1)
    x, pairs = torch.ones(1, 3, 6), torch.ones(1, 3, 3, 2)
    with pytest.raises(InputError, match="give pairs="):
        SetAttention(6, 2, 2)(x)
    with pytest.raises(InputError, match="give pair_channels="):
        SetAttention(6, 2)(x, pairs)
    with pytest.raises(InputError, match="pairs of the 3 elements"):
        SetAttention(6, 2, 2)(x, torch.ones(1, 4, 4, 2))


def test_attention_along_the_edges_of_a_graph():
    """As a loop over neighbours, isolated nodes too; the graph moves with its nodes."""
    layer = randomised(SetAttention(6, 2, dtype=torch.float64))
    x = torch.randn(2, 5, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    edges = torch.rand(2, 5, 5, generator=torch.Generator().manual_seed(1)) < 0.5
    edges[0, 2] = False
    mask = torch.tensor([[True] * 5, [True] * 4 + [False]])
    found = layer(x, mask=mask, allowed=edges)
    for b in range(2):
        for i in range(5 - b):
            near = (edges[b, i] & mask[b]).nonzero()[:, 0]
            if len(near) == 0:
                torch.testing.assert_close(found[b, i], layer.outward.bias)
                continue
            # The node itself attends, whether or not it is its own neighbour.
            both = torch.cat((x[b, i : i + 1], x[b, near]))
            some = torch.ones(1, len(both), len(both), dtype=torch.bool)
            some[:, 0, 0] = False
            torch.testing.assert_close(found[b, i], layer(both[None], allowed=some)[0, 0])
    assert not torch.equal(found, layer(x, mask=mask))
    graph = {"x": x, "allowed": edges}
    symmetry = graph_symmetry(5, {"x": "node", "allowed": "adjacency"}, output="node")
    assert_equivariant(layer, symmetry, graph)
    full = torch.ones_like(edges)
    torch.testing.assert_close(layer(x, mask=mask, allowed=full), layer(x, mask=mask))
    with pytest.raises(InputError, match="allowed pairs"):
        layer(x, allowed=edges.float())
    with pytest.raises(InputError, match="allowed pairs"):
        layer(x, allowed=edges[:, :4])
