"""Parallel transport along the links of a periodic lattice."""

from collections.abc import Iterator

import torch
from torch import Tensor

from goldstone.core import InputError


def lattice_axes(links: Tensor) -> int:
    """Number of axes of the lattice of links (batch, axis, *lattice, n, n).

    Raises:
        InputError: the tensor has another form, or is not complex.
    """
    axes = links.dim() - 4
    if (
        axes < 1
        or links.shape[1] != axes
        or links.shape[-1] != links.shape[-2]
        or not links.is_complex()
    ):
        raise InputError(
            "expected complex links (batch, axis, *lattice, n, n) with as many axes as the lattice "
            f"has, got {tuple(links.shape)} of {links.dtype}"
        )
    return axes


def check_loops(links: Tensor, loops: Tensor, channels: int) -> None:
    """Raise unless ``loops`` (batch, channels, *lattice, n, n) live on the links' lattice.

    Raises:
        InputError: they do not.
    """
    lattice_axes(links)
    expected = (links.shape[0], channels, *links.shape[2:])
    if tuple(loops.shape) != expected or loops.dtype != links.dtype:
        raise InputError(
            f"expected loops of shape {expected} and dtype {links.dtype}, as the links and "
            f"{channels} channels ask for, got {tuple(loops.shape)} of {loops.dtype}"
        )


def transported(links: Tensor, loops: Tensor, reach: int) -> Iterator[Tensor]:
    """U_{x→x+kμ} W_{x+kμ} U†_{x→x+kμ}, for each axis μ k = 1 … reach, then −1 … −reach.

    The product of the links along a straight line carries the matrices W at its end to x, where
    they turn with Ω_x.
    """
    axes = links.dim() - 4
    for axis in range(axes):
        link = links[:, axis : axis + 1]
        # Sites along μ are axis 2 + μ of both tensors.
        ahead = behind = loops
        for _ in range(reach):
            ahead = link @ ahead.roll(-1, 2 + axis) @ link.mH
            yield ahead
        back = link.roll(1, 2 + axis)
        for _ in range(reach):
            behind = back.mH @ behind.roll(1, 2 + axis) @ back
            yield behind


def mixed(weight: Tensor, loops: Tensor) -> Tensor:
    """Σ_j ω_ij W_j over the channels, by one product of matrices."""
    # Not len(), which an exporter takes for a fixed number.
    shape = (loops.shape[0], weight.shape[0], *loops.shape[2:])
    return torch.matmul(weight, loops.flatten(2)).reshape(shape)
