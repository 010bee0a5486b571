"""Convolution over the plane and over scales: enlarging an image shifts its features in scale."""

import warnings
from abc import ABC, abstractmethod
from math import sqrt
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from goldstone.core import InputError
from goldstone.nn.padding import PaddingMode, check_padding_mode, pad_grid
from goldstone.nn.scale_filters import ScaleFilters

_MOST_ERROR = 0.05

Edge = Literal["valid", "zeros"]
"""Scales that would need those beyond the largest are left out, or these count as zeros."""


class _ScaleLayer(nn.Module, ABC):
    """Coefficients (out, in, reach, filters) of filters at several scales."""

    def __init__(
        self,
        filters: ScaleFilters,
        channels: tuple[int, int],
        reach: int,
        bias: bool,
        padding_mode: PaddingMode,
        exact: bool,
        device: torch.device | str | None,
        dtype: torch.dtype | None,
    ) -> None:
        super().__init__()
        check_padding_mode(padding_mode)
        if min(channels) < 1 or not 1 <= reach <= filters.scales:
            raise InputError(
                f"expected positive numbers of fields and a reach of 1 to {filters.scales} scales, "
                f"got {channels[0]}, {channels[1]} and {reach}"
            )
        self.filters, self.padding_mode, self.reach = filters, padding_mode, reach
        self.in_fields, self.out_fields = channels
        self.sampling_error = filters.sampling_error()
        if self.sampling_error > _MOST_ERROR:
            flaw = (
                f"filters of sigma {filters.sigma:g}, order {filters.order} and extent "
                f"{filters.extent:g} are not one function at several scales once sampled: the "
                f"measured error is {self.sampling_error:.1e}; use a larger sigma or extent, or a "
                "lower order"
            )
            if exact:
                raise InputError(f"{flaw}, or exact=False")
            warnings.warn(flaw, stacklevel=3)
        for s, basis in enumerate(filters.sampled()):
            kept = basis.to(device, dtype or torch.get_default_dtype())
            self.register_buffer(f"_filters_{s}", kept, persistent=False)
        shape = (channels[1], channels[0], reach, filters.count)
        self.coefficients = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
        self.bias = (
            nn.Parameter(torch.empty(channels[1], device=device, dtype=dtype)) if bias else None
        )
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Unit variance for white noise, in the mean over scales; zero the bias."""
        std = 1 / sqrt(self.coefficients[0].numel())
        nn.init.normal_(self.coefficients, std=std, generator=generator)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def weight(self, scale: int) -> Tensor:
        """The kernels at one scale, (out, in, reach, size, size)."""
        basis: Tensor = getattr(self, f"_filters_{scale}")
        return torch.einsum("oitb,bxy->oitxy", self.coefficients, basis)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve."""
        self._check(x)
        outputs = []
        for s in range(self._out_scales(x)):
            inputs, weight = self._pair(x, s)
            margin = self.filters.margins[s]
            within = margin if self.padding_mode == "zeros" else 0
            if not within:
                inputs = pad_grid(inputs, margin, self.padding_mode)
            outputs.append(functional.conv2d(inputs, weight, self.bias, padding=within))
        return torch.stack(outputs, 2)

    @abstractmethod
    def _check(self, x: Tensor) -> None:
        """Raise unless the input fits."""

    @abstractmethod
    def _out_scales(self, x: Tensor) -> int:
        """How many scales come out."""

    @abstractmethod
    def _pair(self, x: Tensor, scale: int) -> tuple[Tensor, Tensor]:
        """Channels and kernels whose convolution gives one scale."""

    def extra_repr(self) -> str:
        """Shown by print."""
        return (
            f"{self.in_fields} → {self.out_fields}, {self.filters.scales} scales of ratio "
            f"{self.filters.base:.4g}, reach={self.reach}, sampling_error={self.sampling_error:.0e}"
        )


