"""Convolution over the plane and over scales: enlarging an image shifts its features in scale."""

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from goldstone.core import InputError
from goldstone.nn.constants import computed_on_cpu
from goldstone.nn.padding import PaddingMode
from goldstone.nn.scale_filters import ScaleFilters
from goldstone.nn.scale_layer import ScaleLayer
from goldstone.nn.scale_plain import ScalewiseConv2d
from goldstone.nn.scale_plane import Padding

Edge = Literal["valid", "zeros"]
"""Scales that would need those beyond the largest are left out, or these count as zeros."""


class ScaleLiftingConv2d(ScaleLayer):
    """One filter at every scale: out_cs(p) = Σ_i Σ_d K_ci^s(d) in_i(stride·p + d) + b_c.

    (batch, in_channels, X, Y) → (batch, out_fields, scale, X′, Y′), s = 0 the smallest. If the
    image is enlarged by base^k, then out[s + k] is out[s] enlarged, for all weights: up to
    :attr:`sampling_error` for images that are smooth on the grid, and among the scales there are.

    With a group G in the filters, out_cgs(p) = Σ_i Σ_d K_ci^s(g⁻¹d) in_i(stride·p + d) + b_c, and
    (batch, in_channels, X, Y) → (batch, out_fields·|G|, scale, X′, Y′): fields on the group as of
    :class:`LiftingConv2d`, at each scale. Quarter turns and reflections of the grid are exact,
    other angles as good as sampling (Gao, Lin & Zhu 2021, "Deformation robust
    roto-scale-translation equivariant CNNs").

    Exactness also needs a stride to keep the centre of the grid, about which it is enlarged and
    turned: size + 2·padding − extent, with "same" padding size − 1, has to be a multiple of it. So
    have periodic fields about point 0 if their size is a multiple. Else the layer is refused.

    Initially the mean square of white noise is kept, in the mean over scales; that of natural
    images, of spectrum 1/ω², grows three- to fivefold, about evenly at all scales.

    Args:
        filters: the scales, the group and the functions that filters are made of.
        in_channels: channels of the image.
        out_fields: fields over the plane, the scales and the group.
        stride: of the output's points, the same at all scales. Outputs of scale s hold frequencies
            up to about 3/σ_s, of which a grid of this stride has those up to π/stride:
            :func:`scale_exactness` measures what that costs.
        bias: one number for each field.
        padding: ``"same"`` for as many points as before, ``"valid"`` for those alone that all
            filters reach without any continuation.
        padding_mode: how the image goes on beyond its edges where it is padded.
        exact: refuse filters that the grid does not hold and grids that lose the centre; False
            warns, with the measured error.

    Attributes:
        sampling_error: that of the filters.
        source, target: the representations of the channels, if there is a group; else None.

    Raises:
        InputError: a sampling error above 5 %, or other numbers out of range; at the call, a grid
            that is too small for the filters or on which the stride loses the centre.
    """

    @computed_on_cpu
    def __init__(
        self,
        filters: ScaleFilters,
        in_channels: int,
        out_fields: int,
        *,
        stride: int = 1,
        bias: bool = True,
        padding: Padding = "same",
        padding_mode: PaddingMode = "zeros",
        exact: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(
            filters,
            (in_channels, out_fields),
            regular=False,
            reach=1,
            stride=stride,
            bias=bias,
            padding=padding,
            padding_mode=padding_mode,
            exact=exact,
            device=device,
            dtype=dtype,
        )

    def _check(self, x: Tensor) -> None:
        if x.ndim != 4 or x.shape[1] != self.in_channels:
            raise InputError(
                f"expected images (batch, {self.in_channels}, X, Y), got {tuple(x.shape)}"
            )

    def _out_scales(self, x: Tensor) -> int:
        return self.filters.scales

    def _most_scales(self) -> int:
        return self.filters.scales

    def _power_gain(self) -> float:
        return float(self.filters.powers().mean())

    def _pair(self, x: Tensor, scale: int) -> tuple[Tensor, Tensor]:
        return x, self.weight(scale)[:, :, 0]

    def _plain(
        self, convolutions: list[nn.Conv2d], margins: tuple[int, ...] | None
    ) -> ScalewiseConv2d:
        return ScalewiseConv2d(convolutions, None, margins=margins)


class ScaleConv2d(ScaleLayer):
    """Convolution over the plane and, upwards, over the scales (Sosnovik et al. 2020).

    out_cs(p) = Σ_{i,t,d} K_cit^s(d) in_i,s+t(stride·p + d) + b_c, t = 0 … reach − 1:
    (batch, in_fields, scale, X, Y) → (batch, out_fields, scale′, X′, Y′). Equivariant as
    :class:`ScaleLiftingConv2d`, but for the end of the scales: with ``edge="valid"`` the last
    reach − 1 scales, which would miss terms, are left out, so that what comes out is equivariant
    throughout; with ``"zeros"`` they are kept, and wrong by as much as is missing
    (:func:`scale_exactness` measures it). With a group G in the filters fields have |G| components
    each, and out_cgs(p) = Σ_{i,h,t,d} K_ci,g⁻¹h,t^s(g⁻¹d) in_ih,s+t(stride·p + d) + b_c.

    Between layers may stand functions of single components,
    :class:`torch.nn.BatchNorm3d` with its statistics over scales and plane or, with a group,
    :class:`OrbitBatchNorm3d`; :class:`ScalePool` and :class:`GroupPool` end with invariant ones.
    Kinks of a ReLU make frequencies that the grid does not hold, SiLU far fewer. All layers of a
    network have filters of one base and one group.

    Initially the mean square of fields is kept that a layer before made of noise.

    Args:
        filters: as of the layers before.
        in_fields: fields of the input, each with |G| channels.
        out_fields: fields of the output.
        reach: how many scales of the input one of the output sees.
        edge: what becomes of scales beyond the largest.
        stride, bias, padding, padding_mode, exact: as of :class:`ScaleLiftingConv2d`.

    Raises:
        InputError: as :class:`ScaleLiftingConv2d`; at the call, more scales than the filters have,
            or too few for ``"valid"``.
    """

    @computed_on_cpu
    def __init__(
        self,
        filters: ScaleFilters,
        in_fields: int,
        out_fields: int,
        reach: int = 1,
        *,
        edge: Edge = "valid",
        stride: int = 1,
        bias: bool = True,
        padding: Padding = "same",
        padding_mode: PaddingMode = "zeros",
        exact: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        if edge not in get_args(Edge):
            raise InputError(f"expected the edge 'valid' or 'zeros', got {edge!r}")
        self.edge = edge
        super().__init__(
            filters,
            (in_fields, out_fields),
            regular=True,
            reach=reach,
            stride=stride,
            bias=bias,
            padding=padding,
            padding_mode=padding_mode,
            exact=exact,
            device=device,
            dtype=dtype,
        )

    def _check(self, x: Tensor) -> None:
        fewest = self.reach if self.edge == "valid" else 1
        if x.ndim != 5 or x.shape[1] != self.in_channels:
            raise InputError(
                f"expected fields (batch, {self.in_channels}, scale, X, Y), got {tuple(x.shape)}; "
                "begin with ScaleLiftingConv2d"
            )
        if not fewest <= x.shape[2] <= self.filters.scales:
            raise InputError(
                f"expected {fewest} to {self.filters.scales} scales, got {x.shape[2]}; use more "
                "scales in the filters of the layers before, a smaller reach, or edge='zeros'"
            )

    def _out_scales(self, x: Tensor) -> int:
        return x.shape[2] - (self.reach - 1 if self.edge == "valid" else 0)

    def _most_scales(self) -> int:
        return self.filters.scales - (self.reach - 1 if self.edge == "valid" else 0)

    def _power_gain(self) -> float:
        powers = self.filters.powers()
        gains = []
        for s in range(self._most_scales()):
            seen = powers[s : s + self.reach]
            gains.append((seen * powers[s]).sum(0).mean() / self.reach / powers[s].mean())
        return float(torch.stack(gains).mean())

    def _pair(self, x: Tensor, scale: int) -> tuple[Tensor, Tensor]:
        # Terms beyond the last scale are zero: spare them.
        reach = min(self.reach, x.shape[2] - scale)
        weight = self.weight(scale)[:, :, :reach]
        return x[:, :, scale : scale + reach].flatten(1, 2), weight.flatten(1, 2)

    def _plain(
        self, convolutions: list[nn.Conv2d], margins: tuple[int, ...] | None
    ) -> ScalewiseConv2d:
        return ScalewiseConv2d(convolutions, self.reach, ends=self.edge == "valid", margins=margins)
