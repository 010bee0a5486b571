"""Arithmetic that mixed precision would spoil."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor


def full_precision(x: Tensor) -> AbstractContextManager[object]:
    """A context without mixed precision on the device of x.

    Elements of groups and poses are made in it: in half precision they are off by a percent, and
    all that is moved by them is.
    """
    kind = x.device.type
    if not torch.amp.is_autocast_available(kind):
        return nullcontext()
    return torch.autocast(kind, enabled=False)
