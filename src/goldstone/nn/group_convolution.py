"""Lifting, group and projecting convolutions in the words of Cohen & Welling (2016)."""

from typing import Any

from goldstone.core import InputError
from goldstone.groups import FiniteGroup
from goldstone.nn.steerable_convolution import SteerableConv2d
from goldstone.representations import (
    RegularRepresentation,
    Representation,
    TrivialRepresentation,
    multiple,
)


class LiftingConv2d(SteerableConv2d):
    """Convolution from plain channels to fields on the group.

    out[c, g](p) = Σ_d K_c(g⁻¹d) in(p + d) + b_c: the responses to a filter in all its |G| poses.
    (batch, in_channels, X, Y) → (batch, out_fields·|G|, X′, Y′); each field is a function on the
    group, its components in the order of ``group.elements()``. Together with the shifts of the grid
    C4 is p4 and D4 is p4m (Cohen & Welling 2016, "Group equivariant convolutional networks").

    Args:
        group: C_n or D_n.
        in_channels: channels that do not change when the image turns, such as colours.
        out_fields: fields on the group, |G| channels each.
        kernel_size: taps along an axis.
        stride: of the output's points.
        bias: one number for each field.
        options: as for :class:`SteerableConv2d`: padding, padding_mode, dilation, groups, ….

    Raises:
        InputError: the group is not a finite one of the plane, or as :class:`SteerableConv2d`.
    """

    def __init__(
        self,
        group: FiniteGroup[Any],
        in_channels: int,
        out_fields: int,
        kernel_size: int,
        stride: int = 1,
        bias: bool = True,
        **options: Any,
    ) -> None:
        source, target = trivial_fields(group, in_channels), regular_fields(group, out_fields)
        super().__init__(source, target, kernel_size, stride, bias, **options)


class GroupConv2d(SteerableConv2d):
    """Convolution from fields on the group to fields on the group.

    out[c, g](p) = Σ_{h,d} K_c[g⁻¹h](g⁻¹d) in[h](p + d) + b_c (Cohen & Welling 2016, eq. 11).
    (batch, in_fields·|G|, X, Y) → (batch, out_fields·|G|, X′, Y′).

    Args:
        group: C_n or D_n.
        in_fields: fields of the input, |G| channels each.
        out_fields: fields of the output.
        kernel_size, stride, bias, options: as for :class:`LiftingConv2d`.

    Raises:
        InputError: as :class:`LiftingConv2d`.
    """

    def __init__(
        self,
        group: FiniteGroup[Any],
        in_fields: int,
        out_fields: int,
        kernel_size: int,
        stride: int = 1,
        bias: bool = True,
        **options: Any,
    ) -> None:
        source, target = regular_fields(group, in_fields), regular_fields(group, out_fields)
        super().__init__(source, target, kernel_size, stride, bias, **options)


class ProjectingConv2d(SteerableConv2d):
    """Convolution from fields on the group to plain channels.

    out[c](p) = Σ_{h,d} K_c(h, h⁻¹d) in[h](p + d) + b_c. (batch, in_fields·|G|, X, Y) →
    (batch, out_channels, X′, Y′). Unlike :class:`GroupPool` it may be part of the learning.

    Args:
        group: C_n or D_n.
        in_fields: fields of the input, |G| channels each.
        out_channels: channels of the output, which turn as an image does.
        kernel_size, stride, bias, options: as for :class:`LiftingConv2d`.

    Raises:
        InputError: as :class:`LiftingConv2d`.
    """

    def __init__(
        self,
        group: FiniteGroup[Any],
        in_fields: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        bias: bool = True,
        **options: Any,
    ) -> None:
        source, target = regular_fields(group, in_fields), trivial_fields(group, out_channels)
        super().__init__(source, target, kernel_size, stride, bias, **options)


def regular_fields(group: FiniteGroup[Any], count: int) -> Representation:
    """``count`` copies of the regular representation: so many fields on the group."""
    _check_count(count)
    if not isinstance(group, FiniteGroup):
        raise InputError(
            f"a group convolution needs a finite group such as CyclicGroup(8), got {group}; "
            "SteerableConv2d takes SO(2) and O(2) with their irreps"
        )
    return multiple(RegularRepresentation(group), count)


def trivial_fields(group: FiniteGroup[Any], count: int) -> Representation:
    """``count`` copies of the trivial representation: so many plain channels."""
    _check_count(count)
    return multiple(TrivialRepresentation(group), count)


def _check_count(count: int) -> None:
    if not isinstance(count, int) or count < 1:
        raise InputError(f"expected a positive number of channels or fields, got {count!r}")
