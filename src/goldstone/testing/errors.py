"""How far a model's outputs are from what a symmetry expects, tensor by tensor."""

from dataclasses import dataclass
from math import inf, isnan, nan
from typing import Any

import torch
from torch import Tensor

from goldstone.actions import Context, Symmetry
from goldstone.core import trees
from goldstone.core.trees import Tree
from goldstone.testing.laws import LawError


@dataclass(frozen=True, eq=False)
class Outputs:
    """A model's output, and those of its watched layers in the order of the calls."""

    output: Tree
    layers: tuple[tuple[str, Tree], ...]

    @property
    def is_zero(self) -> bool:
        """Whether the output is zero everywhere."""
        return not any(bool(leaf.any()) for leaf in trees.leaves(self.output))

    def moved(self, symmetry: Symmetry, element: Any, context: Context) -> "Outputs":
        """What the outputs should be after the input has moved."""
        later = context.at(context.step + 1)
        return Outputs(
            symmetry.on_output.act(element, self.output, later),
            tuple(
                (name, symmetry.on_layers[name].act(element, output, context))
                for name, output in self.layers
            ),
        )


@dataclass(frozen=True)
class Errors:
    """Relative errors of the tensors of the output and of the layers; NaN where there is a NaN.

    Attributes:
        output: (part, error), the part empty if the output is one tensor.
        by_layer: (name, error), the largest of the layer's tensors, call by call.
    """

    output: tuple[tuple[str, float], ...]
    by_layer: tuple[tuple[str, float], ...]

    @classmethod
    def between(cls, found: Outputs, expected: Outputs, scale: Outputs) -> "Errors":
        """‖found − expected‖/‖scale‖ of every tensor.

        Raises:
            LawError: shapes, or the layers that are called, differ.
        """
        if [name for name, _ in found.layers] != [name for name, _ in expected.layers]:
            raise LawError("the model calls other layers for a moved input than for the input")
        layers = []
        calls: dict[str, int] = {}
        triples = zip(found.layers, expected.layers, scale.layers, strict=True)
        for (name, a), (_, b), (_, c) in triples:
            calls[name] = calls.get(name, 0) + 1
            label = f"layer {name!r}" + (f" (call {calls[name]})" if calls[name] > 1 else "")
            parts = _relative_errors(a, b, c, label)
            layers.append((label.removeprefix("layer "), max(e for _, e in parts)))
        return cls(
            _relative_errors(found.output, expected.output, scale.output, "model's output"),
            tuple(layers),
        )

    @property
    def worst(self) -> float:
        """The largest error of all; a NaN counts as infinite."""
        return max(_ranked(error) for _, error in (*self.output, *self.by_layer))

    def layers(self, allowed: float) -> list[tuple[str, float]]:
        """The layers with a larger error, in the order of the calls."""
        return [(name, error) for name, error in self.by_layer if not error <= allowed]

    def describe(self, allowed: float) -> str:
        """The largest error of the output, or of the layers if only those are too large."""
        part, error = max(self.output, key=lambda entry: _ranked(entry[1]))
        if not error <= allowed:
            return f"{error:.1e}" + (f" in output {part}" if part else "")
        layer, error = max(self.by_layer, key=lambda entry: _ranked(entry[1]))
        return f"{error:.1e} in layer {layer}"


def _relative_errors(
    found: Tree, expected: Tree, scale: Tree, label: str
) -> tuple[tuple[str, float], ...]:
    a, b, c = (_named_leaves(tree) for tree in (found, expected, scale))
    shapes = [[(name, tuple(leaf.shape)) for name, leaf in tree] for tree in (a, b)]
    if shapes[0] != shapes[1]:
        raise LawError(
            f"the {label} for a moved input has the shapes {trees.describe(found)}, the moved "
            f"output {trees.describe(expected)}"
        )
    tiny = torch.finfo(torch.float64).tiny
    norms = [_norm(leaf) for _, leaf in c]
    # A tensor that is zero throughout is judged by the largest of the others.
    whole = max((n for n in norms if n > 0), default=nan if any(map(isnan, norms)) else tiny)
    return tuple(
        (name, _norm(_wide(x) - _wide(y)) / (norm or whole))
        for (name, x), (_, y), norm in zip(a, b, norms, strict=True)
    )


def _named_leaves(tree: Tree, name: str = "") -> list[tuple[str, Tensor]]:
    if isinstance(tree, dict):
        return [p for key, part in tree.items() for p in _named_leaves(part, f"{name}[{key!r}]")]
    if isinstance(tree, (tuple, list)):
        return [p for i, part in enumerate(tree) for p in _named_leaves(part, f"{name}[{i}]")]
    return [(name, tree) for tree in trees.leaves(tree)]


def _wide(x: Tensor) -> Tensor:
    # A norm overflows in half precision, and integers have none.
    return x.detach().cpu().to(torch.complex128 if x.is_complex() else torch.float64)


def _norm(x: Tensor) -> float:
    return float(_wide(x).norm())


def _ranked(error: float) -> float:
    return inf if isnan(error) else error
