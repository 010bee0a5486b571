"""The ready symmetry of graphs: permutations of nodes."""

from collections.abc import Mapping

import torch
from torch import Tensor

from goldstone.actions.action import Action
from goldstone.actions.graphs import GraphEntry, entry_action, graph_action, ragged_permutations
from goldstone.actions.named_points import some_permutations
from goldstone.actions.symmetry import Symmetry
from goldstone.core import InputError
from goldstone.groups import SymmetricGroup


def graph_symmetry(
    nodes: int,
    entries: Mapping[str, GraphEntry | Action],
    output: GraphEntry | Action = "graph",
    seed: int = 0,
) -> Symmetry:
    """S_n on dense batches of graphs of n nodes: dicts of (batch, node, …) tensors.

    Args:
        nodes: number of nodes of every graph.
        entries: how each entry of the dict moves: a :data:`goldstone.actions.GraphEntry`, or an
            action of S_n of your own.
        output: how the model's output moves, in the same way; ``graph`` is invariant.
        seed: of the random permutations among the tested ones.

    Raises:
        InputError: an unknown kind of entry, or fewer than two nodes.
    """
    return Symmetry(
        "permutations",
        SymmetricGroup(nodes),
        graph_action(entries, 1),
        entry_action(output, 1),
        elements=some_permutations(nodes, seed),
    )


def ragged_graph_symmetry(
    batch: Tensor,
    entries: Mapping[str, GraphEntry | Action],
    output: GraphEntry | Action = "graph",
    seed: int = 0,
) -> Symmetry:
    """Permutations within each graph of a ragged batch: concatenated nodes, one edge list.

    The elements refer to this batch and no other; act with a context whose ``batch`` is this one to
    have that checked. Six random elements are tested.

    Args:
        batch: the number of the graph of each node, int64 (node).
        entries: how each entry of the dict moves.
        output: how the model's output moves; ``graph`` is invariant.
        seed: of the tested permutations.

    Raises:
        InputError: an unknown kind of entry, no batch vector, or no graph of two nodes or more.
    """
    group = ragged_permutations(batch)
    if group.order == 1:
        raise InputError("expected a graph of two nodes or more, whose nodes can be permuted")
    drawn = group.values(group.sample(torch.Generator().manual_seed(seed), (6,)))
    elements = tuple(a for a in dict.fromkeys(drawn) if a != group.identity)
    return Symmetry(
        "permutations",
        group,
        graph_action(entries, 0),
        entry_action(output, 0),
        elements=elements,
    )
