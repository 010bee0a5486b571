"""Sets and graphs of different sizes in one batch: masks that say which entries are real."""

import torch
from torch import Tensor

from goldstone.core import InputError


def check_sets(x: Tensor, channels: int, order: int, mask: Tensor | None) -> None:
    """Raise unless x is (batch, *order* axes of elements, channels) and the mask fits.

    Raises:
        InputError: another shape, or a mask that is not boolean (batch, element).
    """
    axes = ("batch", *("element",) * order, "channel")
    sizes = x.shape[1:-1]
    square = all(size == sizes[0] for size in sizes)
    if x.ndim != order + 2 or x.shape[-1] != channels or not square:
        raise InputError(
            f"expected features of shape ({', '.join(axes)}) with {channels} channels"
            f"{' and as many rows as columns' if order == 2 else ''}, got {tuple(x.shape)}"
        )
    if mask is None:
        return
    wanted = (x.shape[0], *sizes[:1]) if order else (x.shape[0], *mask.shape[1:2])
    if mask.dtype is not torch.bool or mask.shape != wanted or mask.ndim != 2:
        raise InputError(
            "expected a boolean mask of shape (batch, element), True where there is an element, "
            f"got {mask.dtype} of shape {tuple(mask.shape)} for features {tuple(x.shape)}"
        )


def real_entries(mask: Tensor, order: int) -> Tensor:
    """Which entries are real, boolean (batch, *order* axes of elements, 1)."""
    if order == 0:
        return torch.ones_like(mask[:, :1])
    if order == 1:
        return mask[:, :, None]
    return (mask[:, :, None] & mask[:, None, :])[..., None]


def without_padding(x: Tensor, mask: Tensor | None, order: int = 1) -> Tensor:
    """Put zeros at the padded entries of x, whatever was there, NaN included."""
    if mask is None or order == 0:
        return x
    return x.masked_fill(~real_entries(mask, order), 0)


def wide_dtype(x: Tensor) -> torch.dtype:
    """The dtype in which sums over many entries are made."""
    return torch.promote_types(x.dtype, torch.float32)


def number_of_elements(x: Tensor, mask: Tensor | None, size: int) -> Tensor:
    """Elements of each sample, (batch), in the dtype of sums; at least 1, so as to divide by."""
    dtype = wide_dtype(x)
    if mask is None:
        return torch.full((x.shape[0],), size, dtype=dtype, device=x.device).clamp(min=1)
    return mask.sum(1, dtype=dtype).clamp(min=1)


def mean_over_elements(x: Tensor, count: Tensor) -> Tensor:
    """(batch, element, channel) → (batch, channel); x is zero at its padded entries."""
    return x.sum(1, dtype=count.dtype) / count[:, None]
