"""Convolution that commutes with a group of rotations and reflections of space."""

from typing import Literal

import torch

from goldstone.actions import Pivot
from goldstone.core import InputError
from goldstone.nn.block_bases import BlockBasis
from goldstone.nn.constants import computed_on_cpu
from goldstone.nn.grid_convolution import GridConvolution, check_orthogonal
from goldstone.nn.kernel_basis import pixel_basis
from goldstone.nn.padding import PaddingMode
from goldstone.nn.parts import check_representation
from goldstone.nn.planar_elements import is_on_grid
from goldstone.nn.spatial_elements import check_spatial
from goldstone.nn.spherical_filters import SphericalFilters
from goldstone.nn.spherical_kernels import spherical_basis
from goldstone.nn.window_geometry import convolution_window
from goldstone.representations import Representation

KernelKind3d = Literal["auto", "voxels", "harmonics"]
"""Free voxels for groups that map the cube onto itself, spherical harmonics for the rest."""


class SteerableConv3d(GridConvolution):
    """Convolution from fields of one representation to fields of another, in space.

    :class:`SteerableConv2d` with one more axis: fields are tensors (batch, channel, X, Y, Z) whose
    channels are the components of the representation in order.

    The group may be finite, such as ``PolyhedralGroup("O")`` (24 rotations of the cube) or ``"Oh"``
    (48 with the inversion), or SO(3) or O(3). Kernels are free voxel by voxel where the group maps
    the cube onto itself (:func:`kernel_basis`), else band-limited spherical harmonics on shells
    (:func:`spherical_kernel_basis`). Rotations and reflections of the cube are exact in both; other
    rotations as far as a sampled kernel goes: 5×5×5 kernels do far better than 3×3×3.

    Exactness also needs the fixed point to be kept, as in the plane, see :class:`Window`.

    Args:
        source: the representation of the input's channels.
        target: that of the output's.
        kernel_size: taps along an axis, odd or even.
        stride: of the output's points.
        bias: whether there is a bias.
        padding: points on each side; by default (extent − 1)/2 at stride 1 and none else.
        padding_mode: ``"circular"``, ``"zeros"``, ``"reflect"`` or ``"replicate"``.
        dilation: distance of taps.
        groups: the channels of input and output are split in as many equal runs of parts, and each
            run of the output sees one of the input.
        kernel: ``"voxels"`` or ``"harmonics"``; ``"auto"`` is voxels where the group allows it.
        max_degree: a further limit to the harmonics' degrees.
        pivot: the fixed point that is kept.
        exact: whether to refuse what loses exactness; if not, it is a warning.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        InputError: representations of different groups or not of space, not orthogonal or not real;
            or a choice that loses exactness.
    """

    axes = 3

    @computed_on_cpu
    def __init__(
        self,
        source: Representation,
        target: Representation,
        kernel_size: int,
        stride: int = 1,
        bias: bool = True,
        *,
        padding: int | None = None,
        padding_mode: PaddingMode = "circular",
        dilation: int = 1,
        groups: int = 1,
        kernel: KernelKind3d = "auto",
        max_degree: int | None = None,
        pivot: Pivot = "cell",
        exact: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        for representation in (source, target):
            check_representation(representation)
        check_spatial(source.group)
        window = convolution_window(kernel_size, stride, dilation, padding, padding_mode, pivot)
        if kernel not in ("auto", "voxels", "harmonics"):
            raise InputError(f"expected kernel 'auto', 'voxels' or 'harmonics', got {kernel!r}")
        on_grid = is_on_grid(source.group)
        if kernel == "voxels" and not on_grid:
            raise InputError(
                f"{source.group.name} does not map the cube onto itself, so kernels of free voxels "
                "cannot turn with it; use kernel='harmonics'"
            )
        voxels = on_grid if kernel == "auto" else kernel == "voxels"
        if voxels and max_degree is not None:
            raise InputError("free voxels have no max_degree; use kernel='harmonics'")
        filters = SphericalFilters(kernel_size, max_degree)

        def make_basis(part_in: Representation, part_out: Representation) -> BlockBasis:
            for part in (part_in, part_out):
                check_orthogonal(part)
            if voxels:
                return pixel_basis(part_in, part_out, kernel_size)
            return spherical_basis(part_in, part_out, filters)

        super().__init__(
            source, target, make_basis, window, groups, bias, exact, device=device, dtype=dtype
        )
