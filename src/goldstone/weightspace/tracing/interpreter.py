"""The walk through a traced graph: every ATen operation told in the words of a domain."""

import operator
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.fx import Node

from goldstone.weightspace.tracing.domain import Domain
from goldstone.weightspace.tracing.labels import Labelled
from goldstone.weightspace.tracing.norm_operations import NormOperations
from goldstone.weightspace.tracing.operations import Operations
from goldstone.weightspace.tracing.shape_operations import ShapeOperations
from goldstone.weightspace.tracing.spatial_operations import SpatialOperations
from goldstone.weightspace.tracing.traced import TracedNetwork


class Interpreter:
    """Walks once through a graph; what the domain learns is in its ties afterwards.

    Attributes:
        parameters: the labels of the parameters that some operation reads.
        unsupported: names of the operations that are not understood: what enters them is fixed.
    """

    def __init__(self, network: TracedNetwork, domain: Domain) -> None:
        self.network = network
        self.domain = domain
        self.values: dict[Node, Any] = {}
        self.parameters: dict[str, Labelled] = {}
        self.unsupported: list[str] = []
        kinds = (ShapeOperations, SpatialOperations, NormOperations, Operations)
        self.handlers = tuple(kind(domain) for kind in kinds)
        self.squares = _summed_squares(network)

    def run(self) -> None:
        """Walk."""
        for node in self.network.program.graph.nodes:
            if node.op == "placeholder":
                self.values[node] = self._placeholder(node)
            elif node.op == "output":
                self._output(node)
            elif node.op == "call_function":
                self.values[node] = self._call(node)
            else:
                self.values[node] = None  # the graph of a branch or loop, itself not understood

    def _placeholder(self, node: Node) -> Any:
        value = node.meta.get("val")
        if not isinstance(value, torch.Tensor):
            return value
        name = self.network.parameters.get(node.name)
        running = node.name in self.network.buffers and _is_running_statistic(node)
        if name is None and not running:
            return Labelled(tuple(value.shape))
        if not node.users:
            return Labelled(tuple(value.shape))
        name = name or self.network.buffers[node.name]
        if name not in self.parameters:
            self.parameters[name] = self.domain.parameter(name, tuple(value.shape))
        return self.parameters[name]

    def _output(self, node: Node) -> None:
        for source in node.all_input_nodes:
            if source.name in self.network.outputs:
                for part in _parts(self.values[source]):
                    self.domain.fix(part)

    def _call(self, node: Node) -> Any:
        args = [self._value(arg) for arg in node.args]
        kwargs = {key: self._value(arg) for key, arg in node.kwargs.items()}
        out = node.meta.get("val")
        if node.target is operator.getitem:
            return args[0][args[1]]
        if node in self.squares:
            return None
        first = node.args[0] if node.args else None
        if isinstance(first, Node) and first in self.squares:
            return self._squared_norm(self.values[self.squares[first]], args[1], _shape(out))
        name = operation_name(node)
        inputs = [part for value in (*args, *kwargs.values()) for part in _parts(value)]
        handler = self._handler(node, name)
        if handler is not None and isinstance(out, torch.Tensor | list | tuple):
            shape = _shape(out)
            result = handler(shape, *args, **kwargs)
            if result is not None:
                return _settled(self.domain, result)
        if not isinstance(out, torch.Tensor | list | tuple):
            return out
        if any(part.fields or part.degree for part in inputs):
            self.unsupported.append(name)
        elif not inputs and name in CONSTANT:
            shape = _shape(out)
            return Labelled(shape, uniform=frozenset(a for a, n in enumerate(shape) if n > 1))
        return _unknown(self.domain, inputs, out)

    def _squared_norm(self, x: Labelled, axes: Any, shape: Sequence[int]) -> Labelled:
        rank = len(x.shape)
        chosen = [axis % rank for axis in axes or range(rank)]
        norm = self.domain.norm(x, chosen, keep=len(shape) == rank)
        return self.domain.pointwise(norm, "generic")

    def _handler(self, node: Node, name: str) -> Callable[..., Any] | None:
        if name in WITH_INDICES and any(user.args[1] == 1 for user in node.users):
            return None
        if name in CASTS and not _is_real(node.meta["val"]):
            return lambda _shape, x, *_, **__: self.domain.pointwise(x, "generic")
        found = (one.find(name) for one in self.handlers)
        return next((one for one in found if one is not None), None)

    def _value(self, arg: Any) -> Any:
        if isinstance(arg, Node):
            return self.values[arg]
        if isinstance(arg, list | tuple):
            return [self._value(item) for item in arg]
        return arg


CONSTANT = frozenset({"zeros", "ones", "full", "scalar_tensor", "empty"})
"""Tensors of one value, which move with nothing."""


CASTS = frozenset({"to", "_to_copy", "type_as"})
"""Conversions, which round when the result holds integers."""

WITH_INDICES = frozenset(
    {"max", "min", *(f"max_pool{n}d_with_indices" for n in (2, 3))}
    | {f"adaptive_max_pool{n}d" for n in (1, 2, 3)}
)
"""Operations whose second result says where the first was found."""


def operation_name(node: Node) -> str:
    """``linear`` for ``aten.linear.default``."""
    packet = getattr(node.target, "overloadpacket", node.target)
    return str(packet).rsplit(".", 1)[-1]


def _summed_squares(network: TracedNetwork) -> dict[Node, Node]:
    """From x² to x, where sums and means over axes alone read x²: they are squares of norms."""
    found = {}
    for node in network.program.graph.nodes:
        name = operation_name(node)
        squares = (
            name == "square"
            or (name == "pow" and node.args[1] == 2)
            or (name == "mul" and node.args[0] is node.args[1])
        )
        readers = {operation_name(user) for user in node.users}
        with_axes = all(len(user.args) > 1 for user in node.users)
        if squares and readers and readers <= {"mean", "sum"} and with_axes:
            found[node] = node.args[0]
    return found


def _is_real(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and (value.is_floating_point() or value.is_complex())


def _is_running_statistic(node: Node) -> bool:
    return any("batch_norm" in operation_name(user) for user in node.users)


def _shape(out: Any) -> Any:
    if isinstance(out, torch.Tensor):
        return tuple(out.shape)
    return [_shape(item) for item in out]


def _parts(value: Any) -> list[Labelled]:
    if isinstance(value, Labelled):
        return [value]
    if isinstance(value, list | tuple):
        return [part for item in value for part in _parts(item)]
    return []


def _settled(domain: Domain, value: Any) -> Any:
    if isinstance(value, Labelled):
        return domain.settle(value)
    if isinstance(value, list | tuple):
        return [_settled(domain, item) for item in value]
    return value


def _unknown(domain: Domain, inputs: Sequence[Labelled], out: Any) -> Any:
    if isinstance(out, torch.Tensor):
        return domain.unsupported(inputs, tuple(out.shape))
    return [_unknown(domain, inputs, item) for item in out]
