"""Walking through a model, operation by operation, with a say in what each hands on."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode, resolve_name
from torch.utils.weak import WeakIdKeyDictionary

from goldstone.auditing.dual_numbers import moves_smoothly
from goldstone.auditing.layer_actions import has_channels_last
from goldstone.core import trees
from goldstone.core.trees import Tree

GRID_OPERATIONS = frozenset(
    [
        "abs",
        "add",
        "batch_norm",
        "cat",
        "celu",
        "clamp",
        "conv1d",
        "conv2d",
        "conv3d",
        "conv_transpose2d",
        "cos",
        "div",
        "dropout",
        "elu",
        "exp",
        "gelu",
        "glu",
        "group_norm",
        "hardswish",
        "hardtanh",
        "instance_norm",
        "interpolate",
        "layer_norm",
        "leaky_relu",
        "linear",
        "lerp",
        "logsigmoid",
        "maximum",
        "max_pool2d",
        "minimum",
        "mish",
        "mul",
        "neg",
        "normalize",
        "pow",
        "prelu",
        "relu",
        "relu6",
        "rms_norm",
        "rsub",
        "rtruediv",
        "selu",
        "sigmoid",
        "silu",
        "sin",
        "softplus",
        "sqrt",
        "square",
        "stack",
        "sub",
        "tanh",
        "true_divide",
        "truediv",
        "upsample",
        "where",
        "avg_pool2d",
        "adaptive_avg_pool2d",
    ]
)
"""Functions that give a feature map for feature maps, as against views and attention's matrices."""

PRODUCTS = frozenset(
    ["baddbmm", "bmm", "einsum", "matmul", "rmatmul", "scaled_dot_product_attention", "softmax"]
)
"""Functions whose result is no feature map, whatever its shape: attention's matrices."""

Versions = dict[int, int]
"""How often each argument of a call, by its identity, had been changed in place before."""

Visit = Callable[[int, Tensor], Tensor]
"""(number of the node, its output) → what to hand on in its place."""


class LayerWalk(TorchFunctionMode):
    """Calls a model and shows every node's output to ``visit``.

    A node is the output of a module without children, or of a function (``x + y``, ``F.relu``) that
    the forward code of another module calls, or of a module in ``watched``. Numbers are the order
    of the calls, the same in every walk. Functions that a module without children calls are part of
    it; so is what a function calls itself. What is done to the matrices of attention is no node.

    Attributes:
        names: of the nodes met so far, such as ``block1.conv`` and ``block1: add``.
        channels_last: for each, whether its last axis is known to be that of the channels.
    """

    def __init__(self, model: nn.Module, visit: Visit, watched: frozenset[str] = frozenset()):
        super().__init__()
        self.names: list[str] = []
        self.channels_last: list[bool | None] = []
        self._model, self._visit, self._watched = model, visit, watched
        self._path: list[tuple[str, nn.Module]] = []
        self._entered: list[Versions] = []
        self._counts: dict[str, int] = {}
        self._busy = False
        self._matrices = WeakIdKeyDictionary()
        self._axes = WeakIdKeyDictionary()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        before = _versions(args)
        result = func(*args, **(kwargs or {}))
        if self._busy or self._in_leaf or not isinstance(result, Tensor):
            return result
        # torch.Tensor.__iadd__, torch.relu_ and torch.nn.functional.relu alike.
        operation = (resolve_name(func) or "").split(".")[-1].strip("_")
        plain = operation.removeprefix("i" if operation[1:] in GRID_OPERATIONS else "")
        plain = plain if plain in GRID_OPERATIONS else plain.removeprefix("r")
        if plain in PRODUCTS:
            self._matrices[result] = True
        if plain not in GRID_OPERATIONS or not moves_smoothly(result):
            return result
        if any(isinstance(a, Tensor) and a in self._matrices for a in args):
            self._matrices[result] = True
            return result
        place = self._path[-1][0] if self._path else ""
        name = f"{place}: {plain}" if place else plain
        self._counts[name] = self._counts.get(name, 0) + 1
        if self._counts[name] > 1:
            name = f"{name} {self._counts[name]}"
        # What a function does at every point leaves the channels where they are.
        known = [
            self._axes[a]
            for a in args
            if isinstance(a, Tensor) and a.shape == result.shape and a in self._axes
        ]
        return self._show(name, known[0] if known else None, result, before)

    def run(self, inputs: Tree) -> Tree:
        """The model's output."""
        with self._hooks(), self:
            return trees.call_model(self._model, inputs)

    @property
    def _in_leaf(self) -> bool:
        return bool(self._path) and _is_leaf(self._path[-1][1])

    def _show(
        self, name: str, channels_last: bool | None, output: Tensor, before: Versions
    ) -> Tensor:
        self.names.append(name)
        self.channels_last.append(channels_last)
        self._busy = True
        try:
            handed_on = self._visit(len(self.names) - 1, output)
            if (
                handed_on is not output
                and before.get(id(output), output._version) < output._version
            ):
                # Changed in place: who holds it does not ask for what is handed on.
                handed_on = output.copy_(handed_on)
            if channels_last is not None:
                self._axes[handed_on] = channels_last
            return handed_on
        finally:
            self._busy = False

    @contextmanager
    def _hooks(self) -> Iterator[None]:
        """Follow where the call is; the hooks go when it ends."""
        handles = []
        for name, module in self._model.named_modules():
            if not name:
                continue

            def enter(called: nn.Module, args: Any, name: str = name) -> None:
                self._path.append((name, called))
                self._entered.append(_versions(args))

            def leave(called: nn.Module, _: Any, output: Any, name: str = name) -> Any:
                self._path.pop()
                before = self._entered.pop()
                shown = name in self._watched or _is_leaf(called)
                if not shown or self._in_leaf:
                    return None
                last = has_channels_last(called)
                if isinstance(called, nn.MultiheadAttention):
                    # The second is its weights.
                    return (self._show(name, last, output[0], before), *output[1:])
                return map_tensors(lambda leaf: self._show(name, last, leaf, before), output)

            handles.append(module.register_forward_pre_hook(enter))
            handles.append(module.register_forward_hook(leave))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()


def _versions(args: Any) -> Versions:
    return {id(a): a._version for a in args if isinstance(a, Tensor)}


def _is_leaf(module: nn.Module) -> bool:
    # Attention hands its inner linear layer's weights to a function, and calls no child.
    return isinstance(module, nn.MultiheadAttention) or next(module.children(), None) is None


def map_tensors(function: Callable[[Tensor], Tensor], output: Any) -> Any:
    """Any output of a module with ``function`` of its real or complex tensors."""
    if isinstance(output, Tensor):
        return function(output) if moves_smoothly(output) else output
    if isinstance(output, dict):
        # A copy keeps what a subclass adds, such as access by attribute.
        mapped = copy.copy(output)
        for key, part in output.items():
            mapped[key] = map_tensors(function, part)
        return mapped
    if isinstance(output, (tuple, list)):
        parts = [map_tensors(function, part) for part in output]
        return type(output)(*parts) if hasattr(output, "_fields") else type(output)(parts)
    return output
