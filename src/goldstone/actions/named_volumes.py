"""The ready symmetries of fields in three dimensions, by short name."""

from typing import Any

from goldstone.actions.bounded import check_bounded, keeping_walls
from goldstone.actions.feature_fields import FeatureFieldAction
from goldstone.actions.grid import Pivot
from goldstone.actions.naming import Output, check_size, known_name, output_action
from goldstone.actions.points import PointKind
from goldstone.actions.shifts import GridShift
from goldstone.actions.symmetry import Symmetry
from goldstone.core import InputError
from goldstone.groups import FiniteGroup, Group, PolyhedralGroup, TorusGroup
from goldstone.representations import (
    DeterminantRepresentation,
    DirectSum,
    Representation,
    StandardRepresentation,
    TensorProduct,
    TrivialRepresentation,
)

VOLUME_SYMMETRIES = {
    "octahedral": "rotations of the cube",
    "full-octahedral": "rotations and reflections of the cube",
    "points": "the rotations and reflections that map the box and its walls onto themselves",
    "shifts": "shifts of a periodic box by any amount",
}
"""Short names and what they mean."""

Kinds = tuple[PointKind, ...]


def volume_symmetry(
    name: str,
    grid: tuple[int, int, int],
    fields: Kinds,
    pivot: Pivot = "cell",
    output: Output | Kinds = "same",
    bounded: tuple[int, ...] = (),
    equal_walls: bool = True,
) -> Symmetry:
    """A ready symmetry of fields (batch, channel, X, Y, Z).

    Shifts are tested along each periodic axis by half a cell, one cell and a quarter of the box.

    Args:
        name: one of :data:`VOLUME_SYMMETRIES`, in any case.
        grid: size of the grid.
        fields: what the channels are, in order: ``scalar``, ``pseudoscalar``, ``vector`` or
            ``pseudovector``, the latter two of three channels each.
        pivot: the fixed point of the rotations; along axes that end at walls it has to be ``cell``.
        output: ``same`` as the input, ``invariant``, what the output's channels are, or an action.
        bounded: the axes that end at walls, counted from 0; for ``points`` and ``shifts``.
        equal_walls: all walls are alike; if not (a heated and a cooled one), none is exchanged.

    Raises:
        InputError: an unknown name, a grid that is not a cube, walls that the symmetry does not
            keep, or a kind that a field cannot have.
    """
    key = known_name(name, VOLUME_SYMMETRIES)
    check_size(grid, 3)
    check_bounded(bounded, 3)
    if key == "shifts":
        return _shifts(grid, fields, output, bounded)
    group: FiniteGroup[Any] = PolyhedralGroup("O" if key == "octahedral" else "Oh")
    kept = group
    if key == "points":
        if bounded and pivot != "cell":
            raise InputError("a field with walls turns about its middle: expected pivot 'cell'")
        kept = keeping_walls(group, bounded, equal_walls, grid)
    elif len(set(grid)) != 1:
        raise InputError(
            f"symmetry {name!r}: expected a cube, got {'×'.join(map(str, grid))}; use 'points', or "
            "a crop"
        )
    elif bounded:
        raise InputError(f"symmetry {name!r} takes no walls; use 'points'")
    turn = FeatureFieldAction(group, fibre_of(group, fields), pivot)
    on_output = (
        FeatureFieldAction(group, fibre_of(group, output), pivot)
        if isinstance(output, tuple)
        else output_action(output, turn)
    )
    return Symmetry(key, kept, turn, on_output)


def _shifts(
    grid: tuple[int, int, int], fields: Kinds, output: Output | Kinds, bounded: tuple[int, ...]
) -> Symmetry:
    free = tuple(axis for axis in range(3) if axis not in bounded)
    if not free:
        raise InputError("a field with walls along every axis has no shifts")
    for kinds in (fields, output) if isinstance(output, tuple) else (fields,):
        fibre_of(PolyhedralGroup("O"), kinds)
    shifts = TorusGroup(tuple(float(grid[axis]) for axis in free))
    steps = [
        tuple(a if i == place else 0.0 for i in range(len(free)))
        for place, axis in enumerate(free)
        for a in (0.5, 1.0, grid[axis] / 4)
        if a < grid[axis]
    ]
    move = GridShift(shifts, free)
    on_output = move if isinstance(output, tuple) else output_action(output, move)
    return Symmetry("shifts", shifts, move, on_output, elements=tuple(dict.fromkeys(steps)))


def fibre_of(group: Group[Any], fields: Kinds) -> Representation:
    """The direct sum of the representations of the fields.

    Raises:
        InputError: there are none, or one is of a kind that a field cannot have.
    """
    vector, sign = StandardRepresentation(group), DeterminantRepresentation(group)
    known: dict[str, Representation] = {
        "scalar": TrivialRepresentation(group),
        "pseudoscalar": sign,
        "vector": vector,
        "pseudovector": TensorProduct(group, (sign, vector)),
    }
    wrong = [kind for kind in fields if kind not in known]
    if wrong or not fields:
        raise InputError(f"expected fields of the kinds {', '.join(known)}, got {wrong or 'none'}")
    return DirectSum(group, tuple(known[kind] for kind in fields))
