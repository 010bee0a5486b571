"""Pairs of consecutive states of trajectories, drawn in an order that depends on seed and epoch."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from goldstone.actions import FieldLayout
from goldstone.core import InputError, check_finite, generator
from goldstone.systems.flows import Trajectories


@dataclass(frozen=True, eq=False)
class StepPairs:
    """All pairs (state at t, state at t + 1) of a tensor (trajectory, time, channel, X, Y)."""

    fields: Tensor

    def __len__(self) -> int:
        return self.fields.shape[0] * (self.fields.shape[1] - 1)

    def __getitem__(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs and targets, each (batch, channel, X, Y), of the pairs ``index`` (batch,)."""
        steps = self.fields.shape[1] - 1
        trajectory, time = index // steps, index % steps
        return self.fields[trajectory, time], self.fields[trajectory, time + 1]

    def shuffled(self, batch_size: int, seed: int, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches of one epoch, the last one smaller, in an order that seed and epoch decide."""
        order = torch.randperm(len(self), generator=generator(seed, "order", epoch))
        for index in torch.split(order, batch_size):
            yield self[index]

    def in_order(self, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches in the order of trajectory and time."""
        for index in torch.split(torch.arange(len(self)), batch_size):
            yield self[index]


def check_trajectories(
    data: Trajectories, layout: FieldLayout, grid: tuple[int, int], name: str
) -> StepPairs:
    """The pairs of ``data`` in float32, once it is known to suit an emulator.

    Raises:
        InputError: other fields or another grid than the emulator's, fewer than two states in a
            trajectory, no trajectory, NaN or infinite values.
    """
    fields = data.fields
    if fields.ndim != 5:
        raise InputError(
            f"{name}: expected fields of shape (trajectory, time, channel, X, Y), got "
            f"{tuple(fields.shape)}"
        )
    if fields.shape[2] != layout.channels or data.layout != layout:
        raise InputError(
            f"{name}: the emulator expects the fields {_describe(layout)} in {layout.channels} "
            f"channels, got {_describe(data.layout)} in {fields.shape[2]} channels; build the "
            "emulator with the layout of the data"
        )
    if tuple(fields.shape[-2:]) != tuple(grid):
        raise InputError(
            f"{name}: the emulator expects a grid of {grid[0]}×{grid[1]}, got "
            f"{fields.shape[-2]}×{fields.shape[-1]}; resample the data or "
            "change the emulator's grid"
        )
    if fields.shape[0] < 1 or fields.shape[1] < 2:
        raise InputError(
            f"{name}: expected one or more trajectories of at least 2 states (one step), got "
            f"{fields.shape[0]} of {fields.shape[1]}; simulate longer trajectories"
        )
    check_finite(fields, name)
    return StepPairs(fields.float())


def hash_of(data: Trajectories) -> str:
    """SHA-256 of the fields and of what describes them, in hexadecimal."""
    described = {
        "shape": list(data.fields.shape),
        "dtype": str(data.fields.dtype),
        "layout": data.layout.to_json(),
        "dt": data.dt,
        "lengths": list(data.lengths),
    }
    digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
    digest.update(data.fields.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _describe(layout: FieldLayout) -> str:
    return ", ".join(f"{field.name} ({field.fibre})" for field in layout.fields)
