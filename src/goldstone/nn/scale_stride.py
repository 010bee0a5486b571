"""What a stride costs a convolution over scales where it loses the centre of the grid."""

import torch
from torch import Tensor

from goldstone.nn.window_geometry import Window


def displacement(window: Window, grid: tuple[int, ...], factor: float) -> str:
    """How far features are moved when the image is enlarged about its centre, in words."""
    if window.mode == "circular":
        return ""
    rest = max((n + 2 * window.padding - window.extent) % window.stride for n in grid)
    return (
        f". The centre is off by {rest / 2:g} points, so that enlarging by {factor:.3g} moves "
        f"features by {(factor - 1) * rest / 2:.2g}"
    )


def noise_like(x: Tensor, parameter: Tensor) -> Tensor:
    """One sample of noise of the shape of x, of the dtype and device of a parameter."""
    noise = torch.randn((1, *x.shape[1:]), generator=torch.Generator().manual_seed(0))
    return noise.to(parameter)
