"""Convolution that commutes with a group of rotations and reflections of the plane."""

import warnings
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from goldstone.actions import Pivot
from goldstone.core import InputError
from goldstone.nn.block_bases import BlockBasis
from goldstone.nn.block_weights import BlockWeights
from goldstone.nn.circular_harmonics import CircularHarmonics
from goldstone.nn.grouped_parts import grouped_block
from goldstone.nn.harmonic_kernels import harmonic_basis
from goldstone.nn.kernel_basis import pixel_basis
from goldstone.nn.padding import PaddingMode, pad_grid
from goldstone.nn.planar_elements import check_planar, is_on_grid, reversed_axes
from goldstone.nn.turning_error import turning_error
from goldstone.nn.window_geometry import Window, default_padding
from goldstone.representations import Representation, is_unitary

KernelKind = Literal["auto", "pixels", "harmonics"]
"""Free pixels for groups of quarter turns and reflections of the grid, harmonics for the rest."""


class SteerableConv2d(BlockWeights):
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
        padding_mode: ``"circular"``, ``"zeros"`` or ``"reflect"``.
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
        check_planar(source.group)
        if padding is None:
            padding = default_padding(dilation * (kernel_size - 1) + 1, stride)
        window = Window(kernel_size, stride, dilation, padding, padding_mode, pivot)
        axes = reversed_axes(source.group)
        on_grid = is_on_grid(source.group)
        if kernel not in ("auto", "pixels", "harmonics"):
            raise InputError(f"expected kernel 'auto', 'pixels' or 'harmonics', got {kernel!r}")
        pixels = on_grid if kernel == "auto" else kernel == "pixels"
        if pixels and max_frequency is not None:
            raise InputError("free pixels have no max_frequency; use kernel='harmonics'")
        filters = CircularHarmonics(kernel_size, max_frequency)

        def make_basis(part_in: Representation, part_out: Representation) -> BlockBasis:
            for part in (part_in, part_out):
                _check_orthogonal(part)
            if pixels:
                return pixel_basis(part_in, part_out, kernel_size)
            return harmonic_basis(part_in, part_out, filters)

        block = grouped_block(source, target, groups)
        super().__init__(block, target, make_basis, bias, device=device, dtype=dtype)
        self.source = source
        self.window, self.groups, self.exact = window, groups, exact
        self.kernel_size, self.stride = kernel_size, stride
        self._axes, self._warned = axes, False
        if exact and any(axes) and window.flaw is not None:
            n = 4 * stride * window.extent
            raise InputError(self._with_error(window.flaw, torch.randn(1, source.dimension, n, n)))

    @property
    def pivot(self) -> Pivot:
        """The fixed point that is kept."""
        return self.window.pivot

    def forward(self, x: Tensor) -> Tensor:
        """Convolve (batch, in channels, X, Y) → (batch, out channels, X′, Y′)."""
        if x.ndim != 4 or x.shape[1] != self.source.dimension:
            raise InputError(
                f"expected {self.source.dimension} channels for the source representation, "
                f"got {x.shape[1] if x.ndim == 4 else tuple(x.shape)}"
            )
        flaw = self.window.flaw_on((x.shape[-2], x.shape[-1]), self._axes)
        if flaw is not None and self.exact:
            raise InputError(self._with_error(flaw, x))
        if not self.exact and not self._warned and not torch.compiler.is_compiling():
            flaw = flaw or (self.window.flaw if any(self._axes) else None)
            if flaw is not None:
                self._warned = True
                warnings.warn(self._with_error(flaw, x), stacklevel=2)
        return self._convolved(x)

    def _convolved(self, x: Tensor) -> Tensor:
        window = self.window
        within = window.padding if window.mode == "zeros" else 0  # faster than padding before
        return functional.conv2d(
            x if within else pad_grid(x, window.padding, window.mode),
            self.weight(),
            self.bias(),
            stride=window.stride,
            padding=within,
            dilation=window.dilation,
            groups=self.groups,
        )

    def _with_error(self, flaw: str, x: Tensor) -> str:
        """The flaw and how far this layer is off by it, on noise of the shape of x."""
        weight = self.coefficients[0]
        if weight.is_meta or torch.compiler.is_compiling():
            return flaw
        noise = torch.randn((1, *x.shape[1:]), generator=torch.Generator().manual_seed(0))
        noise = noise.to(weight.device, weight.dtype)
        error = turning_error(self._convolved, self.source, self.target, noise, self.pivot)
        if error is None or error < 1e-4:
            return flaw
        return f"{flaw}. The measured relative error of a turn is {error:.1e}"

    def to_plain(self) -> nn.Conv2d:
        """An ordinary convolution with this one's present weights: the same output."""
        weight, bias, window = self.weight().detach(), self.bias(), self.window
        plain = nn.Conv2d(
            self.source.dimension,
            self.target.dimension,
            window.size,
            window.stride,
            window.padding,
            window.dilation,
            self.groups,
            bias is not None,
            window.mode,
            device=weight.device,
            dtype=weight.dtype,
        )
        with torch.no_grad():
            plain.weight.copy_(weight)
            if plain.bias is not None and bias is not None:
                plain.bias.copy_(bias)
        return plain.train(self.training)

    def extra_repr(self) -> str:
        """Shown by print."""
        sizes = f"kernel_size={self.kernel_size}, stride={self.stride}"
        names = f"{self.source.group.name}, {self.source.dimension} → {self.target.dimension}"
        return f"{names}, {sizes}, padding={self.window.padding} ({self.window.mode})"


def _check_orthogonal(part: Representation) -> None:
    if part.dtype.is_complex or not is_unitary(part):
        raise InputError(
            f"planar convolutions need real orthogonal representations, got "
            f"{type(part).__name__} of {part.group.name}; take its unitary_form(), or the "
            "Realification of a complex one"
        )
