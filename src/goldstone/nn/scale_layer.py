"""What convolutions over scales have in common: coefficients, turned filters, the plane."""

import warnings
from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import sqrt
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from goldstone.actions import Pivot
from goldstone.core import InputError
from goldstone.groups import CyclicGroup, FiniteGroup
from goldstone.nn.block_bases import BlockBasis
from goldstone.nn.padding import PaddingMode
from goldstone.nn.scale_filters import ScaleFilters
from goldstone.nn.scale_plain import ScalewiseConv2d
from goldstone.nn.scale_plane import Padding, ScalePlane
from goldstone.nn.turned_kernels import turned_kernel_basis
from goldstone.nn.turning_error import turning_error
from goldstone.representations import (
    RegularRepresentation,
    Representation,
    TrivialRepresentation,
    multiple,
)

_MOST_ERROR = 0.05


@dataclass(frozen=True)
class _AtScale:
    """The filters of one scale, to be turned."""

    filters: ScaleFilters
    scale: int

    def turned(self, matrices: Tensor) -> Tensor:
        return self.filters.turned(self.scale, matrices)


class ScaleLayer(nn.Module, ABC):
    """Coefficients (out, in, reach, filters), of filters at several scales and in several turns.

    Args:
        filters: the scales, the group and the functions.
        fields: of the input and of the output.
        regular: whether the input's fields are functions on the group, or plain channels.
        reach: how many scales of the input one of the output sees.
        stride, bias, padding, padding_mode, exact: see :class:`ScaleLiftingConv2d`.

    Raises:
        InputError: numbers out of range, or filters that the grid does not hold.
    """

    def __init__(
        self,
        filters: ScaleFilters,
        fields: tuple[int, int],
        *,
        regular: bool,
        reach: int,
        stride: int,
        bias: bool,
        padding: Padding,
        padding_mode: PaddingMode,
        exact: bool,
        device: torch.device | str | None,
        dtype: torch.dtype | None,
    ) -> None:
        super().__init__()
        if min(fields) < 1 or not 1 <= reach <= filters.scales:
            raise InputError(
                f"expected positive numbers of fields and a reach of 1 to {filters.scales} scales, "
                f"got {fields[0]}, {fields[1]} and {reach}"
            )
        self.plane = ScalePlane(filters.margins, stride, padding, padding_mode)
        self.filters, self.reach, self.exact, self._warned = filters, reach, exact, False
        self.in_fields, self.out_fields = fields
        self._check_sampling()
        group: FiniteGroup[Any] = filters.group or CyclicGroup(1)
        whole, trivial = RegularRepresentation(group), TrivialRepresentation(group)
        parts = (whole if regular else trivial, whole)
        self.in_channels, self.out_channels = (
            count * part.dimension for count, part in zip(fields, parts, strict=True)
        )
        self.source: Representation | None = None
        self.target: Representation | None = None
        if filters.group is not None:
            self.source, self.target = (
                multiple(part, count) for part, count in zip(parts, fields, strict=True)
            )
        self.bases = nn.ModuleList()
        for s in range(filters.scales):
            basis = turned_kernel_basis(*parts, _AtScale(filters, s))
            if basis is None:
                raise TypeError("fields over scales are regular ones")
            self.bases.append(basis.cast(device, dtype or torch.get_default_dtype()))
        self._kernels = group.order
        shape = (fields[1], fields[0], reach, self._block(0).count)
        self.coefficients = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
        self.bias = (
            nn.Parameter(torch.empty(fields[1], device=device, dtype=dtype)) if bias else None
        )
        self._gain = self._power_gain()
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Keep the mean square of what is expected as input; zero the bias."""
        # Turned filters are divided by the root of the group's order.
        std = sqrt(self._kernels / (self.coefficients[0].numel() * self._gain))
        nn.init.normal_(self.coefficients, std=std, generator=generator)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def weight(self, scale: int) -> Tensor:
        """The kernels at one scale, (out channels, in channels, reach, size, size)."""
        blocks = self._block(scale).blocks(self.coefficients.flatten(1, 2))
        out, m, _, n, *size = blocks.shape
        split = blocks.reshape(out, m, self.in_fields, self.reach, n, *size)
        return split.transpose(3, 4).reshape(out * m, self.in_fields * n, self.reach, *size)

    @property
    def pivot(self) -> Pivot:
        """The fixed point that is kept."""
        return self.plane.pivot

    def forward(self, x: Tensor) -> Tensor:
        """Convolve."""
        self._check(x)
        grid, count = tuple(x.shape[-2:]), self._out_scales(x)
        self.plane.check_size(grid, count)
        flaw = self.plane.flaw_on(grid, count, self.filters.base)
        if flaw is not None and self.exact:
            raise InputError(f"{self._with_error(flaw, x)}; or exact=False")
        if flaw is not None and not self._warned and not torch.compiler.is_compiling():
            self._warned = True
            warnings.warn(self._with_error(flaw, x), stacklevel=2)
        return self._convolved(x)

    def _convolved(self, x: Tensor) -> Tensor:
        outputs, bias, count = [], self._channel_bias(), self._out_scales(x)
        for s in range(count):
            inputs, weight = self._pair(x, s)
            inputs, zeros = self.plane.seen(inputs, s, count)
            stride = self.plane.stride
            outputs.append(functional.conv2d(inputs, weight, bias, stride=stride, padding=zeros))
        return torch.stack(outputs, 2)

    def to_plain(self) -> ScalewiseConv2d:
        """One ordinary convolution for each scale, with this layer's present weights.

        One for all scales would have kernels of the largest size, mostly zeros: it is slower, and
        much so for many scales.
        """
        bias, plane = self._channel_bias(), self.plane
        convolutions = [
            plane.folded(self.weight(s).detach().flatten(1, 2), bias, s)
            for s in range(self._most_scales())
        ]
        margins = plane.margins if plane.padding == "valid" else None
        return self._plain(convolutions, margins).train(self.training)

    @abstractmethod
    def _plain(
        self, convolutions: list[nn.Conv2d], margins: tuple[int, ...] | None
    ) -> ScalewiseConv2d:
        """The convolutions, and how they are applied."""

    @abstractmethod
    def _check(self, x: Tensor) -> None:
        """Raise unless the input fits."""

    @abstractmethod
    def _out_scales(self, x: Tensor) -> int:
        """How many scales come out."""

    @abstractmethod
    def _most_scales(self) -> int:
        """How many come out at most."""

    @abstractmethod
    def _power_gain(self) -> float:
        """The mean square of the output for coefficients of the variance of one over their number.

        Of what is expected as input, with a mean square of one.
        """

    @abstractmethod
    def _pair(self, x: Tensor, scale: int) -> tuple[Tensor, Tensor]:
        """Channels and kernels whose convolution gives one scale."""

    def _block(self, scale: int) -> BlockBasis:
        basis: Any = self.bases[scale]
        found: BlockBasis = basis
        return found

    def _channel_bias(self) -> Tensor | None:
        if self.bias is None or self._kernels == 1:
            return self.bias
        return self.bias.repeat_interleave(self._kernels)

    def _check_sampling(self) -> None:
        filters = self.filters
        self.sampling_error = filters.sampling_error()
        if self.sampling_error > _MOST_ERROR:
            flaw = (
                f"filters of sigma {filters.sigma:g}, order {filters.order} and extent "
                f"{filters.extent:g} are not one function at several scales once sampled: the "
                f"measured error is {self.sampling_error:.1e}; use a larger sigma or extent, or a "
                "lower order"
            )
            if self.exact:
                raise InputError(f"{flaw}, or exact=False")
            warnings.warn(flaw, stacklevel=5)

    def _with_error(self, flaw: str, x: Tensor) -> str:
        """The flaw, and how far this layer is off by it when the group turns noise of x's shape."""
        weight = self.coefficients
        if weight.is_meta or torch.compiler.is_compiling():
            return flaw
        if self.source is None or self.target is None:
            return flaw
        noise = torch.randn((1, *x.shape[1:]), generator=torch.Generator().manual_seed(0))
        noise = noise.to(weight.device, weight.dtype)
        error = turning_error(self._convolved, self.source, self.target, noise, self.pivot)
        return f"{flaw}. The measured relative error of a turn is {error:.1e}" if error else flaw

    def extra_repr(self) -> str:
        """Shown by print."""
        name = "" if self.filters.group is None else f"{self.filters.group.name}, "
        return (
            f"{name}{self.in_fields} → {self.out_fields}, {self.filters.scales} scales of ratio "
            f"{self.filters.base:.4g}, reach={self.reach}, stride={self.plane.stride}, "
            f"sampling_error={self.sampling_error:.0e}"
        )
