"""Group and instance normalisation of fields, from each sample alone."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from goldstone.core import InputError
from goldstone.nn.orbit_statistics import FieldParts, part_means
from goldstone.nn.parts import along, check_components
from goldstone.representations import Representation


class OrbitGroupNorm2d(nn.Module):
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

    _part: Tensor
    _weights: Tensor
    _centred: Tensor

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
        super().__init__()
        fields = FieldParts(source, "OrbitGroupNorm2d")
        groups = fields.count if groups is None else groups
        if groups < 1 or fields.count % groups:
            raise InputError(
                f"expected a number of runs that divides the {fields.count} fields, got {groups}"
            )
        self.source = self.target = source
        self.groups, self.eps = groups, eps
        self.fields, self.components = fields.count, fields.components
        dtype = dtype or torch.get_default_dtype()
        self.weight = self.bias = None
        if affine:
            self.weight = nn.Parameter(torch.ones(self.fields, device=device, dtype=dtype))
            self.bias = nn.Parameter(torch.zeros(self.fields, device=device, dtype=dtype))
        self.register_buffer("_part", fields.part.to(device), persistent=False)
        self.register_buffer("_weights", fields.weights.to(device, dtype), persistent=False)
        self.register_buffer("_centred", fields.centred.to(device, dtype), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (batch, channels, X, Y)."""
        check_components(x, self.source, 1)
        weight = bias = None
        if self.weight is not None and self.bias is not None:
            weight = self.weight[self._part]
            bias = (self.bias * self._centred)[self._part]
        if self.components is not None:
            return functional.group_norm(x, self.groups, weight, bias, self.eps)
        y = x * self._scale(x)
        if weight is not None and bias is not None:
            y = y * along(weight.to(x.dtype), x, 1) + along(bias.to(x.dtype), x, 1)
        return y

    def _scale(self, x: Tensor) -> Tensor:
        """One over the root mean square of each run, (batch, channels, 1, 1)."""
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        squares = wide.square().mean((2, 3))
        of_part = part_means(squares, self._part, self._weights, self.fields)
        of_run = of_part.reshape(len(x), self.groups, -1).mean(2)
        scale = (of_run + self.eps).rsqrt().repeat_interleave(self.fields // self.groups, 1)
        return scale[:, self._part, None, None].to(x.dtype)

    def extra_repr(self) -> str:
        """Shown by print."""
        return f"{self.source.group.name}, {self.fields} fields in {self.groups} runs"
