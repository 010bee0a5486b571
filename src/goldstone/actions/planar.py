"""Point groups, grid translations and their semidirect products on grid fields."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from goldstone.actions.context import Context
from goldstone.actions.elements import element_as_value
from goldstone.actions.fields import Field, FieldLayout
from goldstone.actions.grid import Pivot, fourier_shift, move_points
from goldstone.core import check_grid_fields
from goldstone.groups import PointGroup


@dataclass(frozen=True)
class PointAction:
    """(g·f)(p) = ρ(g) f(R⁻¹ p): the grid turns about the pivot and the fibres turn with it."""

    group: PointGroup[Any]
    layout: FieldLayout
    pivot: Pivot = "cell"

    def act(self, element: Any, x: Tensor, context: Context) -> Tensor:
        """Turn fields of shape (batch, channel, X, Y)."""
        check_grid_fields(x, self.layout.channels, "fields")
        matrix = self.group.matrix(element_as_value(self.group, element))
        moved = move_points(x, matrix, self.pivot)
        return turn_fibres(moved, self.layout, matrix)


def turn_fibres(x: Tensor, layout: FieldLayout, matrix: Any) -> Tensor:
    """ρ(R) f at every point: vectors turn by R in their declared frame, pseudoscalars by det R."""
    (a, b), (c, d) = matrix
    if (a, b, c, d) == (1.0, 0.0, 0.0, 1.0):
        return x
    parts = []
    for field, channels in layout.slices():
        part = x[:, channels]
        if field.is_vector:
            turn = in_frame(field, torch.tensor(matrix, dtype=x.dtype, device=x.device))
            part = torch.einsum("ij,bjxy->bixy", turn, part)
        elif field.fibre == "pseudoscalar":
            part = part * (a * d - b * c)
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
        """Roll the last two axes."""
        if isinstance(element, Tensor):
            element = tuple(element.tolist())
        return x if element == (0, 0) else x.roll(element, (-2, -1))


@dataclass(frozen=True)
class WallpaperAction:
    """The element (t, p) of a semidirect product: turn by p, then shift by t."""

    point: PointAction

    def act(self, element: Any, x: Tensor, context: Context) -> Tensor:
        """Turn and shift fields of shape (batch, channel, X, Y)."""
        if isinstance(element, Tensor):
            element = (element[:2], element[2:].reshape(self.point.group.element_shape))
        shift, turn = element
        return ShiftAction().act(shift, self.point.act(turn, x, context), context)


@dataclass(frozen=True)
class FourierTranslation:
    """(a·f)(p) = f(p − a) with a in grid cells, by the Fourier interpolant."""

    def act(self, element: Any, x: Tensor, context: Context) -> Tensor:
        """Shift the last two axes by any part of a cell; differentiable in a tensor element."""
        if isinstance(element, Tensor):
            return fourier_shift(x, element.to(x.device).unbind())
        return x if element == (0.0, 0.0) else fourier_shift(x, element)
