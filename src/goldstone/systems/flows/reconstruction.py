"""Face values of a finite-volume field by piecewise linear reconstruction (MUSCL)."""

import torch
from torch import Tensor


def pad_periodic(field: Tensor, dim: int, width: int) -> Tensor:
    """The field with ``width`` cells of its periodic continuation at both ends of ``dim``."""
    size = field.shape[dim]
    return torch.cat(
        (field.narrow(dim, size - width, width), field, field.narrow(dim, 0, width)), dim
    )


def monotonized_central(backward: Tensor, forward: Tensor) -> Tensor:
    """The slope per cell of van Leer's monotonized central limiter.

    minmod(2a, 2b, (a + b)/2) of the differences a, b to the neighbours (van Leer, *J. Comput.
    Phys.* 23, 1977): zero at extrema, and face values never leave the range of the neighbours,
    so that positive fields have positive face values.
    """
    size = torch.minimum(
        2 * torch.minimum(backward.abs(), forward.abs()), (backward + forward).abs() / 2
    )
    return torch.where(backward * forward > 0, size.copysign(forward), 0)


def face_values(field: Tensor, dim: int, flat: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """The field just left and right of the n + 1 faces along ``dim`` of n periodic cells.

    Face k lies between cells k − 1 and k; face n is face 0 again. Where ``flat`` (broadcastable
    to ``field``) is true the slope is zero: first order.
    """
    padded = pad_periodic(field, dim, 2)
    difference = padded.diff(dim=dim)
    cells = field.shape[dim] + 2
    half_slope = 0.5 * monotonized_central(
        difference.narrow(dim, 0, cells), difference.narrow(dim, 1, cells)
    )
    if flat is not None:
        half_slope = half_slope * ~pad_periodic(flat, dim, 1)
    centre = padded.narrow(dim, 1, cells)
    left = (centre + half_slope).narrow(dim, 0, cells - 1)
    right = (centre - half_slope).narrow(dim, 1, cells - 1)
    return left, right
