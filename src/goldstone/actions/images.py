"""Images and planar fields under rotations, reflections, scalings and shifts of any size."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from goldstone.actions.checks import check_fields
from goldstone.actions.context import Context
from goldstone.actions.elements import element_as_tensor
from goldstone.actions.fields import FieldLayout
from goldstone.actions.grid import move_points
from goldstone.actions.planar import turn_fibres
from goldstone.actions.resampling import LAW_TOLERANCE, Boundary, Mode, check_mode, resample
from goldstone.core import InputError
from goldstone.groups import EuclideanGroup, Group, LinearGroup, SpecialEuclideanGroup


@dataclass(frozen=True)
class ImageAction:
    """(g·f)(p) = ρ(A) f(A⁻¹(p − t)): the plane moves by p ↦ A p + t, and vectors turn with it.

    Points are counted in cells from the centre of the image, the first axis of the grid towards the
    second. An element given as a value whose A is a quarter turn or an axis or diagonal reflection,
    without shift, only moves pixels: exactly, and by the same rule as
    :class:`goldstone.actions.PointAction`. All others are resampled, as is every element given as a
    tensor, so that the action can be differentiated in it. Then the laws hold as far as the
    resampling goes: well for smooth content that stays inside the image, badly for noise.

    Attributes:
        group: a group of 2×2 matrices (C_n, D_n, SO(2), O(2), SL(2), …), or SE(2) or E(2) with
            shifts in cells.
        layout: what the channels are.
        mode: see :data:`goldstone.actions.Mode`.
        boundary: see :data:`goldstone.actions.Boundary`. A rotation about the centre is no symmetry
            of a periodic square: ``periodic`` is sound for content away from the edges only.

    Raises:
        InputError: the group does not act on the plane, or mode and boundary do not go together.
    """

    group: Group[Any]
    layout: FieldLayout
    mode: Mode = "spline"
    boundary: Boundary = "zero"

    def __post_init__(self) -> None:
        check_mode(self.mode, self.boundary)
        wanted = 3 if self._shifts else 2
        if not isinstance(self.group, LinearGroup) or self.group.degree != wanted:
            raise InputError(
                f"images move under a group of 2×2 matrices, SE(2) or E(2), got {self.group.name}"
            )

    @property
    def _shifts(self) -> bool:
        return isinstance(self.group, (SpecialEuclideanGroup, EuclideanGroup))

    @property
    def law_tolerance(self) -> float:
        """How far the laws may fail in an audit: resampling blurs what is not smooth."""
        return LAW_TOLERANCE

    def act(self, element: Any, x: Tensor, context: Context) -> Tensor:
        """Move images of shape (batch, channel, X, Y).

        Raises:
            InputError: the element lies outside the group, the channels are not those declared, or
                a quarter turn or diagonal reflection meets an image that is not square.
        """
        check_fields(x, self.layout.channels, 2)
        g = element_as_tensor(self.group, element, x.device)
        plane: Any = self.group
        matrix = plane.matrices(g)
        shift = matrix.new_zeros(2)
        if self._shifts:
            matrix, shift = matrix[:2, :2], matrix[:2, 2]
        if not isinstance(element, Tensor) and _moves_pixels(matrix, shift):
            moved = move_points(x, tuple(tuple(row) for row in matrix.tolist()))
        else:
            back = torch.linalg.inv(matrix)
            moved = resample(x, back, -(back @ shift), self.mode, self.boundary)
        return turn_fibres(moved, self.layout, matrix)


@dataclass(frozen=True)
class ImageScaling:
    """(λ·f)(p) = λʷ f(p/λ): the image grows about its centre by the factor λ > 0.

    Attributes:
        group: the positive scalings, :class:`goldstone.groups.ScalingGroup`.
        channels: number of channels.
        mode, boundary: as for :class:`ImageAction`.
        weight: w, one for all channels or one for each: 0 for intensities, 1 for displacements in
            cells.

    Raises:
        InputError: mode and boundary do not go together, or there are weights for other channels.
    """

    group: Group[Any]
    channels: int
    mode: Mode = "spline"
    boundary: Boundary = "zero"
    weight: float | tuple[float, ...] = 0.0

    def __post_init__(self) -> None:
        check_mode(self.mode, self.boundary)
        if isinstance(self.weight, tuple) and len(self.weight) != self.channels:
            raise InputError(
                f"expected one weight or one for each of {self.channels} channels, got "
                f"{len(self.weight)}"
            )

    @property
    def law_tolerance(self) -> float:
        """How far the laws may fail in an audit: resampling blurs what is not smooth."""
        return LAW_TOLERANCE

    def act(self, element: Any, x: Tensor, context: Context) -> Tensor:
        """Scale images of shape (batch, channel, X, Y)."""
        check_fields(x, self.channels, 2)
        factor = element_as_tensor(self.group, element, x.device).reshape(())
        if not isinstance(element, Tensor) and float(factor) == 1.0:
            return x
        one = torch.eye(2, dtype=factor.dtype, device=x.device)
        zero = factor.new_zeros(2)
        scaled = resample(x, one / factor, zero, self.mode, self.boundary)
        if self.weight == 0.0:
            return scaled
        powers = factor ** factor.new_tensor(self.weight).reshape(-1, 1, 1)
        return scaled * powers.to(x.dtype)


def _moves_pixels(matrix: Tensor, shift: Tensor) -> bool:
    entries = matrix.abs()
    whole = bool(((entries == 0) | (entries == 1)).all()) and bool((entries.sum(0) == 1).all())
    return whole and bool((entries.sum(1) == 1).all()) and not bool(shift.any())


def disc_window(size: tuple[int, int], edge: float = 2.0) -> Tensor:
    """A window (X, Y) in float64: 1 inside the largest disc, falling to 0 over ``edge`` cells.

    Images times this window lose nothing when they rotate about their centre, so that the laws of a
    resampled rotation hold to the accuracy of the resampling.
    """
    axes = [torch.arange(n, dtype=torch.float64) - (n - 1) / 2 for n in size]
    x, y = torch.meshgrid(*axes, indexing="ij")
    depth = (min(size) / 2 - (x.square() + y.square()).sqrt()) / edge
    return (1 - torch.cos(torch.pi * depth.clamp(0, 1))) / 2
