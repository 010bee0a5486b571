"""Values as they are typed on a command line."""

import ast
import json
from collections.abc import Sequence
from typing import Any

import torch

from goldstone.core import InputError


def key_values(entries: Sequence[str] | None) -> dict[str, Any]:
    """``["width=8", "modes=[4, 4]"]`` as keyword arguments.

    A value is read as Python (``[12, 12]``, ``None``), then as JSON (``true``), else as a string.

    Raises:
        InputError: an entry is no ``key=value``, or a key comes twice.
    """
    found: dict[str, Any] = {}
    for entry in entries or ():
        key, sign, text = entry.partition("=")
        if not sign or not key.strip().isidentifier():
            raise InputError(f"--set: expected KEY=VALUE such as base_channels=16, got {entry!r}")
        if key.strip() in found:
            raise InputError(f"--set: {key.strip()} is given twice; keep one")
        found[key.strip()] = _value(text.strip())
    return found


def _value(text: str) -> Any:
    for read in (ast.literal_eval, json.loads):
        try:
            return read(text)
        except (ValueError, SyntaxError):
            continue
    return text


def first_to_last(text: str | None) -> slice | None:
    """``"0:24"`` as a slice of trajectories; the last is not included.

    Raises:
        InputError: it is no such range.
    """
    if text is None:
        return None
    first, colon, last = text.partition(":")
    try:
        start, stop = int(first or 0), int(last) if last.strip() else None
    except ValueError:
        start, stop = -1, None
    if not colon or start < 0 or (stop is not None and stop <= start):
        raise InputError(
            "--trajectories: expected FIRST:LAST such as 0:24 (the last not included) or 24: for "
            f"all from the 25th on, got {text!r}"
        )
    return slice(start, stop)


def grid_size(text: str) -> tuple[int, int]:
    """``"64"`` as 64×64, ``"64x32"`` as 64×32.

    Raises:
        InputError: it is neither.
    """
    sides = text.lower().replace("×", "x").split("x")
    if not 1 <= len(sides) <= 2 or not all(s.strip().isdigit() and int(s) > 0 for s in sides):
        raise InputError(f"--grid: expected a size such as 64 or 64x32, got {text!r}")
    return int(sides[0]), int(sides[-1])


def two_lengths(text: str | None) -> tuple[float, float] | None:
    """``"2"`` as a square domain of side 2, ``"2,1"`` as one of 2 by 1.

    Raises:
        InputError: it is neither.
    """
    if text is None:
        return None
    try:
        sides = [float(side) for side in text.split(",")]
    except ValueError:
        sides = []
    if not 1 <= len(sides) <= 2:
        raise InputError(f"--lengths: expected sizes such as 1 or 2,1 (along x, y), got {text!r}")
    return sides[0], sides[-1]


def device_by_name(name: str) -> torch.device:
    """The device, once a number could be put on it.

    Raises:
        InputError: it is unknown or not available here.
    """
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, ValueError, NotImplementedError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"--device: cannot compute on {name!r} here ({reason}); use cpu"
        ) from error
    return device
