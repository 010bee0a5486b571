"""The arrays of an audit, checked before they are drawn; each may be missing."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goldstone.core import InputError


def array(
    arrays: Mapping[str, NDArray[Any]], name: str, *shape: int | None
) -> NDArray[np.float64] | None:
    """The array ``name`` as float64, or None if the audit has none or an empty one.

    Args:
        arrays: those of the audit.
        name: the array's name.
        shape: its expected shape; None stands for any length.

    Raises:
        InputError: it has another shape or does not hold numbers.
    """
    if name not in arrays or arrays[name].size == 0:
        return None
    value = arrays[name]
    if len(shape) != value.ndim or any(
        n is not None and n != m for n, m in zip(shape, value.shape, strict=True)
    ):
        expected = "×".join("any" if n is None else str(n) for n in shape)
        raise InputError(
            f"audit.npz: expected {name} of shape {expected}, got {value.shape}; run the audit "
            "again"
        )
    if value.dtype.kind not in "fiub":
        raise InputError(f"audit.npz: expected numbers in {name}, got {value.dtype}")
    return value.astype(np.float64)


def names(arrays: Mapping[str, NDArray[Any]], name: str) -> tuple[str, ...]:
    """An array of names; empty if there is none."""
    if name not in arrays:
        return ()
    return tuple(str(entry) for entry in arrays[name].ravel())
