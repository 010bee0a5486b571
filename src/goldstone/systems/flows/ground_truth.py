"""What every flow solver offers: the true evolution of a state, batched."""

import math
from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor

from goldstone.actions import FieldLayout
from goldstone.core import InputError


class GroundTruth(Protocol):
    """The evolution law of a flow.

    ``advance`` must be a deterministic map of each sample alone: which other samples share its
    batch changes its result by no more than rounding.
    """

    @property
    def system(self) -> str:
        """Name of the law, such as ``navier-stokes``."""
        ...

    @property
    def layout(self) -> FieldLayout:
        """What the channels of a state are."""
        ...

    @property
    def lengths(self) -> tuple[float, float]:
        """Size of the periodic domain along the two spatial axes."""
        ...

    @property
    def parameters(self) -> Mapping[str, float]:
        """Physical parameters, such as ``viscosity``."""
        ...

    def advance(self, state: Tensor, duration: float) -> Tensor:
        """The state (batch, channel, X, Y) a time ``duration`` later."""
        ...


def rollout(ground_truth: GroundTruth, state: Tensor, dt: float, steps: int) -> Tensor:
    """The state and the next ``steps`` ones, ``dt`` apart: (batch, 1 + steps, channel, X, Y)."""
    snapshots = [state]
    for _ in range(steps):
        snapshots.append(ground_truth.advance(snapshots[-1], dt))
    return torch.stack(snapshots, dim=1)


def check_duration(duration: float) -> None:
    """Raise unless ``duration`` is finite and not negative."""
    if not math.isfinite(duration) or duration < 0:
        raise InputError(
            f"duration: expected a finite time of zero or more, got {duration}; "
            "flows with viscosity or shocks cannot be run backwards"
        )


def check_lengths(lengths: tuple[float, float]) -> None:
    """Raise unless ``lengths`` are two positive finite numbers."""
    if len(lengths) != 2 or not all(math.isfinite(size) and size > 0 for size in lengths):
        raise InputError(
            f"lengths: expected two positive sizes of the domain, such as (1.0, 1.0), got {lengths}"
        )
