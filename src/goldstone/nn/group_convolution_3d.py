"""Lifting, group and projecting convolutions in space."""

from typing import Any

from goldstone.groups import FiniteGroup
from goldstone.nn.group_convolution import regular_fields, trivial_fields
from goldstone.nn.steerable_convolution_3d import SteerableConv3d


class LiftingConv3d(SteerableConv3d):
    """Convolution from plain channels to fields on a finite group of space.

    out[c, g](p) = Σ_d K_c(g⁻¹d) in(p + d) + b_c. (batch, in_channels, X, Y, Z) → (batch,
    out_fields·|G|, X′, Y′, Z′), as :class:`LiftingConv2d` in the plane.

    Args:
        group: such as ``PolyhedralGroup("O")``.
        in_channels: channels that do not change when the volume turns.
        out_fields: fields on the group, |G| channels each.
        kernel_size, stride, bias, options: as for :class:`SteerableConv3d`.

    Raises:
        InputError: the group is not a finite one of space, or as :class:`SteerableConv3d`.
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


class GroupConv3d(SteerableConv3d):
    """Convolution from fields on a finite group of space to fields on the group.

    out[c, g](p) = Σ_{h,d} K_c[g⁻¹h](g⁻¹d) in[h](p + d) + b_c (Winkels & Cohen 2018, "3D G-CNNs for
    pulmonary nodule detection"). (batch, in_fields·|G|, X, Y, Z) → (batch, out_fields·|G|, …).

    Args:
        group: such as ``PolyhedralGroup("O")``.
        in_fields, out_fields: fields on the group, |G| channels each.
        kernel_size, stride, bias, options: as for :class:`SteerableConv3d`.

    Raises:
        InputError: as :class:`LiftingConv3d`.
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


class ProjectingConv3d(SteerableConv3d):
    """Convolution from fields on a finite group of space to plain channels.

    out[c](p) = Σ_{h,d} K_c(h, h⁻¹d) in[h](p + d) + b_c. (batch, in_fields·|G|, X, Y, Z) → (batch,
    out_channels, X′, Y′, Z′). Unlike :class:`GroupPool` it may be part of the learning.

    Args:
        group: such as ``PolyhedralGroup("O")``.
        in_fields: fields of the input, |G| channels each.
        out_channels: channels of the output, which turn as a volume does.
        kernel_size, stride, bias, options: as for :class:`SteerableConv3d`.

    Raises:
        InputError: as :class:`LiftingConv3d`.
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
