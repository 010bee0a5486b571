"""Continuation of grid fields beyond their edges."""

from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional

from goldstone.core import InputError

PaddingMode = Literal["circular", "zeros", "reflect"]
"""How a field goes on beyond the grid: periodically, as zeros, or mirrored at its last points."""


def check_padding_mode(mode: str) -> None:
    """Raise for an unknown padding mode.

    Raises:
        InputError: it is unknown.
    """
    if mode not in get_args(PaddingMode):
        raise InputError(
            f"expected a padding mode of {', '.join(get_args(PaddingMode))}, got {mode!r}"
        )


def pad_grid(x: Tensor, margin: int, mode: PaddingMode) -> Tensor:
    """Continue a field (batch, channel, *grid) by ``margin`` points on each side of the grid.

    All modes commute with quarter turns and reflections about the centre of the grid.
    """
    if margin == 0:
        return x
    if mode == "circular" and x.ndim == 4:
        return circular_pad(x, margin)
    known = {"zeros": "constant", "reflect": "reflect", "circular": "circular"}
    return functional.pad(x, (margin,) * (2 * (x.ndim - 2)), mode=known[mode])


def circular_pad(x: Tensor, margin: int) -> Tensor:
    """Continue a periodic field by ``margin`` points on each side of its last two axes."""
    if margin == 0:
        return x
    if min(x.shape[-2:]) < 2 * margin:
        return functional.pad(x, (margin,) * 4, mode="circular")
    # The same by splitting and joining: its derivative needs no scattering into zeros, which
    # halves the cost of small convolutions on CPUs.
    for axis in (-2, -1):
        size = x.shape[axis]
        first, middle, last = torch.split(x, [margin, size - 2 * margin, margin], dim=axis)
        x = torch.cat([last, first, middle, last, first], dim=axis)
    return x
