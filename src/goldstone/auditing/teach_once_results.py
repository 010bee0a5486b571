"""What was taught in one pose, and what of it reached the others: numbers and intervals."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isfinite

import torch
from torch import Tensor

from goldstone.auditing.lesson_pairs import LessonCheck, LessonPairs
from goldstone.auditing.statistics import Bootstrap, interval
from goldstone.core import Statistic

FEWEST_FOR_INTERVAL = 5
"""Trajectories of either kind; with fewer a bootstrap says little of the scatter."""
_MOST_SAID = 8


@dataclass(frozen=True)
class TaughtElement:
    """What is known of the lesson at gx; gains are falls of the loss on held-out pairs.

    Attributes:
        lesson: gain towards the lesson where it is asked for, ℓ(f(gx), gỹ).
        control: the same gain at controls, gx′, of which the lesson was never asked.
        kept: gain on the controls' ordinary targets; negative for what was forgotten.
        contrast: mean of m over samples with the lesson less its mean over controls; m is the gain
            on ỹ less that on y.
        transfer: 100 · contrast over that in the taught pose, in per cent.
        loss_transfer: the same with plain gains, (lesson − kept) in place of the contrast.
    """

    lesson: Statistic
    control: Statistic
    kept: Statistic
    contrast: Statistic
    transfer: Statistic
    loss_transfer: Statistic


@dataclass(frozen=True)
class TaughtBudget:
    """Every pose when the lesson was learned so far.

    Attributes:
        share: of the achievable gain that was asked for; None for a given number of steps.
        steps: of the optimiser.
        reached: share of the achievable gain at that step.
        learned: whether the contrast in the taught pose is above zero, its whole interval.
            Otherwise there is nothing to transfer, and no transfer is given.
        elements: by name, first the identity: the taught pose.
    """

    share: float | None
    steps: int
    reached: float
    learned: bool
    elements: Mapping[str, TaughtElement]


@dataclass(frozen=True)
class LearningCurve:
    """The taught pose, on held-out samples, over the steps.

    Attributes:
        steps: of the optimiser; 0 is the model itself.
        lesson: mean loss ℓ(f(x), ỹ) where the lesson is asked for.
        kept: mean ordinary loss of the controls.
        contrast: as in :class:`TaughtElement`.
    """

    steps: tuple[int, ...]
    lesson: tuple[float, ...]
    kept: tuple[float, ...]
    contrast: tuple[float, ...]


@dataclass(frozen=True)
class TaughtOnce:
    """A lesson taught in one pose.

    Attributes:
        lesson: in words.
        optimiser: in words.
        taught, held_out: number of samples.
        clusters: held-out trajectories that carry the lesson, or controls if these are fewer.
        check: whether the lesson moves with the group.
        posed: share of the samples that were moved into the taught pose; see
            :func:`goldstone.auditing.canonical_poses.in_one_pose`.
        novelty: by element, how well x is told from gx; near ½ the lesson was taught in that pose
            too, and transfer means little.
        achievable: the largest gain on the lesson in the taught pose, of the loss.
        still_learning: whether that was at the last step, so that longer teaching would teach more.
        budgets: from the least to the most learned, then those of given steps.
        curve: in the taught pose.
        statement: in words.
    """

    lesson: str
    optimiser: str
    taught: int
    held_out: int
    clusters: int
    check: LessonCheck
    posed: float
    novelty: Mapping[str, float]
    achievable: float
    still_learning: bool
    budgets: tuple[TaughtBudget, ...]
    curve: LearningCurve
    statement: str = field(default="")


@dataclass(frozen=True, eq=False)
class HeldOut:
    """The held-out pairs with what statistics need of them."""

    pairs: LessonPairs
    bootstrap: Bootstrap

    @property
    def once(self) -> Tensor:
        """The counts of every trajectory once."""
        return torch.ones(1, self.bootstrap.n, dtype=torch.float64)

    def is_learned(self, gains: Tensor) -> bool:
        """Whether the contrast of these gains (m, 2) is above zero, its whole interval."""
        moved = gains[:, 0] - gains[:, 1]
        low = self.statistic(lambda counts: self.contrast(moved, moved, counts)).low
        return low is not None and low > 0

    def statistic(self, function: Callable[[Tensor], Tensor]) -> Statistic:
        """From (replicates, trajectories) counts to (replicates,) numbers, with an interval."""
        n = self.pairs.clusters
        value = float(function(self.once)[0])
        if not isfinite(value):
            return Statistic(None, None, None, n)
        if n < FEWEST_FOR_INTERVAL:
            return Statistic(value, None, None, n)
        return Statistic(value, *interval(function(self.bootstrap.counts), n), n)

    def mean(self, values: Tensor, *, carries: bool, counts: Tensor) -> Tensor:
        """Mean over samples that carry the lesson, or over controls, for each row of counts."""
        chosen = self.pairs.carries if carries else ~self.pairs.carries
        trajectory = self.pairs.trajectory[chosen]
        sums = torch.zeros(2, self.bootstrap.n, dtype=torch.float64)
        sums[0].index_add_(0, trajectory, values[chosen])
        sums[1] = torch.bincount(trajectory, minlength=self.bootstrap.n)
        return (counts @ sums[0]) / (counts @ sums[1])

    def contrast(self, on_carriers: Tensor, on_controls: Tensor, counts: Tensor) -> Tensor:
        """The mean of the one over carriers less the mean of the other over controls."""
        return self.mean(on_carriers, carries=True, counts=counts) - self.mean(
            on_controls, carries=False, counts=counts
        )


def taught_element(gains: Tensor, taught: Tensor, held: HeldOut, *, learned: bool) -> TaughtElement:
    """The statistics of one pose.

    Args:
        gains: (m, 2) falls of ℓ(f(gx), gỹ) and of ℓ(f(gx), gy).
        taught: the same of ℓ(g f(x), ·): the taught pose, seen from the frame of this one.
        held: the m pairs.
        learned: whether there is anything to transfer.
    """
    ours, theirs = gains[:, 0] - gains[:, 1], taught[:, 0] - taught[:, 1]

    def transfer(counts: Tensor) -> Tensor:
        return 100 * held.contrast(ours, ours, counts) / held.contrast(theirs, theirs, counts)

    def loss_transfer(counts: Tensor) -> Tensor:
        return torch.div(
            100 * held.contrast(gains[:, 0], gains[:, 1], counts),
            held.contrast(taught[:, 0], taught[:, 1], counts),
        )

    nothing = Statistic(None, None, None, held.pairs.clusters)
    return TaughtElement(
        lesson=held.statistic(lambda c: held.mean(gains[:, 0], carries=True, counts=c)),
        control=held.statistic(lambda c: held.mean(gains[:, 0], carries=False, counts=c)),
        kept=held.statistic(lambda c: held.mean(gains[:, 1], carries=False, counts=c)),
        contrast=held.statistic(lambda c: held.contrast(ours, ours, c)),
        transfer=held.statistic(transfer) if learned else nothing,
        loss_transfer=held.statistic(loss_transfer) if learned else nothing,
    )


def statement(lesson: str, identity: str, budgets: tuple[TaughtBudget, ...]) -> str:
    """What reached the other poses, in a sentence."""
    learned = [b for b in budgets if b.learned]
    if not learned:
        return (
            f"The model did not learn, in one pose, that {lesson}: nothing can be said of transfer."
        )
    budget = min(learned, key=lambda b: abs(b.reached - 0.5))
    known = {
        name: element.transfer
        for name, element in budget.elements.items()
        if name != identity and element.transfer.estimate is not None
    }
    said = [f"{name} {_percent(transfer)}" for name, transfer in known.items()]
    if len(said) > _MOST_SAID:
        ordered = sorted(known, key=lambda name: known[name].estimate or 0.0)
        said = [f"from {name} {_percent(known[name])}" for name in ordered[:1]]
        said += [f"to {name} {_percent(known[name])}" for name in ordered[-1:]]
    return (
        f"Taught in one pose that {lesson}, to {budget.reached:.0%} of what it can gain "
        f"({budget.steps} step{'s' if budget.steps > 1 else ''}), the model knows in the others: "
        f"{', '.join(said)}."
    )


def _percent(transfer: Statistic) -> str:
    ends = "" if transfer.low is None else f" [{transfer.low:.0f}, {transfer.high:.0f}]"
    return f"{transfer.estimate:.0f} %{ends}".replace("-", "−")
