"""Convolution that commutes with a group of rotations and reflections of the plane."""

from typing import Literal

import torch

from goldstone.actions import Pivot
from goldstone.core import InputError
from goldstone.nn.block_bases import BlockBasis
from goldstone.nn.circular_harmonics import CircularHarmonics
from goldstone.nn.constants import computed_on_cpu
from goldstone.nn.grid_convolution import GridConvolution, check_orthogonal
from goldstone.nn.harmonic_kernels import harmonic_basis
from goldstone.nn.kernel_basis import pixel_basis
from goldstone.nn.padding import PaddingMode
from goldstone.nn.parts import check_representation
from goldstone.nn.planar_elements import check_planar, is_on_grid
from goldstone.nn.window_geometry import convolution_window
from goldstone.representations import Representation

KernelKind = Literal["auto", "pixels", "harmonics"]
"""Free pixels for groups of quarter turns and reflections of the grid, harmonics for the rest."""


class SteerableConv2d(GridConvolution):
    """Convolution from fields of one representation to fields of another.

    out(p) = Σ_d K(d) in(stride·p + d) + b, with K a learned combination of the equivariant
    kernels and b of the invariant vectors, so that the layer commutes with every element of the
    group for all weights (Cohen & Welling 2017, "Steerable CNNs", eq. 8). Fields are tensors
    (batch, channel, X, Y) whose channels are the components of the representation in order.

    The group may be C_n or D_n of any order, SO(2) or O(2). Kernels are free pixel by pixel where
    the group maps the grid onto itself (:func:`kernel_basis`), else band-limited circular harmonics
    (:func:`harmonic_kernel_basis`). Quarter turns and reflections of the grid are exact in both;
    other angles as far as a sampled kernel goes.

    Exactness also needs the fixed point to be kept, see :class:`Window`: about the cell, periodic
    fields allow odd kernels with stride 1, a stride equal to the kernel size, or a padding of
    (extent − stride)/2; with zeros or reflection, grid + 2·padding − extent has to be a multiple of
    the stride. What can never be exact is refused at construction, and what is not on a certain
    grid at the call; ``exact=False`` makes it a warning that names the measured error.

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
        kernel: ``"pixels"`` or ``"harmonics"``; ``"auto"`` is pixels where the group allows it.
        max_frequency: a further limit to the harmonics' frequencies.
        pivot: the fixed point that is kept.
        exact: whether to refuse what loses exactness.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        InputError: representations of different groups or not of the plane, not orthogonal or not
            real; or a choice that loses exactness.
    """

    axes = 2

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
        kernel: KernelKind = "auto",
        max_frequency: int | None = None,
        pivot: Pivot = "cell",
        exact: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        for representation in (source, target):
            check_representation(representation)
        check_planar(source.group)
        window = convolution_window(kernel_size, stride, dilation, padding, padding_mode, pivot)
        on_grid = is_on_grid(source.group)
        if kernel not in ("auto", "pixels", "harmonics"):
            raise InputError(f"expected kernel 'auto', 'pixels' or 'harmonics', got {kernel!r}")
        pixels = on_grid if kernel == "auto" else kernel == "pixels"
        if pixels and max_frequency is not None:
            raise InputError("free pixels have no max_frequency; use kernel='harmonics'")
        filters = CircularHarmonics(kernel_size, max_frequency)

        def make_basis(part_in: Representation, part_out: Representation) -> BlockBasis:
            for part in (part_in, part_out):
                check_orthogonal(part)
            if pixels:
                return pixel_basis(part_in, part_out, kernel_size)
            return harmonic_basis(part_in, part_out, filters)

        super().__init__(
            source, target, make_basis, window, groups, bias, exact, device=device, dtype=dtype
        )
