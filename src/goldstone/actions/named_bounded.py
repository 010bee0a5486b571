"""The ready symmetries of planar fields with walls, and the scaling symmetry of flows."""

from typing import Any

from goldstone.actions.action import Action
from goldstone.actions.bounded import check_bounded, keeping_walls
from goldstone.actions.fields import FieldLayout
from goldstone.actions.linear import TrivialAction
from goldstone.actions.naming import check_size, known_name
from goldstone.actions.planar import PointAction
from goldstone.actions.shifts import GridShift
from goldstone.actions.symmetry import Symmetry
from goldstone.actions.trees import TreeAction
from goldstone.actions.units import FlowScaling
from goldstone.core import InputError
from goldstone.groups import AdditiveGroup, DihedralGroup, FiniteGroup, PointGroup

BOUNDED_SYMMETRIES = {
    "points": "the rotations and reflections that map walls to walls",
    "shifts": "shifts along the periodic axis",
}
"""Short names and what they mean."""


def bounded_symmetry(
    name: str,
    layout: FieldLayout,
    grid: tuple[int, int],
    bounded: tuple[int, ...] = (1,),
    equal_walls: bool = True,
) -> Symmetry:
    """A ready symmetry of fields (batch, channel, X, Y) that end at walls along some axes.

    Masks and obstacles that the model sees have to move too: declare them in the layout, or see
    :func:`goldstone.actions.conditioned_symmetry`.

    Args:
        name: one of :data:`BOUNDED_SYMMETRIES`, in any case.
        layout: what the channels are.
        grid: size of the grid; on one that is not square no element exchanges the axes.
        bounded: the axes that end at walls: (0,), (1,) or (0, 1).
        equal_walls: all walls are alike; if not (a heated and a cooled one), none is exchanged.

    Raises:
        InputError: an unknown name or axis, or a symmetry of the identity alone.
    """
    key = known_name(name, BOUNDED_SYMMETRIES)
    check_size(grid, 2)
    check_bounded(bounded, 2)
    if key == "points":
        points: PointGroup[Any] = DihedralGroup(4 if grid[0] == grid[1] else 2)
        parent: FiniteGroup[Any] = points
        kept = keeping_walls(parent, bounded, equal_walls)
        if kept.order == 1:
            raise InputError(f"no rotation or reflection keeps the walls of the axes {bounded}")
        action = PointAction(points, layout)
        return Symmetry(key, kept, action, action)
    free = tuple(axis for axis in (0, 1) if axis not in bounded)
    if not free:
        raise InputError("a field with walls along both axes has no shifts")
    group = AdditiveGroup("shift", len(free), "cells")
    shift = GridShift(group, free)
    elements = []
    for place, axis in enumerate(free):
        steps = [0.5, 1.0] + [2.0**k for k in range(1, 16) if 2 ** (k + 1) <= grid[axis]]
        elements += [tuple(a if i == place else 0.0 for i in range(len(free))) for a in steps]
    return Symmetry(key, group, shift, shift, elements=tuple(elements))


def flow_scaling_symmetry(
    scaling: FlowScaling, state: str = "state", conditions: tuple[str, ...] = ("viscosity", "dt")
) -> Symmetry:
    """The scaling symmetry of flows, for models that are told viscosity and time step.

    The input is a dict: the fields under the key ``state``, and under the name of each condition a
    tensor of its value for every sample. Tested for λ = 1/2, 0.8, 1.25 and 2.

    Args:
        scaling: how fields and parameters scale.
        state: the key of the fields.
        conditions: the names of the conditions; those that the scaling leaves alone stay.

    Raises:
        InputError: the dimension of a condition is not known.
    """
    actions: dict[str, Action] = {state: scaling}
    for name in conditions:
        stays = scaling.weight(name) == 0.0
        actions[name] = TrivialAction() if stays else scaling.conditioning(name)
    return Symmetry(
        "flow-scaling", scaling.group, TreeAction(actions), scaling, elements=(0.5, 0.8, 1.25, 2.0)
    )
