"""The symmetry against the ground truth: does the solver commute with every element?"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from goldstone.actions import (
    Action,
    Context,
    Fibre,
    Field,
    FieldLayout,
    PointAction,
    Symmetry,
    WallpaperAction,
    reverse_vectors,
)
from goldstone.auditing.forward import norms
from goldstone.auditing.results import ConventionCheck, GroundTruthCheck
from goldstone.core import InputError

GroundTruth = Callable[[Tensor], Tensor]
"""The true state one step later, (n, channel, X, Y) → the same."""

LARGEST_VIOLATION = 0.2
"""Of the change over a step: wrong actions miss by the whole change, solvers by far less."""


LARGEST_MISS = 0.5
"""Of the change over a step: data of another resolution miss by less, misread fields by more."""


def ground_truth_checks(
    ground_truth: GroundTruth,
    symmetry: Symmetry,
    elements: Sequence[Any],
    inputs: Tensor,
    context: Context,
) -> tuple[GroundTruthCheck, ...]:
    """‖Φ(gx) − gΦ(x)‖ for every element, in float64, worst over the samples."""
    x = inputs.double()
    stepped = ground_truth(x)
    checks = []
    for element in elements:
        name = symmetry.group.element_name(element)
        try:
            gap = _gap(
                ground_truth,
                symmetry.on_input,
                symmetry.target_action,
                element,
                x,
                stepped,
                context,
            )
        except InputError as error:
            raise InputError(
                f"the ground truth does not take the data moved by {name} ({error}); are the "
                "fields declared as they are?"
            ) from error
        of_change = float((gap / _change(x, stepped)).max())
        checks.append(
            GroundTruthCheck(
                name,
                float((gap / norms(stepped)).max()),
                of_change,
                of_change <= LARGEST_VIOLATION,
            )
        )
    return tuple(checks)


def reproduction_check(
    ground_truth: GroundTruth, inputs: Tensor, targets: Tensor
) -> ConventionCheck:
    """‖Φ(x) − y‖/‖y − x‖, median over samples: are these the data of this ground truth?

    A solver commutes with its own symmetries whatever state it is given. Only its steps on the
    data tell whether their fields are what they are declared to be.
    """
    x, y = inputs.double(), targets.double()
    miss = norms(ground_truth(x) - y) / _change(x, y)
    share = float(miss.median())
    return ConventionCheck(
        "the ground truth's step on the data",
        share,
        {},
        passes=share <= LARGEST_MISS,
        meaning="what it misses of the next snapshot, over the change; near 0 if the data are its "
        "own, near 1 or above if fields, time step or parameters are declared wrongly",
    )


def diagnose(
    ground_truth: GroundTruth,
    symmetry: Symmetry,
    elements: Sequence[Any],
    failing: Sequence[Any],
    inputs: Tensor,
    context: Context,
) -> str:
    """What is wrong with an action that the ground truth does not commute with, if it can be named.

    Tries other readings of the layout, under which all elements must pass, and the removal of a
    velocity reversal, under which the failing ones must; names the first that mends it. Both can
    be true at once: a mirrored vector in a point action is a reversal in half of the elements.
    """
    action = symmetry.on_output
    x = inputs.double()
    stepped = ground_truth(x)

    def mends(candidate: Action, tested: Sequence[Any]) -> bool:
        for element in tested:
            try:
                gap = _gap(ground_truth, candidate, candidate, element, x, stepped, context)
            except InputError:
                # The candidate makes states that the ground truth does not take.
                return False
            change = _change(x, stepped)
            # "not ≤" so that a NaN does not count.
            if not float((gap / change).max()) <= LARGEST_VIOLATION:
                return False
        return True

    point = action.point if isinstance(action, WallpaperAction) else action
    if isinstance(point, PointAction):
        for layout, words in _readings(point.layout):
            other: Action = replace(point, layout=layout)
            if isinstance(action, WallpaperAction):
                other = WallpaperAction(replace(point, layout=layout))
            if mends(other, elements):
                return f"the ground truth commutes with it when {words}"
    layout_of_vectors = getattr(point, "layout", None)
    if isinstance(layout_of_vectors, FieldLayout) and mends(
        _Reversed(action, layout_of_vectors), failing
    ):
        return (
            "the declared action reverses the velocity (u → −u) where it should not: without that "
            "reversal the ground truth commutes with it"
        )
    return (
        "no other reading of the declared fields mends it: it is no symmetry of this ground truth"
    )


class _Reversed:
    """An action followed by a reversal of every vector."""

    def __init__(self, base: Action, layout: FieldLayout) -> None:
        self.base, self.layout = base, layout

    def act(self, element: Any, x: Tensor, context: Context) -> Tensor:
        return reverse_vectors(self.base.act(element, x, context), self.layout)


def _readings(layout: FieldLayout) -> list[tuple[FieldLayout, str]]:
    """Other layouts of the same channels, each with the words that name it."""
    readings = []
    fields = layout.fields
    for (i, first), second in zip(enumerate(fields), fields[1:], strict=False):
        if first.channels == second.channels == 1:
            for words, axes, signs in _FRAMES:
                joined = Field(f"{first.name}+{second.name}", "vector", axes, signs)
                readings.append(
                    (
                        FieldLayout((*fields[:i], joined, *fields[i + 2 :])),
                        (
                            f"{first.name!r} and {second.name!r} turn with the grid as a vector"
                            f"{words}, not as scalars (unrotated vectors): declare them so"
                        ),
                    )
                )
    for i, field in enumerate(fields):
        if field.is_vector:
            for words, axes, signs in _FRAMES[1:]:
                changed = replace(
                    field,
                    axes=(field.axes[axes[0]], field.axes[axes[1]]),
                    signs=(field.signs[axes[0]] * signs[0], field.signs[axes[1]] * signs[1]),
                )
                readings.append(
                    (
                        FieldLayout((*fields[:i], changed, *fields[i + 1 :])),
                        f"the components of {field.name!r} are read{words}: mend 'axes' or 'signs'",
                    )
                )
        elif field.fibre in ("scalar", "pseudoscalar"):
            other: Fibre = "pseudoscalar" if field.fibre == "scalar" else "scalar"
            readings.append(
                (
                    FieldLayout((*fields[:i], replace(field, fibre=other), *fields[i + 1 :])),
                    f"{field.name!r} is a {other}: declare it so",
                )
            )
    return readings


_FRAMES: tuple[tuple[str, tuple[int, int], tuple[int, int]], ...] = (
    ("", (0, 1), (1, 1)),
    (" with components swapped", (1, 0), (1, 1)),
    (" with the second component mirrored", (0, 1), (1, -1)),
    (" swapped with the second component mirrored", (1, 0), (1, -1)),
)


def _change(before: Tensor, after: Tensor) -> Tensor:
    """‖after − before‖, at least what rounding alone would change in a steady state."""
    return torch.maximum(norms(after - before), 1e-6 * norms(after)).clamp_min(1e-300)


def _gap(
    ground_truth: GroundTruth,
    on_input: Action,
    on_target: Action,
    element: Any,
    x: Tensor,
    stepped: Tensor,
    context: Context,
) -> Tensor:
    moved = ground_truth(on_input.act(element, x, context))
    return norms(moved - on_target.act(element, stepped, context.at(1)))
