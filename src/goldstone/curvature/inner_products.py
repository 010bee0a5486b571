"""Inner products of rows in float64, without a float64 copy of them."""

import re

import torch
from torch import Tensor

from goldstone.core import InputError

# Numbers made float64 at a time: two slices stay in a CPU's cache, or keep a GPU busy.
_SLICE, _GPU_SLICE = 1 << 18, 1 << 25
_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def inner_products(a: Tensor, b: Tensor | None = None) -> Tensor:
    """Products a bᵀ, or a aᵀ, of rows a (m, p) and b (k, p): (m, k) in float64.

    A slice of columns at a time is made float64. Float32 products are not enough: the metrics weigh
    up directions with a small share of the gradients' energy, and their errors with them.

    Raises:
        InputError: the rows are of different lengths.
    """
    if b is not None and a.shape[1:] != b.shape[1:]:
        raise InputError(
            f"inner products: expected rows of one length, got {a.shape[-1]} and {b.shape[-1]}; "
            "take both sets of gradients in the same parameters"
        )
    others = len(a) if b is None else len(b)
    total = torch.zeros(len(a), others, dtype=torch.float64, device=a.device)
    size = _SLICE if a.device.type == "cpu" else _GPU_SLICE
    columns = max(512, size // max(len(a), others, 1))
    for start in range(0, a.shape[1], columns):
        left = a[:, start : start + columns].double()
        right = left if b is None else b[:, start : start + columns].double()
        total.addmm_(left, right.T)
    return total


def memory_bytes(text: str | int) -> int:
    """Bytes from a number or from text such as ``"2GB"`` or ``"512 MB"`` (powers of ten).

    Raises:
        InputError: the text is no positive size.
    """
    if isinstance(text, int):
        text = str(text)
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?B?)\s*", text.upper())
    if match is None or match[2] not in _UNITS or float(match[1]) <= 0:
        raise InputError(f"expected a positive size of memory such as '2GB', got {text!r}")
    return int(float(match[1]) * _UNITS[match[2]])


def chunk_rows(memory: str | int, row_length: int, dtype: torch.dtype = torch.float32) -> int:
    """How many rows of ``row_length`` numbers fit in ``memory``.

    Raises:
        InputError: not even one does.
    """
    row = row_length * dtype.itemsize
    rows = memory_bytes(memory) // row
    if rows < 1:
        raise InputError(
            f"one gradient of {row_length} numbers takes {row} bytes, more than the memory of "
            f"{memory!r} allowed; allow more, or audit fewer parameters"
        )
    return rows
