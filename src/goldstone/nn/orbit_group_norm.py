"""Group and instance normalisation of fields, from each sample alone."""

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from goldstone.core import InputError
from goldstone.nn.constants import computed_on_cpu
from goldstone.nn.orbit_norm import OrbitNorm
from goldstone.nn.orbit_statistics import part_means
from goldstone.nn.parts import along, check_grid
from goldstone.representations import Representation


class OrbitGroupNorm2d(OrbitNorm):
    """y = (x − mean) / √(var + ε) · weight + bias over runs of whole fields.

    Mean and variance run over the grid and all components of the fields in a run, sample by
    sample; weight and bias are one number for each field. With a run for every field (the default)
    it is instance normalisation. Where the group does not permute the components of all fields only
    their mean square is normalised, and those parts have no bias.

    Args:
        source: representation of the channels; the output's as well.
        groups: number of runs; divides the number of fields. None: one for each field.
        eps: ε.
        affine: learn weight and bias.
        device, dtype: of parameters and buffers.

    Raises:
        InputError: a part is not orthogonal, or the fields do not divide into the runs.
    """

    axes: ClassVar[int] = 2

    @computed_on_cpu
    def __init__(
        self,
        source: Representation,
        groups: int | None = None,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(source, eps, affine, device, dtype)
        self.groups = self.fields if groups is None else groups
        if self.groups < 1 or self.fields % self.groups:
            raise InputError(
                f"expected a number of runs that divides the {self.fields} fields, got {groups}"
            )

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (batch, channels, X, Y)."""
        check_grid(x, self.source, self.axes, size=self._part.shape[0])
        weight, bias = self._of_channels()
        if self.components is not None:
            return functional.group_norm(x, self.groups, weight, bias, self.eps)
        y = x * self._scale(x)
        if weight is not None and bias is not None:
            y = y * along(weight.to(x.dtype), x, 1) + along(bias.to(x.dtype), x, 1)
        return y

    def _scale(self, x: Tensor) -> Tensor:
        """One over the root mean square of each run, (batch, channels, 1, …)."""
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        squares = wide.square().flatten(2).mean(2)
        of_part = part_means(squares, self._part, self._weights, self.fields)
        of_run = of_part.reshape(x.shape[0], self.groups, self.fields // self.groups).mean(2)
        scale = (of_run + self.eps).rsqrt().repeat_interleave(self.fields // self.groups, 1)
        scale = scale[:, self._part].to(x.dtype)
        return scale.reshape(*scale.shape, *[1] * self.axes)

    def to_plain(self) -> nn.Module:
        """An ordinary group norm where every run is a block of permuted channels, else itself."""
        if self.components is None:
            return self
        weight, bias = self._of_channels()
        plain = nn.GroupNorm(
            self.groups, len(self._part), self.eps, weight is not None,
            device=self._weights.device, dtype=self._weights.dtype,
        )  # fmt: skip
        with torch.no_grad():
            if weight is not None and bias is not None:
                plain.weight.copy_(weight)
                plain.bias.copy_(bias)
        return plain

    def extra_repr(self) -> str:
        """Shown by print."""
        return f"{self.source.group.name}, {self.fields} fields in {self.groups} runs"


class OrbitGroupNorm3d(OrbitGroupNorm2d):
    """:class:`OrbitGroupNorm2d` for fields in space, (batch, channels, X, Y, Z)."""

    axes = 3
