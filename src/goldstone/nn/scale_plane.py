"""How filters of several sizes move over one grid: strides, edges, the centre."""

from dataclasses import dataclass, field
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from goldstone.actions import Pivot
from goldstone.core import InputError
from goldstone.nn.padding import PaddingMode, check_padding_mode, pad_grid
from goldstone.nn.scale_plain import cropped
from goldstone.nn.window_geometry import Window

Padding = Literal["same", "valid"]
"""As many points as before at stride 1, or only those that filters of all scales reach."""


@dataclass(frozen=True)
class ScalePlane:
    """Windows of growing size that stop at the same points.

    Attributes:
        margins: taps on each side of the middle one, at each scale.
        stride: of the output's points.
        padding: see :data:`Padding`.
        mode: how fields go on where they are padded.
        pivot: the fixed point that is kept: point 0 of strided periodic fields, else the middle.

    Raises:
        InputError: an unknown padding or mode, or a stride below 1.
    """

    margins: tuple[int, ...]
    stride: int
    padding: Padding
    mode: PaddingMode
    pivot: Pivot = field(init=False)
    windows: tuple[Window, ...] = field(init=False)

    def __post_init__(self) -> None:
        check_padding_mode(self.mode)
        if self.padding not in get_args(Padding):
            raise InputError(f"expected the padding 'same' or 'valid', got {self.padding!r}")
        same = self.padding == "same"
        mode: PaddingMode = self.mode if same else "zeros"
        pivot: Pivot = "node" if self.stride != 1 and mode == "circular" else "cell"
        windows = tuple(
            Window(2 * margin + 1, self.stride, 1, margin if same else 0, mode, pivot)
            for margin in self.margins
        )
        object.__setattr__(self, "pivot", pivot)
        object.__setattr__(self, "windows", windows)

    def seen(self, x: Tensor, scale: int, scales: int) -> tuple[Tensor, int]:
        """What filters of one scale, of so many, move over; and the zeros still to be added."""
        window = self.windows[scale]
        if self.padding == "valid":
            return cropped(x, self.margins[scales - 1] - self.margins[scale]), 0
        if window.mode == "zeros":  # A convolution adds them faster.
            return x, window.padding
        return pad_grid(x, window.padding, window.mode), 0

    def folded(self, weight: Tensor, bias: Tensor | None, scale: int) -> nn.Conv2d:
        """An ordinary convolution with this weight (out, in, size, size), of what is seen."""
        window = self.windows[scale]
        plain = nn.Conv2d(
            weight.shape[1],
            weight.shape[0],
            window.size,
            self.stride,
            window.padding,
            bias=bias is not None,
            padding_mode=window.mode,
            device=weight.device,
            dtype=weight.dtype,
        )
        with torch.no_grad():
            plain.weight.copy_(weight)
            if plain.bias is not None and bias is not None:
                plain.bias.copy_(bias)
        return plain

    def check_size(self, grid: tuple[int, ...], scales: int) -> None:
        """Raise unless the grid has room for the filters of so many scales.

        Raises:
            InputError: it has not.
        """
        margin, window = self.margins[scales - 1], self.windows[scales - 1]
        fewest = {"reflect": margin + 1, "circular": margin}.get(window.mode, 1)
        if self.padding == "valid":
            fewest = window.size
        if min(grid) < fewest:
            raise InputError(
                f"the largest filter has {margin} taps on each side, for which {self.padding} "
                f"padding with {self.mode} needs {fewest} points or more, got a grid of {grid}; "
                "use fewer scales, a smaller sigma or extent, or same padding with zeros"
            )

    def flaw_on(self, grid: tuple[int, ...], scales: int, factor: float) -> str | None:
        """Why the centre of this grid is lost, how far enlarging by the factor is off, or None."""
        window = self.windows[scales - 1]
        flaw = None if self.stride == 1 else window.flaw_on(grid, (True, True))
        if flaw is None or window.mode == "circular":
            return flaw
        rest = max((n + 2 * window.padding - window.extent) % self.stride for n in grid)
        return (
            f"{flaw}. The centre is off by {rest / 2:g} points, so that enlarging by {factor:.3g} "
            f"moves features by {(factor - 1) * rest / 2:.2g}"
        )
