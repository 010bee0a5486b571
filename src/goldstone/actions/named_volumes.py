"""The ready symmetries of fields in three dimensions, by short name."""

from typing import Any

from goldstone.actions.feature_fields import FeatureFieldAction
from goldstone.actions.grid import Pivot
from goldstone.actions.points import PointKind
from goldstone.actions.shifts import GridShift
from goldstone.actions.symmetry import Symmetry
from goldstone.core import InputError
from goldstone.groups import Group, PolyhedralGroup, TorusGroup
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
    "shifts": "shifts of a periodic box by any amount",
}
"""Short names and what they mean."""


def volume_symmetry(
    name: str, grid: tuple[int, int, int], fields: tuple[PointKind, ...], pivot: Pivot = "cell"
) -> Symmetry:
    """A ready symmetry of fields (batch, channel, X, Y, Z); input and output have the same.

    Shifts are tested along each axis by half a cell, one cell and a quarter of the box.

    Args:
        name: one of :data:`VOLUME_SYMMETRIES`, in any case.
        grid: size of the grid.
        fields: what the channels are, in order: ``scalar``, ``pseudoscalar``, ``vector`` or
            ``pseudovector``, the latter two of three channels each.
        pivot: the fixed point of the rotations.

    Raises:
        InputError: an unknown name, a grid that is not a cube, or a kind that a field cannot have.
    """
    key = name.lower()
    if key == "shifts":
        shifts = TorusGroup(tuple(float(n) for n in grid))
        steps = [
            tuple(a if i == axis else 0.0 for i in range(3))
            for axis, n in enumerate(grid)
            for a in (0.5, 1.0, n / 4)
        ]
        move = GridShift(shifts, (0, 1, 2))
        return Symmetry(key, shifts, move, move, elements=tuple(dict.fromkeys(steps)))
    if key not in VOLUME_SYMMETRIES:
        known = "; ".join(f"{k} ({v})" for k, v in VOLUME_SYMMETRIES.items())
        raise InputError(f"unknown symmetry {name!r}; the short names are {known}")
    if len(set(grid)) != 1:
        raise InputError(
            f"symmetry {name!r}: expected a cube, got {'×'.join(map(str, grid))}; use shifts, or a "
            "crop"
        )
    group = PolyhedralGroup("O" if key == "octahedral" else "Oh")
    turn = FeatureFieldAction(group, fibre_of(group, fields), pivot)
    return Symmetry(key, group, turn, turn)


def fibre_of(group: Group[Any], fields: tuple[PointKind, ...]) -> Representation:
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
