"""Permutations of nodes, edges, labels and ragged batches, against loops."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from goldstone.actions import (
    ClassPermutation,
    Context,
    PermutationAction,
    RelabelAction,
    graph_action,
    graph_symmetry,
    ragged_graph_symmetry,
    ragged_permutations,
    set_symmetry,
)
from goldstone.core import InputError
from goldstone.groups import CyclicGroup, DihedralGroup, SymmetricGroup
from goldstone.representations import (
    MatrixRepresentation,
    PermutationRepresentation,
    RegularRepresentation,
)
from goldstone.testing import assert_equivariant, check_action_laws

CONTEXT = Context()


def noise(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


@given(st.permutations(range(4)))
def test_against_loops(images):
    images = tuple(images)
    nodes, edges = noise(2, 4, 3), noise(2, 4, 4, 5)
    moved = PermutationAction((1,)).act(images, nodes, CONTEXT)
    dense = PermutationAction((1, 2)).act(torch.tensor(images), edges, CONTEXT)
    for i in range(4):
        assert torch.equal(moved[:, images[i]], nodes[:, i])
        for j in range(4):
            assert torch.equal(dense[:, images[i], images[j]], edges[:, i, j])


@pytest.mark.parametrize("axes", [(1,), (1, 2), (-1,), (1, 2, 3)])
def test_laws(axes):
    group = SymmetricGroup(4)
    check_action_laws(PermutationAction(axes), group, noise(2, 4, 4, 4), tolerance=0.0)


def test_relabelled_edges_describe_the_permuted_adjacency():
    images = (3, 1, 4, 0, 2)
    edges = torch.tensor([[0, 1, 1, 4], [1, 2, 3, 0]])

    def adjacency(edges):
        matrix = torch.zeros(5, 5)
        matrix[edges[0], edges[1]] = torch.arange(1.0, 5.0)
        return matrix

    moved = RelabelAction().act(images, edges, CONTEXT)
    expected = PermutationAction((0, 1)).act(images, adjacency(edges), CONTEXT)
    assert torch.equal(adjacency(moved), expected)
    assert moved.dtype == edges.dtype
    small = RelabelAction().act(images, edges.to(torch.int32), CONTEXT)
    assert small.dtype == torch.int32
    ignored = RelabelAction().act(images, torch.tensor([-100, 0, -1]), CONTEXT)
    assert ignored.tolist() == [-100, 3, -1]


def test_classes_that_a_flip_exchanges():
    """Left and right change places, straight stays."""
    flip = PermutationRepresentation(CyclicGroup(2), ((1, 0, 2),))
    action = ClassPermutation(flip)
    assert action.act(1, torch.tensor([0, 1, 2, -100]), CONTEXT).tolist() == [1, 0, 2, -100]
    scores = torch.tensor([[5.0, 1.0, 0.0]])
    assert action.act(1, scores, CONTEXT).tolist() == [[1.0, 5.0, 0.0]]
    # The class of the highest score moves as the label does.
    logits = noise(20, 3)
    moved = action.act(1, logits, CONTEXT).argmax(-1)
    assert torch.equal(moved, action.act(1, logits.argmax(-1), CONTEXT))


def test_class_laws_of_a_larger_group():
    group = DihedralGroup(4)
    action = ClassPermutation(RegularRepresentation(group))
    check_action_laws(action, group, noise(3, 8), tolerance=0.0)
    labels = torch.arange(8)
    for a in group.elements():
        assert torch.equal(
            action.act(a, torch.eye(8)[labels], CONTEXT).argmax(-1), action.act(a, labels, CONTEXT)
        )


def test_signed_representations_do_not_permute():
    sign = MatrixRepresentation(CyclicGroup(2), (1,), -torch.ones(1, 1, 1, dtype=torch.float64))
    with pytest.raises(InputError, match="expected a representation by permutations"):
        ClassPermutation(sign).act(1, torch.tensor([0]), CONTEXT)


BATCH = torch.tensor([0, 0, 0, 1, 2, 2])


def test_ragged_batches():
    group = ragged_permutations(BATCH)
    assert group.order == 6 * 1 * 2
    for a in group.elements():
        assert all(BATCH[i] == BATCH[a[i]] for i in range(6))
    frame = Context(batch=BATCH)
    x = noise(6, 2)
    check_action_laws(PermutationAction((0,)), group, x, frame, elements=group.elements()[::3])
    with pytest.raises(InputError, match="keep each of them in its graph"):
        PermutationAction((0,)).act((3, 1, 2, 0, 4, 5), x, frame)
    with pytest.raises(InputError, match="ragged batch of 6 nodes"):
        PermutationAction((0,)).act((1, 0), noise(2, 2), frame)
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


def test_errors():
    x = noise(2, 4, 3)
    for wrong in ((0, 0, 1, 2), (1, 2, 3, 4), "abcd", 3, (0.0, 1.0, 2.0, 3.0), ((0, 1), (1, 0))):
        with pytest.raises(InputError, match="expected a permutation of n points"):
            PermutationAction().act(wrong, x, CONTEXT)
    with pytest.raises(InputError, match=r"3 points needs as many entries along axis 1, .*2, 4, 3"):
        PermutationAction().act((1, 0, 2), x, CONTEXT)
    with pytest.raises(InputError, match="numbers below 2, the number of points permuted, got 4"):
        RelabelAction().act((1, 0), torch.tensor([0, 4]), CONTEXT)
    with pytest.raises(InputError, match=r"integers that name points, got torch\.float64"):
        RelabelAction().act((1, 0), x, CONTEXT)
    with pytest.raises(InputError, match=r"expected a graph entry among node.* got 'nodes'"):
        graph_action({"x": "nodes"})
