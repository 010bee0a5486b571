"""Histories: several times of the same fields in one tensor."""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from goldstone.actions.action import Action
from goldstone.actions.context import Context
from goldstone.actions.laws import law_tolerance_of
from goldstone.actions.symmetry import Symmetry
from goldstone.core import InputError


@dataclass(frozen=True)
class FramesAction:
    """Every frame of a history moves by the same action, at its own time.

    The frame k lies ``steps[k]`` model steps after the time of the context: (−2, −1, 0) for the
    last three states, (0, 1) for the next two when the context is that of the first of them. The
    times matter to actions that depend on them, such as Galilean boosts.

    Attributes:
        action: how one frame moves.
        steps: the time of each frame in model steps.
        axis: the axis of the frames, as in (batch, frame, channel, X, Y) with ``axis=1``; None when
            the frames are stacked along the channels, (batch, frame · channel, X, Y).

    Raises:
        InputError: there are no steps.
    """

    action: Action
    steps: tuple[int, ...]
    axis: int | None = None

    def __post_init__(self) -> None:
        if not self.steps:
            raise InputError("expected the time of one or more frames, got none")

    @property
    def law_tolerance(self) -> float:
        """How far the laws may fail in an audit: as far as those of its parts."""
        return law_tolerance_of((self.action,))

    def act(self, element: Any, x: Tensor, context: Context) -> Tensor:
        """Move every frame.

        Raises:
            InputError: the number of frames or channels does not fit.
        """
        axis = 1 if self.axis is None else self.axis
        count = len(self.steps)
        size = x.shape[axis] if -x.ndim <= axis < x.ndim else 0
        if size == 0 or size % count or (self.axis is not None and size != count):
            raise InputError(
                f"expected {count} frames along axis {axis}, got a tensor of shape {tuple(x.shape)}"
            )
        frames = x.chunk(count, axis) if self.axis is None else x.unbind(axis)
        moved = [
            self.action.act(element, frame, context.at(context.step + step))
            for frame, step in zip(frames, self.steps, strict=True)
        ]
        return torch.cat(moved, axis) if self.axis is None else torch.stack(moved, axis)


def history_symmetry(
    symmetry: Symmetry,
    steps: tuple[int, ...] = (-2, -1, 0),
    axis: int | None = None,
    output_steps: tuple[int, ...] | None = None,
) -> Symmetry:
    """The symmetry of a model that sees several frames, and predicts one or several.

    Args:
        symmetry: of a single frame.
        steps: the times of the input's frames in model steps, the present being 0.
        axis: the axis of the frames; None when they are stacked along the channels.
        output_steps: the times of several predicted frames, the next step being 1; None for an
            output of one frame, without an axis for it.
    """
    moved = replace(symmetry, on_input=FramesAction(symmetry.on_input, steps, axis))
    if output_steps is None:
        return moved
    # Outputs are moved at the time of the next step.
    later = tuple(step - 1 for step in output_steps)
    target = symmetry.on_target
    return replace(
        moved,
        on_output=FramesAction(symmetry.on_output, later, axis),
        on_target=None if target is None else FramesAction(target, later, axis),
    )
