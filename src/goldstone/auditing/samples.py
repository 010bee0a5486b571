"""Which parts of the data an audit looks at."""

from dataclasses import dataclass

import torch
from torch import Tensor

from goldstone.actions import Context
from goldstone.auditing.settings import FEWEST_AUDITED, FEWEST_REFERENCE, AuditSettings
from goldstone.core import InputError, check_finite
from goldstone.systems.flows import Trajectories


@dataclass(frozen=True, eq=False)
class Samples:
    """The audited pairs and what they are compared with.

    Attributes:
        inputs, targets: (n, channel, X, Y), ``snapshots`` of each audited trajectory.
        trajectory: (n,) which trajectory each comes from; the unit of the bootstrap.
        gradient: (m,) indices of one pair per trajectory, all at the same time.
        reference: inputs of other trajectories, which define the Gauss–Newton metric.
        starts: first states of the audited trajectories, for rollouts.
        climatology: the mean target of all the data, (1, channel, X, Y).
        context: the frame of one step.
    """

    inputs: Tensor
    targets: Tensor
    trajectory: Tensor
    gradient: Tensor
    reference: Tensor
    starts: Tensor
    climatology: Tensor
    context: Context

    @property
    def trajectories(self) -> int:
        """Number of audited trajectories."""
        return int(self.gradient.numel())


def choose_samples(
    data: Trajectories | tuple[Tensor, Tensor],
    settings: AuditSettings,
    device: torch.device,
    dtype: torch.dtype,
) -> Samples:
    """The first trajectories are audited, those after them are the reference.

    A pair (inputs, targets) of tensors counts as one trajectory per sample.

    Raises:
        InputError: fewer trajectories than a null needs, NaN, or inputs and targets that do not
            belong together.
    """
    if isinstance(data, tuple):
        inputs, targets = data
        if len(inputs) != len(targets):
            raise InputError(
                f"expected as many targets as inputs, got {len(inputs)} inputs and {len(targets)} targets"
            )
        check_finite(inputs, "inputs")
        check_finite(targets, "targets")
        before, after, context = inputs[:, None], targets[:, None], Context()
    else:
        before, after, context = data.fields[:, :-1], data.fields[:, 1:], data.context
    audited, reference = _split(len(before), settings)
    times = _spread(before.shape[1], settings.snapshots)
    middle = len(times) // 2

    def place(x: Tensor) -> Tensor:
        return x.to(device=device, dtype=dtype).contiguous()

    return Samples(
        inputs=place(before[:audited, times].flatten(0, 1)),
        targets=place(after[:audited, times].flatten(0, 1)),
        trajectory=torch.arange(audited).repeat_interleave(len(times)),
        gradient=torch.arange(audited) * len(times) + middle,
        reference=place(before[audited : audited + reference, times[middle]]),
        starts=place(before[:audited, 0]),
        climatology=place(after.double().mean((0, 1))[None]),
        context=context,
    )


def _split(available: int, settings: AuditSettings) -> tuple[int, int]:
    least = FEWEST_AUDITED + FEWEST_REFERENCE
    if available < least:
        raise InputError(
            f"expected at least {least} trajectories ({FEWEST_AUDITED} audited, so that pairs of "
            f"distinct trajectories can give a null, and {FEWEST_REFERENCE} for reference), got "
            f"{available}; simulate or load more"
        )
    reference = min(settings.reference, max(FEWEST_REFERENCE, available // 3))
    return min(settings.samples, available - reference), reference


def _spread(steps: int, count: int) -> list[int]:
    """Up to ``count`` distinct times, evenly over the trajectory."""
    count = min(count, steps)
    return sorted({(2 * i + 1) * steps // (2 * count) for i in range(count)})