class ScaleLiftingConv2d(_ScaleLayer):
    """One filter at every scale: out_cs(p) = Σ_i Σ_d K_ci^s(d) in_i(p + d) + b_c.

    (batch, in_channels, X, Y) → (batch, out_fields, scale, X, Y), s = 0 the smallest. If the image
    is enlarged by base^k, then out[s + k] is out[s] enlarged, for all weights: up to
    :attr:`sampling_error` for images that are smooth on the grid, and among the scales there are.

    Args:
        filters: the scales and the functions that filters are made of.
        in_channels: channels of the image.
        out_fields: fields over the plane and the scales.
        bias: one number for each field.
        padding_mode: how the image goes on beyond its edges.
        exact: refuse filters that the grid does not hold; False warns, with the measured error.

    Attributes:
        sampling_error: that of the filters.

    Raises:
        InputError: a sampling error above 5 %, or other numbers out of range.
    """

    def __init__(
        self,
        filters: ScaleFilters,
        in_channels: int,
        out_fields: int,
        *,
        bias: bool = True,
        padding_mode: PaddingMode = "zeros",
        exact: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        channels = (in_channels, out_fields)
        super().__init__(filters, channels, 1, bias, padding_mode, exact, device, dtype)

    def _check(self, x: Tensor) -> None:
        if x.ndim != 4 or x.shape[1] != self.in_fields:
            raise InputError(
                f"expected images (batch, {self.in_fields}, X, Y), got {tuple(x.shape)}"
            )

    def _out_scales(self, x: Tensor) -> int:
        return self.filters.scales

    def _pair(self, x: Tensor, scale: int) -> tuple[Tensor, Tensor]:
        return x, self.weight(scale)[:, :, 0]


class ScaleConv2d(_ScaleLayer):
    """Convolution over the plane and, upwards, over the scales (Sosnovik et al. 2020).

    out_cs(p) = Σ_{i,t,d} K_cit^s(d) in_i,s+t(p + d) + b_c, t = 0 … reach − 1:
    (batch, in_fields, scale, X, Y) → (batch, out_fields, scale′, X, Y). Equivariant as
    :class:`ScaleLiftingConv2d`, but for the end of the scales: with ``edge="valid"`` the last
    reach − 1 scales, which would miss terms, are left out, so that what comes out is equivariant
    throughout; with ``"zeros"`` they are kept, and wrong by as much as is missing
    (:func:`scale_exactness` measures it). Functions of single components, and
    :class:`torch.nn.BatchNorm3d` with its statistics over scales and plane, may stand between;
    strides may not. Kinks of a ReLU make frequencies that the grid does not hold, SiLU far fewer.

    Args:
        filters: as of the layers before.
        in_fields: fields of the input.
        out_fields: fields of the output.
        reach: how many scales of the input one of the output sees.
        edge: what becomes of scales beyond the largest.
        bias, padding_mode, exact: as of :class:`ScaleLiftingConv2d`.

    Raises:
        InputError: as :class:`ScaleLiftingConv2d`; at the call, more scales than the filters have,
            or too few for ``"valid"``.
    """

    def __init__(
        self,
        filters: ScaleFilters,
        in_fields: int,
        out_fields: int,
        reach: int = 1,
        *,
        edge: Edge = "valid",
        bias: bool = True,
        padding_mode: PaddingMode = "zeros",
        exact: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        if edge not in get_args(Edge):
            raise InputError(f"expected the edge 'valid' or 'zeros', got {edge!r}")
        channels = (in_fields, out_fields)
        super().__init__(filters, channels, reach, bias, padding_mode, exact, device, dtype)
        self.edge = edge

    def _check(self, x: Tensor) -> None:
        fewest = self.reach if self.edge == "valid" else 1
        if x.ndim != 5 or x.shape[1] != self.in_fields:
            raise InputError(
                f"expected fields (batch, {self.in_fields}, scale, X, Y), got {tuple(x.shape)}; "
                "begin with ScaleLiftingConv2d"
            )
        if not fewest <= x.shape[2] <= self.filters.scales:
            raise InputError(
                f"expected {fewest} to {self.filters.scales} scales, got {x.shape[2]}; use more "
                "scales in the filters of the layers before, a smaller reach, or edge='zeros'"
            )

    def _out_scales(self, x: Tensor) -> int:
        return x.shape[2] - (self.reach - 1 if self.edge == "valid" else 0)

    def _pair(self, x: Tensor, scale: int) -> tuple[Tensor, Tensor]:
        # Terms beyond the last scale are zero: spare them.
        reach = min(self.reach, x.shape[2] - scale)
        weight = self.weight(scale)[:, :, :reach]
        return x[:, :, scale : scale + reach].flatten(1, 2), weight.flatten(1, 2)
