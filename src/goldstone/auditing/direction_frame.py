"""One direction of a Lie algebra, and how model and actions are differentiated along it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from goldstone.actions import Context, Symmetry
from goldstone.auditing.directional_derivative import DirectionalDerivative, Way
from goldstone.auditing.dual_numbers import moves_smoothly
from goldstone.auditing.infinitesimal_action import (
    Derivative,
    InfinitesimalAction,
)
from goldstone.core import InputError, trees
from goldstone.core.trees import Tree
from goldstone.groups import LieGroup

FEW = 3
"""Samples that the ways are tried on."""


@dataclass(frozen=True, eq=False)
class LieVectors:
    """One batch: rows are samples.

    Attributes:
        derivative: L_X f(x), (b, outputs).
        pushed, moved, output: J_f X·x, X·f(x) and f(x), likewise.
    """

    derivative: Tensor
    pushed: Tensor
    moved: Tensor
    output: Tensor

    def squares(self) -> Tensor:
        """The squared norms of the four, (b, 4) in float64."""
        parts = (self.derivative, self.pushed, self.moved, self.output)
        return torch.stack([part.double().square().sum(1) for part in parts], 1).cpu()


@dataclass(frozen=True)
class DirectionFrame:
    """One direction of a Lie algebra with the ways to differentiate along it."""

    on_input: InfinitesimalAction
    on_output: InfinitesimalAction
    pushes: DirectionalDerivative

    @classmethod
    def choose(
        cls,
        model: nn.Module,
        inputs: Tree,
        symmetry: Symmetry,
        direction: tuple[float, ...],
        context: Context,
        derivative: Derivative,
        way: Way | None,
    ) -> "DirectionFrame":
        """Try the ways on the first samples."""
        few = trees.take(inputs, slice(FEW))
        if not any(moves_smoothly(leaf) for leaf in trees.leaves(few)):
            raise InputError(
                "the inputs hold integers alone, which do not move continuously; probe the "
                "embedded inputs"
            )
        group = lie_group_of(symmetry)
        on_input = InfinitesimalAction.choose(
            symmetry.on_input, group, direction, context, few, derivative
        )
        with torch.no_grad():
            output = trees.map_leaves(Tensor.detach, trees.call_model(model, few))
        on_output = InfinitesimalAction.choose(
            symmetry.on_output, group, direction, context.at(context.step + 1), output, derivative
        )
        return cls(
            on_input, on_output, DirectionalDerivative.choose(model, few, on_input(few), way)
        )

    def measure(self, model: nn.Module, x: Tree) -> LieVectors:
        """L_X f on one batch."""
        output, pushed = self.pushes(model, x, self.on_input(x))
        rows = [trees.flat(tree) for tree in (pushed, self.on_output(output), output)]
        return LieVectors(rows[0] - rows[1], rows[0], rows[1], rows[2])


def lie_group_of(symmetry: Symmetry) -> LieGroup[Any]:
    """The symmetry's group.

    Raises:
        InputError: it is not a Lie group.
    """
    group = symmetry.group
    if not isinstance(group, LieGroup):
        raise InputError(
            f"a Lie derivative needs a Lie group, and {group.name} is not one; use "
            "equivariance_errors for its elements"
        )
    return group


def directions_of(
    symmetry: Symmetry, directions: Sequence[Sequence[float]] | None
) -> list[tuple[float, ...]]:
    """The directions as tuples; the basis for None.

    Raises:
        InputError: not a Lie group, no direction, or one of another dimension or not finite.
    """
    d = lie_group_of(symmetry).dimension
    if directions is None:
        return [tuple(row) for row in torch.eye(d, dtype=torch.float64).tolist()]
    found = [tuple(float(c) for c in row) for row in directions]
    wrong = [row for row in found if len(row) != d or not torch.tensor(row).isfinite().all()]
    if wrong or not found:
        raise InputError(
            f"expected directions of {d} finite coordinates in the Lie algebra of "
            f"{symmetry.group.name}, got {wrong[0] if wrong else 'none'}"
        )
    return found
