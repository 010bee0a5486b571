"""Representations acting on one axis of a tensor: the general linear action."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from goldstone.actions.checks import check_numbers
from goldstone.actions.context import Context
from goldstone.actions.elements import element_as_tensor
from goldstone.actions.symmetry import Symmetry
from goldstone.core import InputError
from goldstone.groups import FiniteGroup
from goldstone.representations import Representation


@dataclass(frozen=True)
class TrivialAction:
    """g·x = x: what an invariant output, a label or an untouched condition does."""

    def act(self, element: Any, x: Any, context: Context) -> Any:
        """The state itself."""
        return x


@dataclass(frozen=True)
class LinearAction:
    """g·x = ρ(g) x along one axis, the same everywhere else.

    An element may be a value or one element as a tensor, in which the action can then be
    differentiated. The dtype and device of x are kept.

    Attributes:
        representation: ρ; its dimension is the size of the axis.
        axis: the axis, the last by default.
    """

    representation: Representation
    axis: int = -1

    def act(self, element: Any, x: Tensor, context: Context) -> Tensor:
        """Multiply by ρ(g) along the axis.

        Raises:
            InputError: the element lies outside the group, x has another size along the axis, holds
                integers, or is real where ρ is complex.
        """
        g = element_as_tensor(self.representation.group, element, x.device)
        matrix = self.representation.matrix_unchecked(g)
        return apply_matrix(matrix, x, self.axis)


def apply_matrix(matrix: Tensor, x: Tensor, axis: int) -> Tensor:
    """Σ_j M_ij x_j along an axis of x.

    Raises:
        InputError: the axis has another size, x holds integers, or x is real and M complex.
    """
    check_numbers(x, "states")
    size = matrix.shape[-1]
    if not -x.ndim <= axis < x.ndim or x.shape[axis] != size:
        raise InputError(
            f"expected {size} components along axis {axis}, as the representation has, got a "
            f"tensor of shape {tuple(x.shape)}"
        )
    if matrix.is_complex() and not x.is_complex():
        raise InputError(
            "a complex representation acts on complex states, got real ones; make them complex, or "
            "use the representation's realification"
        )
    # Not einsum over the axis in place: matmul wants it last.
    turned = x.movedim(axis, -1) @ matrix.to(x.dtype).mT
    return turned.movedim(-1, axis)


def linear_symmetry(
    on_input: Representation, on_output: Representation, axis: int = -1, seed: int = 0
) -> Symmetry:
    """The claim f(ρ(g) x) = σ(g) f(x), along one axis of input and output.

    All elements of a finite group of order up to 24 but the identity are tested, else six drawn by
    the group's ``sample``: from Haar measure where it is compact.

    Args:
        on_input: ρ.
        on_output: σ; :class:`goldstone.representations.TrivialRepresentation` for an invariant.
        axis: the axis that both act on.
        seed: of the random elements.

    Raises:
        InputError: the representations are of different groups.
    """
    group = on_input.group
    if on_output.group != group:
        raise InputError(
            f"expected representations of one group, got {group.name} and {on_output.group.name}"
        )
    elements: tuple[Any, ...] = ()
    if not isinstance(group, FiniteGroup) or group.order > 24:
        drawn = group.values(group.sample(torch.Generator().manual_seed(seed), (6,)))
        elements = tuple(a for a in dict.fromkeys(drawn) if a != group.identity)
    return Symmetry(
        group.name,
        group,
        LinearAction(on_input, axis),
        LinearAction(on_output, axis),
        elements=elements,
    )
