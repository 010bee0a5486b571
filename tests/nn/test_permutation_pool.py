"""Pooling over sets and pairs against loops over the real entries."""

import pytest
import torch

from goldstone.actions import graph_symmetry
from goldstone.core import InputError
from goldstone.nn import PermutationPool
from goldstone.testing import assert_equivariant

REDUCTIONS = ["mean", "sum", "max", "attention"]


def made(order, reduction, dtype=torch.float64):
    pool = PermutationPool(2, order, reduction, dtype=dtype)
    if pool.scores is not None:
        generator = torch.Generator().manual_seed(0)
        scores = torch.randn(pool.scores.shape, generator=generator, dtype=torch.float64)
        with torch.no_grad():
            pool.scores.copy_(scores)
    return pool


def reduced(entries, pool, orbit):
    """Of a list of entries, (channel)."""
    if not entries:
        return torch.zeros(2, dtype=torch.float64)
    x = torch.stack(entries)
    if pool.reduction == "attention":
        weights = torch.stack([(pool.scores[orbit] @ entry).exp() for entry in entries])
        return (weights / weights.sum(0) * x).sum(0)
    return {"mean": x.mean(0), "sum": x.sum(0), "max": x.amax(0)}[pool.reduction]


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_against_a_loop_with_padding(reduction):
    mask = torch.tensor([[1, 0, 1, 1], [0, 0, 1, 0], [0, 0, 0, 0], [1, 1, 1, 1]]) > 0
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(4, 4, 4, 2, generator=generator, dtype=torch.float64) - 3
    pairs, sets = made(2, reduction), made(1, reduction)
    padded = x.masked_fill(~(mask[:, :, None] & mask[:, None])[..., None], torch.nan)
    rows = padded.diagonal(dim1=1, dim2=2).transpose(1, 2)
    found, found_sets = pairs(padded, mask), sets(rows, mask)
    for b in range(4):
        real = [i for i in range(4) if mask[b, i]]
        diagonal = [x[b, i, i] for i in real]
        others = [x[b, i, j] for i in real for j in real if i != j]
        expected = torch.cat((reduced(diagonal, pairs, 0), reduced(others, pairs, 1)))
        torch.testing.assert_close(found[b], expected)
        torch.testing.assert_close(found_sets[b], reduced(diagonal, sets, 0))
    full = torch.ones(4, 4, dtype=torch.bool)
    torch.testing.assert_close(pairs(x), pairs(x, full))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_it_is_invariant(reduction, order, dtype):
    pool = made(order, reduction, dtype)
    x = torch.randn(3, *[6] * order, 2, dtype=dtype)
    kind = "node" if order == 1 else "adjacency"
    assert_equivariant(pool, graph_symmetry(6, {"x": kind}), {"x": x})
    assert pool(x).shape == (3, pool.out_channels)
    assert pool(x).std(0).min() > 0.01


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_gradients_of_empty_sets_are_finite(reduction):
    pool = made(1, reduction)
    x = torch.randn(2, 3, 2, dtype=torch.float64, requires_grad=True)
    pool(x, torch.tensor([[False] * 3, [True] * 3])).square().sum().backward()
    assert x.grad.isfinite().all()
    assert not x.grad[0].any()
    assert x.grad[1].any()


def test_attention_starts_as_the_mean():
    x = torch.randn(2, 5, 3)
    expected = PermutationPool(3)(x)
    torch.testing.assert_close(PermutationPool(3, reduction="attention")(x), expected)


def test_bad_input():
    with pytest.raises(InputError, match="expected order 1"):
        PermutationPool(2, 3)
    with pytest.raises(InputError, match="mean, sum, max, attention"):
        PermutationPool(2, 1, "median")


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("reduction", ["mean", "sum", "max", "attention"])
def test_sets_without_elements_pool_to_zero(order, reduction):
    pool = PermutationPool(3, order, reduction)
    nothing = torch.zeros(2, *(0,) * order, 3)
    assert torch.equal(pool(nothing), torch.zeros(2, 3 * order))
    hidden = torch.full((2, *(4,) * order, 3), torch.nan)
    assert torch.equal(pool(hidden, torch.zeros(2, 4, dtype=torch.bool)), torch.zeros(2, 3 * order))
