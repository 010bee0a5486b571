"""Point groups, grid translations and their semidirect products on grid fields."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from goldstone.actions.checks import check_fields
from goldstone.actions.context import Context
from goldstone.actions.elements import element_as_value
from goldstone.actions.fields import Field, FieldLayout
from goldstone.actions.grid import Pivot, fourier_shift, move_points
from goldstone.core import InputError
from goldstone.groups import PointGroup


@dataclass(frozen=True)
class PointAction:
    """(g·f)(p) = ρ(g) f(R⁻¹ p): the grid turns about the pivot and the fibres turn with it."""

    group: PointGroup[Any]
    layout: FieldLayout
    pivot: Pivot = "cell"

    def act(self, element: Any, x: Tensor, context: Context) -> Tensor:
        """Turn fields of shape (batch, channel, X, Y)."""
        check_fields(x, self.layout.channels, 2)
        matrix = self.group.matrix(element_as_value(self.group, element))
        moved = move_points(x, matrix, self.pivot)
        return turn_fibres(
            moved, self.layout, torch.tensor(matrix, dtype=torch.float64, device=x.device)
        )


def turn_fibres(x: Tensor, layout: FieldLayout, matrix: Tensor) -> Tensor:
    """ρ(A) f at every point: vectors turn by A in their frame, pseudoscalars by the sign of det A.

    Differentiable in the matrix, (2, 2).
    """
    if all(field.channels == 1 and field.fibre != "pseudoscalar" for field in layout.fields):
        return x
    turned = matrix.to(x.dtype)
    parts = []
    for field, channels in layout.slices():
        part = x[:, channels]
        if field.is_vector:
            part = torch.einsum("ij,bjxy->bixy", in_frame(field, turned), part)
        elif field.fibre == "pseudoscalar":
            part = part * torch.linalg.det(matrix.detach()).sign().to(x.dtype)
        parts.append(part)
    return torch.cat(parts, 1)


def in_frame(field: Field, matrix: Tensor) -> Tensor:
    """Fᵀ R F: a matrix of the plane in the frame F in which the field's components are given."""
    frame = matrix.new_zeros(2, 2)
    for k in (0, 1):
        frame[field.axes[k], k] = field.signs[k]
    return frame.T @ matrix @ frame


@dataclass(frozen=True)
class ShiftAction:
    """(t·f)(p) = f(p − t) by whole cells, exactly; any tensor whose last two axes are the grid."""

    def act(self, element: Any, x: Tensor, context: Context) -> Tensor:
        """Roll the last two axes.

        Raises:
            InputError: the element is no pair of whole numbers, or x has no two axes.
        """
        if isinstance(element, Tensor):
            element = tuple(element.tolist()) if element.ndim == 1 else element
        _check_pair(element, x, int, "whole numbers of cells")
        return x if element == (0, 0) else x.roll(element, (-2, -1))


@dataclass(frozen=True)
class WallpaperAction:
    """The element (t, p) of a semidirect product: turn by p, then shift by t."""

    point: PointAction

    def act(self, element: Any, x: Tensor, context: Context) -> Tensor:
        """Turn and shift fields of shape (batch, channel, X, Y).

        Raises:
            InputError: the element is no pair of a shift and a turn, or as :class:`PointAction`.
        """
        if isinstance(element, Tensor) and element.ndim == 1:
            element = (element[:2], element[2:].reshape(self.point.group.element_shape))
        if not isinstance(element, (tuple, list)) or len(element) != 2:
            raise InputError(
                "expected an element (shift, turn) of a semidirect product such as ((1, 0), turn), "
                f"got {element!r}"
            )
        shift, turn = element
        return ShiftAction().act(shift, self.point.act(turn, x, context), context)


@dataclass(frozen=True)
class FourierTranslation:
    """(a·f)(p) = f(p − a) with a in grid cells, by the Fourier interpolant."""

    def act(self, element: Any, x: Tensor, context: Context) -> Tensor:
        """Shift the last two axes by any part of a cell; differentiable in a tensor element.

        Raises:
            InputError: the element is no pair of numbers, or x has no two axes or holds integers.
        """
        if isinstance(element, Tensor) and element.shape == (2,):
            return fourier_shift(x, element.to(x.device).unbind())
        _check_pair(element, x, (int, float), "numbers of cells")
        return x if element == (0.0, 0.0) else fourier_shift(x, element)


def _check_pair(element: Any, x: Tensor, kind: Any, wanted: str) -> None:
    pair = isinstance(element, (tuple, list)) and len(element) == 2
    if not pair or not all(isinstance(a, kind) for a in element):
        raise InputError(f"expected a shift by two {wanted}, got {element!r}")
    if x.ndim < 2:
        raise InputError(
            f"expected fields whose last two axes are the grid, got shape {tuple(x.shape)}"
        )
