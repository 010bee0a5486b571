"""The teach-it-once assay: what a model is taught in one pose, does it know it in the others?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch

from goldstone.actions import Symmetry
from goldstone.auditing.canonical_poses import in_one_pose
from goldstone.auditing.further_training import FineTuning, train_copy
from goldstone.auditing.lesson_pairs import (
    LessonPairs,
    check_lesson,
    dealt,
    lesson_pairs,
    refusal,
)
from goldstone.auditing.lessons import Lesson
from goldstone.auditing.orbit_samples import element_names
from goldstone.auditing.probed_model import leaves_model_as_found
from goldstone.auditing.statistics import Bootstrap
from goldstone.auditing.subject import Subject
from goldstone.auditing.teach_once_follower import LearningFollower, PoseFollower
from goldstone.auditing.teach_once_results import HeldOut, TaughtBudget, TaughtOnce, statement
from goldstone.core import InputError, Progress, SilentProgress, trees
from goldstone.core.trees import Tree

_SILENT = SilentProgress()


@dataclass(frozen=True)
class Teaching:
    """How long a lesson is taught and when its transfer is measured.

    Attributes:
        tuning: the optimiser, the steps of the whole lesson, and the batch, half of which carries
            the lesson; the other half rehearses the controls' ordinary targets.
        shares: of the achievable gain, at which transfer is measured.
        at_steps: further moments, as numbers of steps.
        looks: at the taught pose, evenly over the steps.
        one_pose: fold poses that the data show already, see
            :func:`goldstone.auditing.canonical_poses.in_one_pose`; isotropic turbulence would else
            teach the lesson in all of them.
    """

    tuning: FineTuning = field(
        default_factory=lambda: FineTuning(steps=300, batch=16, learning_rate=1e-3)
    )
    shares: tuple[float, ...] = (0.25, 0.5, 0.9)
    at_steps: tuple[int, ...] = ()
    looks: int = 30
    one_pose: bool = True

    def __post_init__(self) -> None:
        if self.tuning.batch < 2:
            raise InputError(
                "teaching: expected a batch of 2 or more, one sample with the lesson and one "
                f"without, got {self.tuning.batch}"
            )
        if not all(0 < share <= 1 for share in self.shares) or self.looks < 1:
            raise InputError(
                "teaching: expected shares above 0 and at most 1 and one look or more, got "
                f"{self.shares} and {self.looks}"
            )
        if not all(1 <= step <= self.tuning.steps for step in self.at_steps):
            raise InputError(
                f"teaching: expected at_steps from 1 to {self.tuning.steps}, got {self.at_steps}"
            )


_DEFAULTS = Teaching()


@leaves_model_as_found
def teach_once(
    subject: Subject,
    symmetry: Symmetry,
    elements: Sequence[Any],
    lesson: Lesson,
    teaching: Teaching = _DEFAULTS,
    *,
    optimiser: Mapping[str, Any] | None = None,
    force: bool = False,
    progress: Progress = _SILENT,
) -> TaughtOnce:
    """Teach a copy of the model a lesson in one pose and measure it in the others.

    Half of the subject's trajectories are taught; on the other half, with f₀ before and f after,
    m(gx) = [ℓ(f₀(gx), gỹ) − ℓ(f(gx), gỹ)] − [ℓ(f₀(gx), gy) − ℓ(f(gx), gy)] is how far a sample
    moved from its ordinary target y to that of the lesson, ỹ, and

    transfer(g) = [mean m(gx) − mean m(gx′)] / [mean m(x) − mean m(x′)],

    x over the samples that carry the lesson, x′ over controls that do not. It is 100 % for an
    architecture that is equivariant for all weights, and 0 where poses share no weights. The
    denominator is taken in the frame of g, ℓ(g f(x), gỹ), so that the loss need not be invariant.

    Intervals resample the held-out trajectories; they do not cover what else might have been
    taught, nor other seeds. Teaching runs twice: once to see what can be gained, and again to
    measure every pose when the shares of it are reached.

    Args:
        subject: model, left as found, and samples, half of which are taught.
        symmetry: of the elements.
        elements: without the identity.
        lesson: see :mod:`goldstone.auditing.lessons`.
        teaching: steps, optimiser and budgets.
        optimiser: ``state_dict()`` of the optimiser that trained the model, to go on from.
        force: run even if the lesson does not move with the group, as a negative control.
        progress: shows the steps.

    Raises:
        InputError: the lesson is not symmetric, teaches nothing, or too few samples carry it; or as
            :func:`~goldstone.auditing.fine_tune`.
    """
    names = element_names(symmetry, elements)
    tuning = teaching.tuning
    posed = in_one_pose(subject.samples, symmetry, elements, move=teaching.one_pose)
    samples = posed.samples
    pairs = lesson_pairs(lesson, samples)
    check = check_lesson(lesson, samples, symmetry, elements)
    if not check.passes and not force:
        raise InputError(refusal(lesson, check))
    taught, apart = dealt(pairs, tuning.seed)
    settings = subject.settings
    clusters = int(apart.trajectory.max()) + 1
    held = HeldOut(apart, Bootstrap.draw(clusters, settings.bootstrap, settings.seed))
    train = partial(
        train_copy,
        subject.model,
        _Batches(taught, tuning.batch),
        subject.loss,
        tuning,
        state=optimiser,
        progress=progress,
    )

    first = LearningFollower(subject, held, _looks(teaching))
    train(name="teaching", look=first.look)
    gains = first.gains()
    best, last = max(gains.values()), max(gains)
    moments = _moments(gains, teaching)
    # The names of the poses, the taught one first.
    identity = symmetry.group.identity
    poses = {symmetry.group.element_name(identity): identity}
    poses |= dict(zip(names, elements, strict=True))
    every = PoseFollower(subject, held, symmetry, poses, {step for _, step in moments})
    if moments:
        train(name="teaching", look=every.look, steps=max(step for _, step in moments))
    budgets = tuple(
        TaughtBudget(share, step, gains[step] / best, *every.found[step]) for share, step in moments
    )
    return TaughtOnce(
        lesson=lesson.name,
        optimiser=_in_words(tuning, goes_on=optimiser is not None),
        taught=len(taught.carries),
        held_out=len(apart.carries),
        clusters=apart.clusters,
        check=check,
        posed=posed.moved,
        novelty=posed.novelty,
        achievable=best,
        still_learning=best > 0 and gains[last] == best,
        budgets=budgets,
        curve=first.curve(),
        statement=statement(lesson.name, next(iter(poses)), budgets),
    )


class _Batches:
    """Draws batches: half of samples that carry the lesson, half of controls."""

    def __init__(self, pairs: LessonPairs, batch: int) -> None:
        self.pairs = pairs
        self.kinds = (torch.nonzero(pairs.carries)[:, 0], torch.nonzero(~pairs.carries)[:, 0])
        self.sizes = (batch // 2, batch - batch // 2)

    def __call__(self, source: torch.Generator) -> tuple[Tree, Tree]:
        carriers, controls = (
            kind[torch.randint(len(kind), (size,), generator=source)]
            for kind, size in zip(self.kinds, self.sizes, strict=True)
        )
        pairs = self.pairs
        return (
            trees.take(pairs.inputs, torch.cat([carriers, controls])),
            trees.concatenate(
                [trees.take(pairs.lesson, carriers), trees.take(pairs.ordinary, controls)]
            ),
        )


def _looks(teaching: Teaching) -> set[int]:
    """Evenly over the steps, some among the first, where much may be learned, and those given."""
    steps = teaching.tuning.steps
    looks = min(teaching.looks, steps)
    even = {round(steps * (k + 1) / looks) for k in range(looks)}
    return even | {k for k in (1, 2, 3, 5, 7) if k < min(even)} | set(teaching.at_steps)


def _moments(gains: Mapping[int, float], teaching: Teaching) -> list[tuple[float | None, int]]:
    """When every share is first reached, and the given steps."""
    best = max(gains.values())
    if not best > 0:
        return []
    shares = [
        (share, next(step for step, gain in gains.items() if gain >= share * best))
        for share in sorted(teaching.shares)
    ]
    return [*shares, *((None, step) for step in sorted(set(teaching.at_steps)))]


def _in_words(tuning: FineTuning, *, goes_on: bool) -> str:
    kind = {"adamw": "AdamW", "adam": "Adam", "sgd": "SGD"}[tuning.optimiser]
    kind = "the model's own optimiser" if goes_on else kind
    return f"{kind}, learning rate {tuning.learning_rate:g}, {tuning.steps} steps of {tuning.batch}"
