"""How far samples of a Lie group are from each other, in units for each coordinate."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import LieGroup

Scales = float | Sequence[float]
"""A unit for each coordinate of the Lie algebra, or one for all."""


def coordinate_scales(group: LieGroup[Any], scales: Scales) -> tuple[float, ...]:
    """One unit for each coordinate.

    Raises:
        InputError: another number of them, or one that is not positive.
    """
    d = group.dimension
    units = (float(scales),) * d if isinstance(scales, int | float) else tuple(scales)
    if len(units) != d or not all(unit > 0 for unit in units):
        raise InputError(
            f"expected one positive scale or one for each of {', '.join(group.basis_names)}, got "
            f"{scales}"
        )
    return units


def check_samples(group: LieGroup[Any], elements: Tensor, targets: Tensor) -> None:
    """Raise unless both are samples (batch, ·, *element shape) of one batch.

    Raises:
        InputError: they are not.
    """
    rank = len(group.element_shape)
    for samples in (elements, targets):
        group.check_form(samples)
        if samples.ndim != 2 + rank or len(samples) != len(elements):
            raise InputError(
                "expected samples (batch, n, *element shape) and targets of the same batch, got "
                f"{tuple(elements.shape)} and {tuple(targets.shape)}"
            )


def logarithms(group: LieGroup[Any], steps: Tensor) -> Tensor:
    """The logarithms of steps from sample to sample.

    Raises:
        InputError: one has none, with what to do about it.
    """
    try:
        return group.log(steps)
    except InputError as error:
        raise InputError(
            f"two samples have no relative logarithm: {error}; draw others, an odd number of "
            "evenly spaced ones, or samples of one component"
        ) from error


def distances(group: LieGroup[Any], steps: Tensor, scales: tuple[float, ...]) -> Tensor:
    """‖log(step)/scales‖, (*batch)."""
    algebra = logarithms(group, steps)
    units = torch.tensor(scales, dtype=algebra.dtype, device=algebra.device)
    lengths: Tensor = torch.linalg.vector_norm(algebra / units, dim=-1)
    return lengths
