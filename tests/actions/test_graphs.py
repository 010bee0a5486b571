"""Graphs, ragged batches and sets."""

import pytest
import torch

from goldstone.actions import (
    AxisPermutation,
    Context,
    graph_symmetry,
    ragged_graph_symmetry,
    ragged_permutations,
    set_symmetry,
)
from goldstone.core import InputError
from goldstone.testing import assert_equivariant, check_action_laws

CONTEXT = Context()


def noise(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


BATCH = torch.tensor([0, 0, 0, 1, 2, 2])


def test_ragged_batches():
    group = ragged_permutations(BATCH)
    assert group.order == 6 * 1 * 2
    for a in group.elements():
        assert all(BATCH[i] == BATCH[a[i]] for i in range(6))
    frame = Context(batch=BATCH)
    x = noise(6, 2)
    check_action_laws(AxisPermutation((0,)), group, x, frame, elements=group.elements()[::3])
    with pytest.raises(InputError, match="keep each of them in its graph"):
        AxisPermutation((0,)).act((3, 1, 2, 0, 4, 5), x, frame)
    with pytest.raises(InputError, match="ragged batch of 6 nodes"):
        AxisPermutation((0,)).act((1, 0), noise(2, 2), frame)
    with pytest.raises(InputError, match="number of the graph of each node"):
        ragged_permutations(BATCH.float())


def sum_of_neighbours(x, edge_index, batch):
    """A message-passing layer and a sum over each graph."""
    messages = torch.zeros_like(x).index_add(0, edge_index[1], x[edge_index[0]].tanh())
    nodes = x + messages
    return torch.zeros(3, x.shape[1], dtype=x.dtype).index_add(0, batch, nodes), nodes


@pytest.mark.parametrize("output", ["graph", "node"])
def test_a_message_passing_net_is_equivariant_on_ragged_batches(output):
    entries = {"x": "node", "edge_index": "edge-index", "batch": "node"}
    symmetry = ragged_graph_symmetry(BATCH, entries, output)
    graph = {
        "x": noise(6, 2),
        "edge_index": torch.tensor([[0, 1, 2, 4], [1, 2, 0, 5]]),
        "batch": BATCH,
    }
    place = 0 if output == "graph" else 1
    for g in symmetry.elements:
        frame = Context(batch=BATCH)
        moved = sum_of_neighbours(**symmetry.on_input.act(g, graph, frame))[place]
        expected = symmetry.on_output.act(g, sum_of_neighbours(**graph)[place], frame)
        torch.testing.assert_close(moved, expected)


def test_dense_graphs():
    entries = {"x": "node", "a": "adjacency", "e": "edge", "u": "graph"}
    symmetry = graph_symmetry(4, entries, "node")
    graph = {"x": noise(2, 4, 3), "a": noise(2, 4, 4), "e": noise(2, 7), "u": noise(2, 1)}
    for g in symmetry.elements:
        moved = symmetry.on_input.act(g, graph, CONTEXT)
        assert moved["e"] is graph["e"]
        assert moved["u"] is graph["u"]
        found = moved["a"] @ moved["x"]
        expected = symmetry.on_output.act(g, graph["a"] @ graph["x"], CONTEXT)
        torch.testing.assert_close(found, expected)


def test_sets():
    weight = noise(3, 5)

    def deep_set(x):
        return (x @ weight).tanh().sum(1)

    assert_equivariant(deep_set, set_symmetry(6), noise(2, 6, 3))
    assert_equivariant(
        lambda x: x - x.mean(1, keepdim=True), set_symmetry(6, invariant=False), noise(2, 6, 3)
    )
    with pytest.raises(AssertionError, match="not equivariant"):
        assert_equivariant(lambda x: x.cumsum(1)[:, 3], set_symmetry(6), noise(2, 6, 3))
