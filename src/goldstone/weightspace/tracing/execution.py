"""A traced network run on inputs, every intermediate tensor seen."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.export.graph_signature import InputKind
from torch.fx import Node

from goldstone.weightspace.tracing.traced import TracedNetwork


def execute(
    network: TracedNetwork,
    state: dict[str, Tensor],
    inputs: Sequence[Any],
    see: Callable[[Node, Any], None],
) -> None:
    """Run the graph with some weights; a result goes to ``see``, and is let go after its last use.

    Args:
        network: as traced with inputs of the same shapes.
        state: the weights.
        inputs: positional arguments.
        see: told of every operation's node and result.
    """
    kinds = {
        spec.arg.name: (spec.kind, spec.target)
        for spec in network.program.graph_signature.input_specs
        if hasattr(spec.arg, "name")
    }
    given = iter(torch.utils._pytree.tree_leaves(tuple(inputs)))
    values: dict[Node, Any] = {}
    nodes = list(network.program.graph.nodes)
    last = {source: node for node in nodes for source in node.all_input_nodes}
    with torch.no_grad():
        for node in nodes:
            if node.op == "placeholder":
                kind, target = kinds[node.name]
                if kind == InputKind.USER_INPUT:
                    values[node] = next(given)
                elif kind == InputKind.CONSTANT_TENSOR or target not in state:
                    values[node] = network.program.constants[target]
                else:
                    values[node] = state[target]
            elif node.op == "call_function":
                args, kwargs = torch.fx.node.map_arg(
                    (node.args, node.kwargs), lambda one: values[one]
                )
                values[node] = node.target(*args, **kwargs)
                see(node, values[node])
                for source in node.all_input_nodes:
                    if last[source] is node and source.op != "placeholder":
                        values.pop(source, None)
