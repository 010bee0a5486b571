"""Shifts of grids by any amount."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from goldstone.actions.checks import check_axes, check_numbers
from goldstone.actions.context import Context
from goldstone.actions.elements import element_as_tensor
from goldstone.actions.resampling import LAW_TOLERANCE, Boundary, Mode, check_mode, translate
from goldstone.core import InputError
from goldstone.groups import Group


@dataclass(frozen=True)
class GridShift:
    """(a·f)(p) = f(p − a), a in cells, on grids in any number of dimensions.

    An element given as a value moves pixels exactly where it shifts by whole cells; other shifts,
    and elements given as tensors, resample.

    Attributes:
        group: the shifts: an :class:`goldstone.groups.AdditiveGroup` with a component for each
            shifted axis, or a group of whole shifts such as ``GridTranslations``.
        axes: the shifted spatial axes, counted from 0; of a bounded field those along which it is
            not bounded.
        mode, boundary: see :data:`goldstone.actions.Mode` and :data:`goldstone.actions.Boundary`;
            with ``zero`` or ``reflect`` shifts compose only for content that stays inside.
    """

    group: Group[Any]
    axes: tuple[int, ...] = (0, 1)
    mode: Mode = "fourier"
    boundary: Boundary = "periodic"

    def __post_init__(self) -> None:
        check_mode(self.mode, self.boundary)
        if self.group.element_shape != (len(self.axes),):
            raise InputError(
                f"expected a group of shifts with {len(self.axes)} components for the axes "
                f"{self.axes}, got {self.group.name} of element shape {self.group.element_shape}"
            )

    @property
    def law_tolerance(self) -> float:
        """How far the laws may fail in an audit: resampling blurs what is not smooth."""
        return LAW_TOLERANCE

    def act(self, element: Any, x: Tensor, context: Context) -> Tensor:
        """Shift fields of shape (batch, channel, X, Y, …); by whole cells also masks and labels.

        Raises:
            InputError: the element lies outside the group, x has too few axes, or the shift is by
                part of a cell and x holds no floating-point or complex numbers.
        """
        check_axes(x, max(x.ndim - 2, max(self.axes) + 1))
        shift = element_as_tensor(self.group, element, x.device)
        if not isinstance(element, Tensor) and bool((shift == shift.round()).all()):
            return shift_pixels(x, [int(a) for a in shift], self.axes, self.boundary)
        check_numbers(x, "a shift by part of a cell")
        full = torch.zeros(x.ndim - 2, dtype=torch.float64, device=x.device)
        parts = list(full.unbind())
        for axis, a in zip(self.axes, shift.unbind(), strict=True):
            parts[axis] = a.to(full.dtype)
        return translate(x, torch.stack(parts), self.mode, self.boundary)


def shift_pixels(
    x: Tensor, cells: Sequence[int], axes: Sequence[int], boundary: Boundary
) -> Tensor:
    """f′(i) = f(i − a) by whole cells along spatial axes: exact."""
    for a, axis in zip(cells, axes, strict=True):
        n = x.shape[axis + 2]
        place = torch.arange(n, device=x.device) - a
        if boundary == "periodic":
            x = x.roll(a, axis + 2)
        elif boundary == "reflect":
            period = max(2 * (n - 1), 1)
            place = place % period
            x = x.index_select(axis + 2, torch.where(place < n, place, period - place))
        else:
            inside = (place >= 0) & (place < n)
            x = x.index_select(axis + 2, place.clamp(0, n - 1))
            x = x.masked_fill(~inside[(...,) + (None,) * (x.ndim - 3 - axis)], 0)
    return x
