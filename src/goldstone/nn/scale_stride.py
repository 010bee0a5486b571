"""What a stride costs a convolution over scales where it loses the centre of the grid."""

from collections.abc import Callable

import torch
from torch import Tensor

from goldstone.actions import Pivot
from goldstone.nn.turning_error import turning_error
from goldstone.nn.window_geometry import Window
from goldstone.representations import Representation


def displacement(window: Window, grid: tuple[int, ...], factor: float) -> str:
    """How far features are moved when the image is enlarged about its centre, in words."""
    if window.mode == "circular":
        return ""
    rest = max((n + 2 * window.padding - window.extent) % window.stride for n in grid)
    return (
        f". The centre is off by {rest / 2:g} points, so that enlarging by {factor:.3g} moves "
        f"features by {(factor - 1) * rest / 2:.2g}"
    )


def turning_error_over_scales(
    layer: Callable[[Tensor], Tensor],
    source: Representation,
    target: Representation,
    x: Tensor,
    pivot: Pivot,
) -> float | None:
    """:func:`turning_error` of a layer to fields over scales.

    Its input x are images (1, channel, X, Y) or fields over scales (1, channel, scale, X, Y).
    """
    over_scales = x.ndim == 5

    def scales_as_batch(x: Tensor) -> Tensor:
        inputs = x.transpose(0, 1)[None] if over_scales else x
        return layer(inputs)[0].transpose(0, 1)

    images = x[0].transpose(0, 1) if over_scales else x
    return turning_error(scales_as_batch, source, target, images, pivot)


def noise_like(x: Tensor, parameter: Tensor) -> Tensor:
    """One sample of noise of the shape of x, of the dtype and device of a parameter."""
    noise = torch.randn((1, *x.shape[1:]), generator=torch.Generator().manual_seed(0))
    return noise.to(parameter)
