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
    """Pairs of a state and the next one.

    Attributes:
        inputs, targets: (n, channel, X, Y).
        trajectory: (n,) which trajectory each comes from; the unit of the bootstrap.
        context: the frame of one step.
    """

    inputs: Tensor
    targets: Tensor
    trajectory: Tensor
    context: Context

    @property
    def trajectories(self) -> int:
        """Number of trajectories."""
        return int(self.trajectory.max()) + 1


@dataclass(frozen=True, eq=False)
class AuditData:
    """What an audit looks at.

    Attributes:
        forward: ``snapshots`` of each audited trajectory.
        gradient: one snapshot of each of the first trajectories, all at the same time.
        reference: (m, channel, X, Y) inputs of other trajectories, which define the Gauss–Newton
            metric.
        starts: the first states of the ``gradient`` trajectories, for rollouts.
        climatology: the mean target of all the data, (1, channel, X, Y).
    """

    forward: Samples
    gradient: Samples
    reference: Tensor
    starts: Tensor
    climatology: Tensor


def choose_samples(
    data: Trajectories | tuple[Tensor, Tensor],
    settings: AuditSettings,
    device: torch.device,
    dtype: torch.dtype,
) -> AuditData:
    """The last trajectories are the reference, the first of the others are audited.

    A pair (inputs, targets) of tensors counts as one trajectory per sample.

    Raises:
        InputError: fewer trajectories than a null needs, NaN, or inputs and targets that do not
            belong together.
    """
    if isinstance(data, tuple):
        inputs, targets = data
        for name, x in (("inputs", inputs), ("targets", targets)):
            if x.ndim != 4 or not x.dtype.is_floating_point:
                raise InputError(
                    f"{name}: expected floating-point fields of shape (sample, channel, X, Y), got "
                    f"{x.dtype} of shape {tuple(x.shape)}"
                )
        if len(inputs) != len(targets):
            raise InputError(
                f"expected as many targets as inputs, got {len(inputs)} inputs and "
                f"{len(targets)} targets"
            )
        check_finite(inputs, "inputs")
        check_finite(targets, "targets")
        before, after, context = inputs[:, None], targets[:, None], Context()
    else:
        before, after, context = data.fields[:, :-1], data.fields[:, 1:], data.context
    audited, reference = _split(len(before), settings)
    few = min(settings.samples, audited)
    times = _spread(before.shape[1], settings.snapshots)
    middle = times[len(times) // 2]

    def place(x: Tensor) -> Tensor:
        return x.to(device=device, dtype=dtype).contiguous()

    return AuditData(
        forward=Samples(
            place(before[:audited, times].flatten(0, 1)),
            place(after[:audited, times].flatten(0, 1)),
            torch.arange(audited).repeat_interleave(len(times)),
            context,
        ),
        gradient=Samples(
            place(before[:few, middle]), place(after[:few, middle]), torch.arange(few), context
        ),
        reference=place(before[-reference:, middle]),
        starts=place(before[:few, 0]),
        climatology=place(after.mean((0, 1), dtype=torch.float64)[None]),
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
    return min(settings.trajectories, available - reference), reference


def _spread(steps: int, count: int) -> list[int]:
    """Up to ``count`` distinct times, evenly over the trajectory."""
    count = min(count, steps)
    return sorted({(2 * i + 1) * steps // (2 * count) for i in range(count)})
