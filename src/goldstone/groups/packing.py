"""Elements of products of groups: several elements laid side by side in one tensor axis."""

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor

from goldstone.groups.group import Group


def packed_size(groups: Sequence[Group[Any]]) -> int:
    """Numbers in one element of each group."""
    return sum(prod(group.element_shape) for group in groups)


def pack(groups: Sequence[Group[Any]], parts: Sequence[Tensor]) -> Tensor:
    """Tensors of elements of each group as one tensor (*batch, size), batches broadcast."""
    flat = [
        _reshaped(part, group.element_shape, (prod(group.element_shape),))
        for group, part in zip(groups, parts, strict=True)
    ]
    batches = {part.shape[:-1] for part in flat}
    if len(batches) > 1:
        common = np.broadcast_shapes(*batches)
        flat = [part.expand((*common, -1)) for part in flat]
    return torch.cat(flat, -1)


def unpack(groups: Sequence[Group[Any]], packed: Tensor) -> list[Tensor]:
    """The inverse of :func:`pack`; integer elements that travelled as floats become integers."""
    sizes = [prod(group.element_shape) for group in groups]
    return [
        _as_element(group, part)
        for group, part in zip(groups, torch.split(packed, sizes, -1), strict=True)
    ]


def encode(groups: Sequence[Group[Any]], value: Sequence[Any]) -> list[Any]:
    """The value of a product, one value for each group, as a flat list of numbers.

    Raises:
        ValueError: the value has another number of parts or a part another shape.
    """
    numbers: list[Any] = []
    for group, part in zip(groups, value, strict=True):
        numbers += _flatten(group.numbers_of(part), group.element_shape)
    return numbers


def decode(groups: Sequence[Group[Any]], numbers: Sequence[Any]) -> tuple[Any, ...]:
    """The inverse of :func:`encode`."""
    rest = iter(numbers)
    return tuple(
        group.value_of(_nest(rest, group.element_shape, group.element_dtype)) for group in groups
    )


def _flatten(nested: Any, shape: tuple[int, ...]) -> list[Any]:
    if not shape:
        return [nested]
    if len(nested) != shape[0]:
        raise ValueError(f"expected {shape[0]} entries, got {nested!r}")
    return [number for part in nested for number in _flatten(part, shape[1:])]


def _nest(numbers: Iterator[Any], shape: tuple[int, ...], dtype: torch.dtype) -> Any:
    if shape:
        return [_nest(numbers, shape[1:], dtype) for _ in range(shape[0])]
    number = next(numbers)
    if dtype.is_complex:
        return complex(number)
    real = number.real
    return float(real) if dtype.is_floating_point else round(real)


def _reshaped(a: Tensor, before: tuple[int, ...], after: tuple[int, ...]) -> Tensor:
    """The last axes, of shape ``before``, in the shape ``after``."""
    return a if before == after else a.reshape((*a.shape[: a.dim() - len(before)], *after))


def _as_element(group: Group[Any], part: Tensor) -> Tensor:
    shaped = _reshaped(part, part.shape[-1:], group.element_shape)
    if group.element_dtype.is_complex:
        return shaped
    real = shaped.real if shaped.is_complex() else shaped
    integer = not group.element_dtype.is_floating_point
    return real.round().long() if integer and real.is_floating_point() else real
