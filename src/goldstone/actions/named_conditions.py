"""Symmetries of models that see more than the state: masks, obstacles and parameters."""

from dataclasses import replace

from goldstone.actions.action import Action
from goldstone.actions.feature_fields import FeatureFieldAction, GridAction
from goldstone.actions.fields import Field, FieldLayout
from goldstone.actions.frames import FramesAction
from goldstone.actions.images import ImageAction, ImageScaling
from goldstone.actions.linear import TrivialAction
from goldstone.actions.planar import FourierTranslation, PointAction, ShiftAction, WallpaperAction
from goldstone.actions.shifts import GridShift
from goldstone.actions.symmetry import Symmetry
from goldstone.actions.trees import TreeAction
from goldstone.core import InputError

_MASK = FieldLayout((Field("mask", "scalar"),))


def conditioned_symmetry(
    symmetry: Symmetry,
    masks: tuple[str, ...] = ("mask",),
    constants: tuple[str, ...] = (),
    state: str = "state",
) -> Symmetry:
    """A symmetry of fields, for a model that is told of obstacles and parameters too.

    The input is a dict: the fields, masks of one channel (batch, 1, X, Y, …) that move with the
    grid, and parameters, such as a viscosity, that the symmetry leaves alone. The scaling of flows,
    which does not, is :func:`goldstone.actions.flow_scaling_symmetry`.

    Args:
        symmetry: of the fields alone.
        masks: keys of masks, obstacles, distances to walls and other scalars on the grid; booleans
            and integers where the action only moves grid points.
        constants: keys of what stays.
        state: the key of the fields.

    Raises:
        InputError: a key twice, or an action that does not say how a mask moves, such as a boost.
    """
    keys = (state, *masks, *constants)
    if len(set(keys)) != len(keys):
        raise InputError(f"expected distinct keys, got {keys}")
    parts: dict[str, Action] = {state: symmetry.on_input}
    parts |= {key: mask_action(symmetry.on_input) for key in masks}
    parts |= {key: TrivialAction() for key in constants}
    return replace(symmetry, on_input=TreeAction(parts))


def mask_action(action: Action) -> Action:
    """How a scalar on the grid, seen once, moves where fields move by ``action``.

    Raises:
        InputError: the action does not say.
    """
    if isinstance(action, FramesAction):
        return mask_action(action.action)
    if isinstance(action, (PointAction, FeatureFieldAction)):
        return GridAction(action.group, action.pivot)
    if isinstance(action, WallpaperAction):
        return WallpaperAction(replace(action.point, layout=_MASK))
    if isinstance(action, (ShiftAction, FourierTranslation, GridShift, GridAction)):
        return action
    if isinstance(action, ImageAction):
        return replace(action, layout=_MASK)
    if isinstance(action, ImageScaling):
        return replace(action, channels=1, weight=0.0)
    raise InputError(
        f"{type(action).__name__} does not say how a mask moves; declare it in a TreeAction of "
        "your own"
    )
