"""The data set of flows: snapshots of many trajectories, with all that is known of them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from goldstone.actions import Context, FieldLayout
from goldstone.core import InputError, check_finite
from goldstone.systems.flows.ground_truth import check_lengths


@dataclass(frozen=True, eq=False)
class Trajectories:
    """Snapshots of flows on a periodic grid.

    Attributes:
        fields: (trajectory, time, channel, X, Y), floating point and finite.
        layout: what the channels are.
        dt: time between snapshots.
        lengths: size of the periodic domain along both axes.
        system: the law they obey, such as ``navier-stokes``; ``unknown`` if it is not known.
        parameters: physical parameters, such as ``viscosity`` or ``gamma``.
        initial_condition: name of the distribution of the first snapshots (before any warm-up).
        seed: seed of the draw, if known.

    Raises:
        InputError: on construction, if the parts do not fit one another.
    """

    fields: Tensor
    layout: FieldLayout
    dt: float
    lengths: tuple[float, float] = (1.0, 1.0)
    system: str = "unknown"
    parameters: Mapping[str, float] = field(default_factory=dict)
    initial_condition: str = "unknown"
    seed: int | None = None

    def __post_init__(self) -> None:
        shape = tuple(self.fields.shape)
        if self.fields.ndim != 5:
            raise InputError(
                f"fields: expected the shape (trajectory, time, channel, X, Y), got {shape}; "
                "a single trajectory needs a leading axis of size 1"
            )
        if not self.fields.dtype.is_floating_point:
            raise InputError(f"fields: expected floating-point numbers, got {self.fields.dtype}")
        if shape[1] < 2:
            raise InputError(
                f"fields: expected two snapshots or more per trajectory, got {shape[1]}; "
                "one step of an emulator needs a state and the next one"
            )
        if shape[2] != self.layout.channels:
            raise InputError(
                f"fields: expected the {self.layout.channels} channels "
                f"({', '.join(self.layout.channel_names())}) of the declared layout, got "
                f"{shape[2]}; declare the layout of your data, or move the "
                "channels to the third axis"
            )
        if 0 in shape:
            raise InputError(f"fields: expected at least one number, got the shape {shape}")
        if not (math.isfinite(self.dt) and self.dt > 0):
            raise InputError(f"dt: expected a positive time between snapshots, got {self.dt}")
        check_lengths(self.lengths)
        check_finite(self.fields, "fields")

    def __len__(self) -> int:
        """Number of trajectories."""
        return int(self.fields.shape[0])

    @property
    def steps(self) -> int:
        """Number of transitions per trajectory, one less than its snapshots."""
        return int(self.fields.shape[1]) - 1

    @property
    def grid(self) -> tuple[int, int]:
        """Grid points along both axes."""
        return int(self.fields.shape[3]), int(self.fields.shape[4])

    @property
    def context(self) -> Context:
        """The frame of one emulator step on these data."""
        return Context(dt=self.dt, lengths=self.lengths, parameters=self.parameters)

    def select(self, trajectories: slice | Sequence[int]) -> "Trajectories":
        """Some of the trajectories, in the order given."""
        return replace(self, fields=self.fields[trajectories])

    def transitions(self) -> tuple[Tensor, Tensor, Tensor]:
        """Every state with the next one, and the index of its trajectory.

        Shapes (n, channel, X, Y) twice and (n,) with n = trajectories × steps, in their order.
        """
        before = self.fields[:, :-1].flatten(0, 1)
        after = self.fields[:, 1:].flatten(0, 1)
        return before, after, torch.arange(len(self)).repeat_interleave(self.steps)
