"""Keeping the order in which a tensor's numbers lie in memory."""

import torch
from torch import Tensor

_CHANNELS_LAST = {4: torch.channels_last, 5: torch.channels_last_3d}


def in_format_of(x: Tensor, y: Tensor) -> Tensor:
    """Y with its channels last in memory if x has them so, as torch's own layers do."""
    last = _CHANNELS_LAST.get(x.ndim)
    if last is None or x.is_contiguous() or not x.is_contiguous(memory_format=last):
        return y
    return y.contiguous(memory_format=last)
