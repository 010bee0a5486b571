"""Which parts of the data an audit looks at."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from goldstone.actions import Context
from goldstone.auditing.settings import FEWEST_AUDITED, FEWEST_REFERENCE, AuditSettings
from goldstone.core import InputError, check_finite, trees
from goldstone.core.trees import Tree
from goldstone.systems.flows import Trajectories


@dataclass(frozen=True, eq=False)
class Samples:
    """Pairs of an input and its target, such as a state and the next one.

    Attributes:
        inputs, targets: n samples each: tensors, sample axis first, or trees of tensors.
        trajectory: (n,) which trajectory each comes from; the unit of the bootstrap.
        context: the frame of one step.
    """

    inputs: Tree
    targets: Tree
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
        reference, reference_targets: samples of other trajectories, which define the curvature.
        starts: the first states of the ``gradient`` trajectories, for rollouts.
        climatology: the mean target of all the data as one sample (climatology); of class labels
            their frequencies.
    """

    forward: Samples
    gradient: Samples
    reference: Tree
    reference_targets: Tree
    starts: Tree
    climatology: Tree


def choose_samples(
    data: Trajectories | tuple[Tree, Tree],
    settings: AuditSettings,
    device: torch.device,
    dtype: torch.dtype,
) -> AuditData:
    """The last trajectories are the reference, the first of the others are audited.

    A pair (inputs, targets) counts as one trajectory per sample.

    Raises:
        InputError: fewer trajectories than a null needs, NaN, or inputs and targets that do not
            belong together.
    """
    if isinstance(data, tuple):
        chosen = _of_pairs(*data, settings)
    else:
        chosen = _of_trajectories(data, settings)

    def placed(samples: Samples) -> Samples:
        return replace(
            samples,
            inputs=trees.place(samples.inputs, device, dtype),
            targets=trees.place(samples.targets, device, dtype),
        )

    return AuditData(
        forward=placed(chosen.forward),
        gradient=placed(chosen.gradient),
        reference=trees.place(chosen.reference, device, dtype),
        reference_targets=trees.place(chosen.reference_targets, device, dtype),
        starts=trees.place(chosen.starts, device, dtype),
        climatology=trees.place(chosen.climatology, device, dtype),
    )


def _of_pairs(inputs: Tree, targets: Tree, settings: AuditSettings) -> AuditData:
    for name, tree in (("inputs", inputs), ("targets", targets)):
        trees.batch_size(tree)
        for leaf in trees.leaves(tree):
            check_finite(leaf, name)
    _check_channel_axes(inputs, targets)
    available, answers = trees.batch_size(inputs), trees.batch_size(targets)
    if available != answers:
        raise InputError(
            f"expected as many targets as inputs, got {available} inputs and {answers} targets"
        )
    audited, reference = _split(available, settings)
    few = min(settings.samples, audited)

    def first(count: int) -> Samples:
        return Samples(
            trees.take(inputs, slice(count)),
            trees.take(targets, slice(count)),
            torch.arange(count),
            Context(),
        )

    return AuditData(
        forward=first(audited),
        gradient=first(few),
        reference=trees.take(inputs, slice(available - reference, None)),
        reference_targets=trees.take(targets, slice(available - reference, None)),
        starts=trees.take(inputs, slice(few)),
        climatology=trees.map_leaves(_mean, targets),
    )


def _check_channel_axes(inputs: Tree, targets: Tree) -> None:
    """Fields come with fields: (sample, X, Y) beside (sample, channel, X, Y) lacks an axis."""
    if not isinstance(inputs, Tensor) or not isinstance(targets, Tensor):
        return
    for name, x, other in (("inputs", inputs, targets), ("targets", targets, inputs)):
        if x.is_floating_point() and x.ndim == 3 and other.is_floating_point() and other.ndim == 4:
            raise InputError(
                f"{name}: expected floating-point fields of shape (sample, channel, X, Y), got "
                f"{x.dtype} of shape {tuple(x.shape)}; add the channel axis"
            )


def _of_trajectories(data: Trajectories, settings: AuditSettings) -> AuditData:
    before, after, context = data.fields[:, :-1], data.fields[:, 1:], data.context
    audited, reference = _split(len(before), settings)
    few = min(settings.samples, audited)
    times = _spread(before.shape[1], settings.snapshots)
    middle = times[len(times) // 2]
    return AuditData(
        forward=Samples(
            before[:audited, times].flatten(0, 1),
            after[:audited, times].flatten(0, 1),
            torch.arange(audited).repeat_interleave(len(times)),
            context,
        ),
        gradient=Samples(before[:few, middle], after[:few, middle], torch.arange(few), context),
        reference=before[-reference:, middle],
        reference_targets=after[-reference:, middle],
        starts=before[:few, 0],
        climatology=_mean(after.flatten(0, 1)),
    )


def _mean(targets: Tensor) -> Tensor:
    """The mean of the samples as one sample; of class labels the frequencies of the classes."""
    if targets.is_floating_point() or targets.is_complex():
        wide = torch.complex128 if targets.is_complex() else torch.float64
        return targets.mean(0, dtype=wide)[None]
    counts = torch.bincount(targets.reshape(-1).clamp_min(0))
    return counts[None] / counts.sum()


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
