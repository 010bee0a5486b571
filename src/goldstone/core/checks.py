"""Checks of user input, with errors that name what was expected, what came and the mend."""

import torch
from torch import Tensor

from goldstone.core.errors import InputError


def check_finite(tensor: Tensor, name: str) -> None:
    """Raise if ``tensor`` has a NaN or an infinity, naming the first place, or has no values."""
    if tensor.is_meta:
        raise InputError(
            f"{name}: expected numbers, got a tensor of shape {tuple(tensor.shape)} on the meta "
            "device, which has none; load the values first"
        )
    finite = torch.isfinite(tensor)
    if bool(finite.all()):
        return
    bad = int((~finite).sum())
    place = tuple(int(i) for i in (~finite).nonzero()[0])
    raise InputError(
        f"{name}: expected finite numbers, got {bad} NaN or infinite of {tensor.numel()} "
        f"(first at index {place}); remove or repair these samples"
    )


def check_grid_fields(tensor: Tensor, channels: int, name: str) -> None:
    """Raise unless ``tensor`` is a floating (batch, ``channels``, X, Y) tensor."""
    if tensor.ndim != 4:
        raise InputError(
            f"{name}: expected a tensor of shape (batch, channel, X, Y), got {tuple(tensor.shape)}"
        )
    if not tensor.dtype.is_floating_point:
        raise InputError(
            f"{name}: expected floating-point fields, got {tensor.dtype}; call .float()"
        )
    if tensor.shape[1] != channels:
        raise InputError(
            f"{name}: expected {channels} channels as the field layout declares, got "
            f"{tensor.shape[1]}; declare the fields of the data or choose its channels"
        )


def check_square_grid(size: tuple[int, int], name: str) -> None:
    """Raise unless the grid is square, as quarter turns and diagonal reflections need."""
    if size[0] != size[1]:
        raise InputError(
            f"{name}: a quarter turn or diagonal reflection needs a square grid, got "
            f"{size[0]}×{size[1]}; use the symmetry 'd2' (half turn and axis reflections) or a "
            "square crop"
        )
