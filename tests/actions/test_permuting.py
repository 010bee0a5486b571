"""Permutations of nodes, edges and labels, against loops."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from goldstone.actions import (
    AxisPermutation,
    ClassPermutation,
    Context,
    RelabelAction,
    graph_action,
)
from goldstone.core import InputError
from goldstone.groups import CyclicGroup, DihedralGroup, SymmetricGroup
from goldstone.representations import (
    MatrixRepresentation,
    PermutationRepresentation,
    RegularRepresentation,
)
from goldstone.testing import check_action_laws

CONTEXT = Context()


def noise(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


@given(st.permutations(range(4)))
def test_against_loops(images):
    images = tuple(images)
    nodes, edges = noise(2, 4, 3), noise(2, 4, 4, 5)
    moved = AxisPermutation((1,)).act(images, nodes, CONTEXT)
    dense = AxisPermutation((1, 2)).act(torch.tensor(images), edges, CONTEXT)
    for i in range(4):
        assert torch.equal(moved[:, images[i]], nodes[:, i])
        for j in range(4):
            assert torch.equal(dense[:, images[i], images[j]], edges[:, i, j])


@pytest.mark.parametrize("axes", [(1,), (1, 2), (-1,), (1, 2, 3)])
def test_laws(axes):
    group = SymmetricGroup(4)
    check_action_laws(AxisPermutation(axes), group, noise(2, 4, 4, 4), tolerance=0.0)


def test_relabelled_edges_describe_the_permuted_adjacency():
    images = (3, 1, 4, 0, 2)
    edges = torch.tensor([[0, 1, 1, 4], [1, 2, 3, 0]])

    def adjacency(edges):
        matrix = torch.zeros(5, 5)
        matrix[edges[0], edges[1]] = torch.arange(1.0, 5.0)
        return matrix

    moved = RelabelAction().act(images, edges, CONTEXT)
    expected = AxisPermutation((0, 1)).act(images, adjacency(edges), CONTEXT)
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


def test_errors():
    x = noise(2, 4, 3)
    for wrong in ((0, 0, 1, 2), (1, 2, 3, 4), "abcd", 3, (0.0, 1.0, 2.0, 3.0), ((0, 1), (1, 0))):
        with pytest.raises(InputError, match="expected a permutation of n points"):
            AxisPermutation().act(wrong, x, CONTEXT)
    with pytest.raises(InputError, match=r"3 points needs as many entries along axis 1, .*2, 4, 3"):
        AxisPermutation().act((1, 0, 2), x, CONTEXT)
    with pytest.raises(InputError, match="numbers below 2, the number of points permuted, got 4"):
        RelabelAction().act((1, 0), torch.tensor([0, 4]), CONTEXT)
    with pytest.raises(InputError, match=r"integers that name points, got torch\.float64"):
        RelabelAction().act((1, 0), x, CONTEXT)
    with pytest.raises(InputError, match=r"expected a graph entry among node.* got 'nodes'"):
        graph_action({"x": "nodes"})
