"""A lesson on given samples: checked against the symmetry, and dealt into taught and held out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from goldstone.actions import Context, Symmetry
from goldstone.auditing.forward import distances, norms
from goldstone.auditing.lessons import Lesson, Marked, taken
from goldstone.auditing.orbit_samples import moved_samples
from goldstone.auditing.samples import Samples
from goldstone.auditing.statistics import by_trajectory
from goldstone.core import InputError, generator, trees
from goldstone.core.trees import Tree

LARGEST_FLAG_CHANGE = 0.02
LARGEST_VIOLATION = 0.05
FEWEST_TRAJECTORIES = 2
_CHECKED = 8


@dataclass(frozen=True)
class LessonCheck:
    """Does the lesson move with the group? By element, 0 where it does.

    Attributes:
        flags: share of the samples that carry it in one pose and not in the other.
        marks: ‖mark(gx) − g mark(x)‖/‖mark(x)‖, worst over samples: of what the model sees.
        targets: ‖ỹ(gx) − g ỹ(x)‖/‖g ỹ(x) − g y(x)‖, in units of what is taught; the median over
            samples.
        passes: whether all are small (2 %, 2 % and 5 %).
    """

    flags: Mapping[str, float]
    marks: Mapping[str, float]
    targets: Mapping[str, float]
    passes: bool


@dataclass(frozen=True, eq=False)
class LessonPairs:
    """m samples, each with two targets.

    Attributes:
        inputs: as the model sees them.
        ordinary: y, what it was trained to answer.
        lesson: ỹ, what the lesson asks, or would ask of a control.
        carries: (m,) whether the lesson is asked of it.
        trajectory: (m,) numbered 0, 1, ….
        context: the frame of one step.
    """

    inputs: Tree
    ordinary: Tree
    lesson: Tree
    carries: Tensor
    trajectory: Tensor
    context: Context

    def of_trajectories(self, chosen: Tensor) -> "LessonPairs":
        """The pairs of some trajectories, these numbered anew."""
        index = torch.nonzero(torch.isin(self.trajectory, chosen))[:, 0]
        return LessonPairs(
            trees.take(self.inputs, index),
            trees.take(self.ordinary, index),
            trees.take(self.lesson, index),
            self.carries[index],
            torch.unique(self.trajectory[index], return_inverse=True)[1],
            self.context,
        )

    @property
    def clusters(self) -> int:
        """Trajectories with samples that carry the lesson, or with controls if these are fewer."""
        kinds = (self.trajectory[self.carries], self.trajectory[~self.carries])
        return min(len(torch.unique(kind)) for kind in kinds)


def lesson_pairs(lesson: Lesson, samples: Samples) -> LessonPairs:
    """The lesson on these samples.

    Raises:
        InputError: it asks nothing new, or too few trajectories carry it or serve as controls.
    """
    marked = lesson.mark(samples)
    index = marked.index.to(samples.trajectory.device)
    some = taken(samples, marked.index)
    targets = trees.place(lesson.targets(some), *_place(some.targets))
    pairs = LessonPairs(
        marked.inputs,
        some.targets,
        targets,
        marked.carries.cpu(),
        torch.unique(samples.trajectory[index].cpu(), return_inverse=True)[1],
        samples.context,
    )
    if not trees.same_shapes(targets, some.targets):
        raise InputError(
            f"the lesson {lesson.name!r}: expected targets of shape "
            f"{trees.describe(some.targets)}, got {trees.describe(targets)}"
        )
    if pairs.clusters < 2 * FEWEST_TRAJECTORIES:
        raise InputError(
            f"the lesson {lesson.name!r}: expected {2 * FEWEST_TRAJECTORIES} trajectories or more "
            f"that carry it and as many controls, got {pairs.clusters}; give more samples"
        )
    if not float(distances(targets, some.targets)[pairs.carries].max()) > 0:
        raise InputError(
            f"the lesson {lesson.name!r} teaches nothing: its targets are the ordinary ones"
        )
    return pairs


def dealt(pairs: LessonPairs, seed: int) -> tuple[LessonPairs, LessonPairs]:
    """Half of the trajectories to teach, the others held out, with as many carriers in either."""
    share = by_trajectory(pairs.carries, pairs.trajectory)
    order = torch.randperm(len(share), generator=generator(seed, "lesson"))
    order = order[share[order].argsort(stable=True)]
    return pairs.of_trajectories(order[::2]), pairs.of_trajectories(order[1::2])


def check_lesson(
    lesson: Lesson, samples: Samples, symmetry: Symmetry, elements: Sequence[Any]
) -> LessonCheck:
    """Whether flags and targets move with the group. Targets are looked at on eight samples."""
    plain = lesson.mark(samples)
    many = len(plain.index)
    some = torch.unique(torch.linspace(0, many - 1, min(_CHECKED, many)).round().long())
    few = taken(samples, plain.index[some])
    after = samples.context.at(1)
    targets = lesson.targets(few)
    flags, marks, violations = {}, {}, {}
    for element in elements:
        name = symmetry.group.element_name(element)
        moved = lesson.mark(moved_samples(samples, symmetry, element))
        flags[name] = _different(plain, moved)
        seen = symmetry.on_input.act(element, plain.inputs, samples.context)
        same = torch.equal(moved.index, plain.index)
        gap = distances(moved.inputs, seen) / norms(seen) if same else torch.zeros(1)
        marks[name] = float(gap.nan_to_num().max())
        asked = symmetry.target_action.act(element, targets, after)
        ordinary = symmetry.target_action.act(element, few.targets, after)
        there = lesson.targets(moved_samples(few, symmetry, element))
        violations[name] = float((distances(there, asked) / distances(asked, ordinary)).nanmedian())
    passes = (
        max(flags.values()) <= LARGEST_FLAG_CHANGE
        and max(marks.values()) <= LARGEST_FLAG_CHANGE
        and max(violations.values()) <= LARGEST_VIOLATION
    )
    return LessonCheck(flags, marks, violations, passes)


def refusal(lesson: Lesson, check: LessonCheck) -> str:
    """What is wrong with a lesson that does not pass."""
    found = (
        ("who carries it changes", check.flags, LARGEST_FLAG_CHANGE),
        ("its mark does not move along", check.marks, LARGEST_FLAG_CHANGE),
        ("its targets do not move along", check.targets, LARGEST_VIOLATION),
    )
    said = []
    for what, values, allowed in found:
        # "not below", so that what is not a number is named too.
        failing = [name for name, value in values.items() if not value <= allowed]
        if failing:
            worst = max(values.values())
            said.append(f"under {', '.join(failing)} {what} (by up to {worst:.2g})")
    return (
        f"the lesson {lesson.name!r} is not symmetric: {'; '.join(said)}. What it asks must be the "
        "same in every pose"
    )


def move_pairs(pairs: LessonPairs, symmetry: Symmetry, element: Any) -> LessonPairs:
    """(g x, g y, g ỹ)."""
    after = pairs.context.at(1)
    return replace(
        pairs,
        inputs=symmetry.on_input.act(element, pairs.inputs, pairs.context),
        ordinary=symmetry.target_action.act(element, pairs.ordinary, after),
        lesson=symmetry.target_action.act(element, pairs.lesson, after),
    )


def _different(a: Marked, b: Marked) -> float:
    """Share of (sample, flag) pairs of ``a`` that ``b`` lacks."""
    ours = a.index.cpu() * 2 + a.carries.cpu()
    theirs = b.index.cpu() * 2 + b.carries.cpu()
    return 1 - float(torch.isin(ours, theirs).double().mean())


def _place(targets: Tree) -> tuple[torch.device, torch.dtype]:
    leaf = trees.leaves(targets)[0]
    kind = leaf.real.dtype if leaf.is_complex() else leaf.dtype
    return leaf.device, kind if kind.is_floating_point else torch.get_default_dtype()
