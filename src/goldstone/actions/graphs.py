"""Graphs and sets: permutations of nodes with everything that hangs on them."""

from collections.abc import Mapping
from typing import Literal, get_args

from torch import Tensor

from goldstone.actions.action import Action
from goldstone.actions.linear import TrivialAction
from goldstone.actions.permuting import AxisPermutation, RelabelAction
from goldstone.actions.trees import TreeAction
from goldstone.core import InputError
from goldstone.groups import YoungSubgroup

GraphEntry = Literal["node", "adjacency", "edge-index", "edge", "graph"]
"""How an entry of a graph's dict of tensors moves under a permutation of the nodes:

==============  ==================================================================================
entry           moves
==============  ==================================================================================
``node``        node features: along the node axis
``adjacency``   adjacency, distances, dense edge features (…, node, node, …): along both node axes
``edge-index``  (2, edge) or (batch, 2, edge) numbers of nodes: renamed, the edges stay in order
``edge``        features of the listed edges: stay
``graph``       of the graph as a whole: stay
==============  ==================================================================================
"""


def graph_action(entries: Mapping[str, GraphEntry | Action], node_axis: int = 1) -> TreeAction:
    """S_n on a dict of the tensors of a graph.

    Args:
        entries: what each key holds, or an action of your own on it.
        node_axis: the (first) node axis: 1 for dense batches (batch, node, …), 0 for ragged batches
            of concatenated nodes, whose ``batch`` vector is a ``node`` entry.

    Raises:
        InputError: an unknown kind of entry.
    """
    return TreeAction({key: entry_action(entry, node_axis) for key, entry in entries.items()})


def entry_action(entry: GraphEntry | Action, node_axis: int = 1) -> Action:
    """S_n on one tensor of a graph.

    Raises:
        InputError: an unknown kind of entry, or a negative axis.
    """
    if node_axis < 0:
        raise InputError(f"expected the node axis counted from the front, got {node_axis}")
    if entry == "node":
        return AxisPermutation((node_axis,))
    if entry == "adjacency":
        return AxisPermutation((node_axis, node_axis + 1))
    if entry == "edge-index":
        return RelabelAction()
    if entry in ("edge", "graph"):
        return TrivialAction()
    if isinstance(entry, Action) and not isinstance(entry, str):
        return entry
    raise InputError(
        f"expected a graph entry among {', '.join(get_args(GraphEntry))}, got {entry!r}"
    )


def ragged_permutations(batch: Tensor) -> YoungSubgroup:
    """The permutations of the nodes of a ragged batch that keep each in its graph.

    Args:
        batch: the number of the graph of each node, int64 (node).

    Raises:
        InputError: it is no vector of integers.
    """
    if batch.ndim != 1 or batch.dtype.is_floating_point or not len(batch):
        raise InputError(
            "expected the number of the graph of each node, int64 (node), got shape "
            f"{tuple(batch.shape)}, dtype {batch.dtype}"
        )
    graphs = len(set(batch.tolist()))
    return YoungSubgroup(batch, f"permutations of {len(batch)} nodes within {graphs} graphs")
