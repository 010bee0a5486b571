"""Layers of the networks on grids."""

import torch
from torch import Tensor, nn
from torch.nn import functional

PADDING = {"zeros": "constant", "circular": "circular", "reflect": "reflect"}


class Convolution(nn.Module):
    """A convolution with every choice open: padding, size, stride, kernels averaged over D4.

    Even kernels see one point more on the right. Strides take every so-manieth point from (0, 0).
    """

    def __init__(
        self,
        channels: tuple[int, int],
        kernel: int = 3,
        stride: int = 1,
        padding: str = "circular",
        *,
        isotropic: bool = False,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(*channels, kernel, bias=bias)
        self.stride, self.padding, self.isotropic = stride, padding, isotropic
        self.margins = ((kernel - 1) // 2, kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        weight = self.convolution.weight
        if self.isotropic:
            turned = [weight.rot90(k, (2, 3)) for k in range(4)]
            weight = torch.stack([*turned, *(w.flip(2) for w in turned)]).mean(0)
        if self.padding != "none":
            x = functional.pad(x, self.margins * 2, PADDING[self.padding])
        return functional.conv2d(x, weight, self.convolution.bias, stride=self.stride)


class Blur(nn.Module):
    """Low-pass filter, then every second point: Zhang 2019, with circular padding."""

    def __init__(self, taps: tuple[int, ...], stride: int = 2) -> None:
        super().__init__()
        line = torch.tensor(taps, dtype=torch.float64)
        self.register_buffer("kernel", torch.outer(line, line) / line.sum() ** 2)
        size = len(taps)
        # Four taps about the corner between four points, where a pair of even steps stays.
        self.margins = ((size - 1) // 2, size // 2 if size % 2 else (size - 1) // 2)
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        kernel = self.kernel.expand(x.shape[1], 1, -1, -1).to(x.dtype)
        x = functional.pad(x, self.margins * 2, "circular")
        return functional.conv2d(x, kernel, stride=self.stride, groups=x.shape[1])


class MaxPool(nn.Module):
    """Maximum over windows, circular where they overlap."""

    def __init__(self, kernel: int, stride: int) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride
        left = (kernel - 1) // 2
        self.margins = (left, kernel - stride - left)

    def forward(self, x: Tensor) -> Tensor:
        if self.kernel > self.stride:
            x = functional.pad(x, self.margins * 2, "circular")
        return functional.max_pool2d(x, self.kernel, self.stride)


class EverySecond(nn.Module):
    """Every second point from (0, 0)."""

    def forward(self, x: Tensor) -> Tensor:
        return x[..., ::2, ::2]


class AdaptivePolyphase(nn.Module):
    """Of the four grids of every second point the one of the largest norm.

    Chaman & Dokmanić 2021, "Truly shift-invariant convolutional neural networks".
    """

    def forward(self, x: Tensor) -> Tensor:
        phases = torch.stack([x[..., i::2, j::2] for i in (0, 1) for j in (0, 1)], 1)
        chosen = phases.flatten(2).norm(dim=2).argmax(1)
        return phases[torch.arange(len(x)), chosen]


class Repeat(nn.Module):
    """Each point becomes 2 × 2 points."""

    def forward(self, x: Tensor) -> Tensor:
        return x.repeat_interleave(2, -1).repeat_interleave(2, -2)


class ZerosBetween(nn.Module):
    """Points go to even places, zeros between them."""

    def forward(self, x: Tensor) -> Tensor:
        fine = x.new_zeros(*x.shape[:2], 2 * x.shape[2], 2 * x.shape[3])
        fine[..., ::2, ::2] = x
        return fine


class Bilinear(nn.Module):
    """Bilinear interpolation to twice the grid, half-pixel centres; edges repeat or go round."""

    def __init__(self, *, circular: bool) -> None:
        super().__init__()
        self.circular = circular

    def forward(self, x: Tensor) -> Tensor:
        if self.circular:
            x = functional.pad(x, (1, 1, 1, 1), "circular")
        x = functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        return x[..., 2:-2, 2:-2] if self.circular else x


class WithCoordinates(nn.Module):
    """Appends the coordinates of the grid, from −1 to 1: CoordConv, and the FNO's grid."""

    def forward(self, x: Tensor) -> Tensor:
        axes = [torch.linspace(-1, 1, n, dtype=x.dtype, device=x.device) for n in x.shape[2:]]
        grid = torch.stack(torch.meshgrid(*axes, indexing="ij"))
        return torch.cat((x, grid.expand(len(x), -1, -1, -1)), 1)


class Table(nn.Module):
    """x + p with a trainable p for every entry."""

    def __init__(self, *shape: int, size: float) -> None:
        super().__init__()
        self.table = nn.Parameter(size * torch.randn(shape))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.table


class ChannelNorm(nn.Module):
    """Layer normalisation over the channels of each point."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x.movedim(1, -1)).movedim(-1, 1)


class Spectral(nn.Module):
    """A linear map of the low Fourier modes, each by a matrix of its own: Li et al. 2021."""

    def __init__(self, channels: int, modes: int) -> None:
        super().__init__()
        self.modes = modes
        size = (channels, channels, 2 * modes, modes, 2)
        self.weight = nn.Parameter(torch.randn(size) / channels)

    def forward(self, x: Tensor) -> Tensor:
        m = self.modes
        spectrum = torch.fft.rfft2(x)
        weight = torch.view_as_complex(self.weight)
        low = torch.cat((spectrum[..., :m, :m], spectrum[..., -m:, :m]), 2)
        low = torch.einsum("bixy,ioxy->boxy", low, weight)
        out = torch.zeros_like(spectrum)
        out[..., :m, :m], out[..., -m:, :m] = low[..., :m, :], low[..., m:, :]
        return torch.fft.irfft2(out, s=x.shape[-2:])
