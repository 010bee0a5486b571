"""Downsampling without aliasing that keeps the fixed point of the grid."""

from math import comb
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from goldstone.actions import Pivot
from goldstone.core import InputError
from goldstone.groups.integers import is_count
from goldstone.nn.constants import Constants, computed_on_cpu
from goldstone.nn.padding import PaddingMode, pad_grid
from goldstone.nn.window_geometry import Window


class BlurPool2d(Constants):
    """Every channel blurred by a binomial window, then every ``stride``-th point kept.

    The window commutes with quarter turns and reflections, and blurring first keeps the output
    from depending on how the grid lies (Zhang 2019, "Making convolutional networks
    shift-invariant again"). It acts on all components alike, so it suits any representation.

    By default it has 2·stride taps about the cell (one less if the stride is odd), and
    2·stride − 1 about the node of a periodic field; the padding is such that grid/stride points
    come out. On a grid whose size is not a multiple of the stride a non-periodic field needs an odd
    window, see ``size``.

    Args:
        stride: of the output's points.
        size: taps along an axis; even for grids of a size that is a multiple of an even stride,
            odd where size − 1 is a multiple of it (such as 29 points with stride 2).
        padding_mode: how fields go on beyond the edge. With zeros the edge darkens.
        pivot: the fixed point that is kept.

    Raises:
        InputError: a stride below 1, or a size that keeps the fixed point on no grid; at the call,
            a grid on which it is lost.
    """

    window_weights: Tensor
    axes: ClassVar[int] = 2

    @computed_on_cpu
    def __init__(
        self,
        stride: int = 2,
        size: int | None = None,
        *,
        padding_mode: PaddingMode = "circular",
        pivot: Pivot = "cell",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if not is_count(stride):
            raise InputError(f"expected a positive stride, got {stride!r}")
        if size is None:
            size = 2 * stride - (pivot == "node" or stride % 2)
        if not is_count(size):
            raise InputError(f"expected a positive size, got {size!r}")
        matched = pivot == "cell" and (size - stride) % 2 == 0
        padding = max(size - stride, 0) // 2 if matched else (size - 1) // 2
        window = Window(size, stride, 1, padding, padding_mode, pivot)
        if window.flaw is not None:
            raise InputError(f"{type(self).__name__}: {window.flaw}")
        self.window, self.pivot, self.stride = window, pivot, stride
        row = torch.tensor([comb(size - 1, k) for k in range(size)], dtype=torch.float64)
        self.register_constant("window_weights", row / row.sum())
        self.cast(device, dtype or torch.get_default_dtype())

    def forward(self, x: Tensor) -> Tensor:
        """Blur and thin out (batch, channels, X, Y)."""
        if x.ndim != 2 + self.axes:
            raise InputError(
                f"expected fields (batch, channel) on {self.axes} axes, got {tuple(x.shape)}"
            )
        self.window.check_fits(tuple(x.shape[2:]))
        flaw = self.window.flaw_on(tuple(x.shape[2:]), (True,) * self.axes)
        if flaw is not None:
            parity = "odd" if self.window.size % 2 == 0 else "even"
            raise InputError(f"{type(self).__name__}: {flaw}; or a window of {parity} size")
        channels = x.shape[1]
        x = pad_grid(x, self.window.padding, self.window.mode)
        convolve = functional.conv2d if self.axes == 2 else functional.conv3d
        # The window is a product: one axis after the other costs 2·size products, not size².
        for axis in range(self.axes):
            along = [self.window.size if a == axis else 1 for a in range(self.axes)]
            stride = [self.stride if a == axis else 1 for a in range(self.axes)]
            weight = self.window_weights.to(x.dtype).reshape(along).expand(channels, 1, *along)
            x = convolve(x, weight, stride=stride, groups=channels)
        return x

    def extra_repr(self) -> str:
        """Shown by print."""
        return f"{self.window.description}, about the {self.pivot}"


class BlurPool3d(BlurPool2d):
    """:class:`BlurPool2d` for fields in space, (batch, channels, X, Y, Z)."""

    axes = 3
