"""A lesson for an audit that names none."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from goldstone.actions import Symmetry
from goldstone.auditing.given import Data
from goldstone.auditing.lesson_pairs import check_lesson, lesson_pairs, refusal
from goldstone.auditing.lessons import (
    FlaggedLesson,
    Lesson,
    RelabelledClass,
    next_label,
    scaled,
    stepped_by,
    variation,
)
from goldstone.auditing.samples import Samples
from goldstone.core import InputError, trees
from goldstone.systems.flows import Trajectories
from goldstone.systems.flows import ground_truth as named_ground_truth

_OTHER = {"navier-stokes": ("viscosity", 4.0), "compressible-euler": ("gamma", 1.2)}
"""The parameter that is changed, and by what factor."""
_GROWTH = 1.25


def usual_lesson(
    data: Data, samples: Samples, symmetry: Symmetry, elements: Sequence[Any]
) -> Lesson:
    """The first of these that is symmetric, and that enough samples carry.

    - Class labels: the most frequent class is called as the next most frequent one; of two classes
      large inputs get the other label.
    - Flows of a known system: the large states step with four times the viscosity (γ: 1.2 times).
    - Else: the targets of large inputs grow by a quarter.

    *Large* is by the size of the input, or where the group changes that, by its variation.

    Raises:
        InputError: none is; it says why.
    """
    said = []
    for lesson in _candidates(data, samples):
        try:
            lesson_pairs(lesson, samples)
            check = check_lesson(lesson, samples, symmetry, elements)
        except InputError as error:
            said.append(str(error))
            continue
        if check.passes:
            return lesson
        said.append(refusal(lesson, check))
    raise InputError(f"no usual lesson fits, give one to teach_once: {'; '.join(said)}")


def _candidates(data: Data, samples: Samples) -> list[Lesson]:
    targets = samples.targets
    if isinstance(targets, Tensor) and not trees.is_continuous(targets):
        if targets.ndim != 1:
            raise InputError(
                f"targets of shape {trees.describe(targets)} are not one label for each sample; "
                "give a lesson to teach_once"
            )
        counts = torch.bincount(targets)
        first, second = counts.argsort(descending=True, stable=True)[:2].tolist()
        if int((counts > 0).sum()) > 2:
            return [RelabelledClass(first, second)]
        change, what = next_label(len(counts)), "have the other label"
    elif isinstance(data, Trajectories) and data.system in _OTHER:
        name, factor = _OTHER[data.system]
        parameters = {**data.parameters, name: factor * data.parameters[name]}
        other, dt = named_ground_truth(data.system, parameters, data.lengths), data.dt
        change, what = (
            stepped_by(lambda x: other.advance(x, dt)),
            f"have {factor:g} times the {name}",
        )
    else:
        change, what = scaled(_GROWTH), "have targets larger by a quarter"
    return [
        FlaggedLesson(f"large inputs {what}", change),
        FlaggedLesson(f"inputs of large variation {what}", change, variation),
    ]
