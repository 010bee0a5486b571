"""Batch normalisation of fields: one mean and variance for all components of a field."""

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from goldstone.nn.constants import computed_on_cpu
from goldstone.nn.memory_format import in_format_of
from goldstone.nn.orbit_norm import OrbitNorm
from goldstone.nn.orbit_statistics import part_means
from goldstone.nn.parts import along, check_grid
from goldstone.representations import Representation


class OrbitBatchNorm2d(OrbitNorm):
    """y = (x − mean) / √(var + ε) · weight + bias with one of each for a whole field.

    Mean and variance run over the batch, the grid and the components of the field (an orbit of the
    group on fields of the regular representation), so they are invariant and the layer is
    equivariant in training too. Where the group does not permute the components, as of a vector,
    only the mean square component is normalised: there is no mean to subtract and no bias to add.

    Running statistics, momentum and ``state_dict`` are those of :class:`torch.nn.BatchNorm2d`, with
    one entry for each field.

    Args:
        source: representation of the channels; the output's as well.
        eps: ε.
        momentum: weight of the newest batch in the running statistics; None: their plain mean.
        affine: learn weight and bias.
        device, dtype: of parameters and buffers.

    Raises:
        InputError: a part is not orthogonal.
    """

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor
    axes: ClassVar[int] = 2

    @computed_on_cpu
    def __init__(
        self,
        source: Representation,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(source, eps, affine, device, dtype)
        self.momentum = momentum
        zeros = torch.zeros(self.fields, device=device, dtype=dtype)
        self.register_buffer("running_mean", zeros)
        self.register_buffer("running_var", torch.ones_like(zeros))
        self.register_buffer(
            "num_batches_tracked", torch.zeros((), device=device, dtype=torch.int64)
        )

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Weights one, biases zero, running statistics as at the start."""
        super().reset_parameters(generator)
        self.running_mean.zero_()
        self.running_var.fill_(1)
        self.num_batches_tracked.zero_()

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (batch, channels, X, Y)."""
        check_grid(x, self.source, self.axes, size=self._part.shape[0])
        if not self.training:
            return functional.batch_norm(
                x, self.running_mean[self._part], self.running_var[self._part],
                *self._of_channels(), training=False, eps=self.eps,
            )  # fmt: skip
        self.num_batches_tracked.add_(1)
        momentum = self.momentum
        if momentum is None:
            momentum = 1 / float(self.num_batches_tracked)
        if self.components is not None:
            # A field is a block of channels: torch's own kernel takes it as one channel.
            blocks = x.reshape(x.shape[0], self.fields, -1)
            y = functional.batch_norm(
                blocks, self.running_mean, self.running_var, self.weight, self.bias,
                training=True, momentum=momentum, eps=self.eps,
            )  # fmt: skip
            return in_format_of(x, y.reshape(x.shape))
        mean, variance, entries = self._statistics(x)
        self._track(mean.detach(), variance.detach(), entries, momentum)
        scale, shift = self._affine(mean, variance)
        return x * along(scale.to(x.dtype), x, 1) + along(shift.to(x.dtype), x, 1)

    def _statistics(self, x: Tensor) -> tuple[Tensor, Tensor, int]:
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        others = (0, *range(2, x.ndim))
        mean = part_means(wide.mean(others)[None], self._part, self._weights, self.fields)[0]
        mean = mean * self._centred.to(mean.dtype)
        centred = wide - along(mean[self._part], wide, 1)
        squares = centred.square().mean(others)[None]
        variance = part_means(squares, self._part, self._weights, self.fields)[0]
        return mean, variance, x.numel() // x.shape[1]

    @torch.no_grad()
    def _track(self, mean: Tensor, variance: Tensor, entries: int, momentum: float) -> None:
        # As torch: the running variance is the unbiased one.
        count = entries / self._per_part().to(variance.dtype)
        unbiased = variance * count / (count - self._centred).clamp(min=1)
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), momentum)
        self.running_var.lerp_(unbiased.to(self.running_var.dtype), momentum)

    def _per_part(self) -> Tensor:
        """One over the dimension of each part."""
        return self._weights.new_zeros(self.fields).scatter(0, self._part, self._weights)

    def _affine(self, mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
        """Scale and shift of each channel."""
        scale = (variance + self.eps).rsqrt()
        if self.weight is not None:
            scale = scale * self.weight
        shift = -mean * scale
        if self.bias is not None:
            shift = shift + self.bias * self._centred
        return scale[self._part], shift[self._part]

    def to_plain(self) -> nn.BatchNorm2d | nn.BatchNorm3d:
        """An ordinary batch norm with this one's running statistics, for inference."""
        mean, variance = self.running_mean[self._part], self.running_var[self._part]
        weight, bias = self._of_channels()
        plain = (nn.BatchNorm2d if self.axes == 2 else nn.BatchNorm3d)(
            len(mean), self.eps, self.momentum, weight is not None,
            device=mean.device, dtype=mean.dtype,
        )  # fmt: skip
        with torch.no_grad():
            for ours, theirs in (
                (mean, plain.running_mean),
                (variance, plain.running_var),
                (weight, plain.weight),
                (bias, plain.bias),
            ):
                if ours is not None and theirs is not None:
                    theirs.copy_(ours)
        return plain.eval()

    def extra_repr(self) -> str:
        """Shown by print."""
        return f"{self.source.group.name}, {self.fields} fields, eps={self.eps}"


class OrbitBatchNorm3d(OrbitBatchNorm2d):
    """:class:`OrbitBatchNorm2d` for fields in space, (batch, channels, X, Y, Z)."""

    axes = 3
