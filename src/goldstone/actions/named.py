"""The ready symmetries of planar flows, by short name."""

from typing import Any

from goldstone.actions.boost import GalileanBoost
from goldstone.actions.fields import FieldLayout
from goldstone.actions.grid import Pivot
from goldstone.actions.naming import check_size, known_name
from goldstone.actions.planar import FourierTranslation, PointAction, ShiftAction, WallpaperAction
from goldstone.actions.reversal import ReversedVelocityAction
from goldstone.actions.symmetry import Symmetry
from goldstone.core import check_square_grid
from goldstone.groups import (
    AdditiveGroup,
    CyclicGroup,
    DihedralGroup,
    GridTranslations,
    PointGroup,
    WallpaperGroup,
)

FLOW_SYMMETRIES = {
    "c2": "half turn",
    "c4": "quarter turns",
    "d1": "reflection of the first axis",
    "d2": "half turn and axis reflections",
    "d4": "quarter turns and reflections",
    "shifts": "shifts by whole cells",
    "p4m": "shifts, quarter turns and reflections together",
    "translations": "shifts by parts of a cell",
    "boosts": "Galilean boosts",
    "reversed-d4": "quarter turns with reversed velocity: no symmetry, a negative control",
}
"""Short names and what they mean."""


def flow_symmetry(
    name: str, layout: FieldLayout, grid: tuple[int, int], pivot: Pivot = "cell", speed: float = 1.0
) -> Symmetry:
    """A ready symmetry of periodic grid fields.

    Args:
        name: one of :data:`FLOW_SYMMETRIES`, in any case.
        layout: what the channels are; input, output and target have the same.
        grid: size of the grid.
        pivot: the fixed point of a point group.
        speed: typical speed of the flow, in physical units; boosts are tested at 0.25, 0.5 and 1
            times this along both axes.

    Raises:
        InputError: unknown name, a non-square grid under quarter turns, or a layout that the
            symmetry cannot act on.
    """
    key = known_name(name, FLOW_SYMMETRIES)
    check_size(grid, 2)
    points: dict[str, PointGroup[Any]] = {
        "c2": CyclicGroup(2),
        "c4": CyclicGroup(4),
        "d1": DihedralGroup(1),
        "d2": DihedralGroup(2),
        "d4": DihedralGroup(4),
    }
    if key in ("c4", "d4", "p4m", "reversed-d4"):
        check_square_grid(grid, f"symmetry {name!r}")
    if key in points:
        action = PointAction(points[key], layout, pivot)
        return Symmetry(key, points[key], action, action)
    if key == "shifts":
        return Symmetry(
            key, GridTranslations(grid), ShiftAction(), ShiftAction(), elements=axis_shifts(grid)
        )
    if key == "p4m":
        group = WallpaperGroup(GridTranslations(grid), points["d4"])
        both = WallpaperAction(PointAction(points["d4"], layout, pivot))
        turns = tuple(((0, 0), p) for p in points["d4"].elements()[1:])
        shifts = tuple((t, points["d4"].identity) for t in axis_shifts(grid))
        return Symmetry(key, group, both, both, elements=turns + shifts)
    if key == "translations":
        steps = (0.25, 0.5, 1.0, 1.5, 2.5)
        tested = tuple((a, 0.0) for a in steps) + tuple((0.0, a) for a in steps)
        shift = FourierTranslation()
        group_of_shifts = AdditiveGroup("translation", 2, "cells")
        return Symmetry(key, group_of_shifts, shift, shift, elements=tested)
    if key == "boosts":
        boost = GalileanBoost(layout)
        speeds = tuple(round(float(f"{speed:.2g}") * factor, 12) for factor in (0.25, 0.5, 1.0))
        tested = tuple((c, 0.0) for c in speeds) + tuple((0.0, c) for c in speeds)
        # Losses scaled by the target's own size see the boosted frame; audits check and say so.
        return Symmetry(key, AdditiveGroup("boost", 2, "velocity"), boost, boost, elements=tested)
    base = PointAction(points["d4"], layout, pivot)
    wrong = ReversedVelocityAction(points["d4"], layout, base)
    return Symmetry(key, points["d4"], wrong, wrong)


def axis_shifts(grid: tuple[int, int]) -> tuple[tuple[int, int], ...]:
    """Shifts along each axis by 1, 2, 3 and every power of two up to half the grid."""
    tested = []
    for axis in (0, 1):
        size = grid[axis]
        steps = sorted({1, 2, 3} | {2**k for k in range(1, size.bit_length())})
        tested += [(step, 0) if axis == 0 else (0, step) for step in steps if step <= size // 2]
    return tuple(tested)
