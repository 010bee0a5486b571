"""Continuation of grid fields beyond their edges."""

from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional

from goldstone.core import InputError

PaddingMode = Literal["replicate", "circular", "zeros", "reflect"]
"""How a field goes on: as its last points, periodically, as zeros, or mirrored at these points."""


def check_padding_mode(mode: str) -> None:
    """Raise for an unknown padding mode.

    Raises:
        InputError: it is unknown.
    """
    first, *others = get_args(PaddingMode)
    if mode not in (first, *others):
        raise InputError(f"expected {first} or a padding mode of {', '.join(others)}, got {mode!r}")


def pad_grid(x: Tensor, margin: int, mode: PaddingMode) -> Tensor:
    """Continue a field (batch, channel, *grid) by ``margin`` points on each side of the grid.

    All modes commute with quarter turns and reflections about the centre of the grid.
    """
    if margin == 0:
        return x
    axes = x.ndim - 2
    if mode == "circular":
        return circular_pad(x, margin, axes)
    known = {"zeros": "constant", "reflect": "reflect", "replicate": "replicate"}
    return functional.pad(x, (margin,) * (2 * axes), mode=known[mode])


def circular_pad(x: Tensor, margin: int, axes: int = 2) -> Tensor:
    """Continue a periodic field by ``margin`` points on each side of its last ``axes`` axes."""
    if margin == 0:
        return x
    if min(x.shape[-axes:]) < 2 * margin:
        return functional.pad(x, (margin,) * (2 * axes), mode="circular")
    # The same by splitting and joining: its derivative needs no scattering into zeros, which
    # halves the cost of small convolutions on CPUs, and channels stay last in memory.
    for axis in range(-axes, 0):
        size = x.shape[axis]
        first, middle, last = torch.split(x, [margin, size - 2 * margin, margin], dim=axis)
        x = torch.cat([last, first, middle, last, first], dim=axis)
    return x
