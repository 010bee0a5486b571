"""Fields with walls: which symmetries keep the boundary."""

from typing import Any

from goldstone.core import InputError
from goldstone.groups import FiniteGroup, LinearGroup, Subgroup, SubgroupGroup, subgroup_as_group
from goldstone.groups.subgroups import named_subgroup


def keeping_walls(
    group: FiniteGroup[Any], bounded: tuple[int, ...], equal_walls: bool = True
) -> SubgroupGroup[Any]:
    """The subgroup of a point group that maps walls to walls.

    Args:
        group: a finite group of signed permutation matrices, such as D4 or the octahedral group.
        bounded: the axes, counted from 0, that end at walls; along the others the field is
            periodic.
        equal_walls: the two walls of an axis are alike. If not (a heated and a cooled one), no
            element may exchange them.

    Returns:
        The group of the elements that map bounded axes to bounded axes, and, unless walls are
        equal, keep the direction of each and each where it is.

    Raises:
        InputError: the group has no matrices, or an axis is not among its own.
    """
    if not isinstance(group, LinearGroup):
        raise InputError(f"expected a group of matrices, got {group.name}")
    if any(not 0 <= axis < group.degree for axis in bounded):
        raise InputError(f"expected bounded axes among 0 … {group.degree - 1}, got {bounded}")
    elements = group.element_tensor()
    kept = []
    for value, matrix in zip(group.values(elements), group.matrices(elements), strict=True):
        rows = {axis: matrix[:, axis] for axis in bounded}
        if equal_walls:
            others = [axis for axis in range(group.degree) if axis not in bounded]
            keeps = all(bool((row[others] == 0).all()) for row in rows.values())
        else:
            keeps = all(float(row[axis]) == 1.0 for axis, row in rows.items())
        if keeps:
            kept.append(value)
    found: Subgroup[Any] = named_subgroup(group, frozenset(kept), _named(group, kept))
    return subgroup_as_group(group, found)


def _named(group: FiniteGroup[Any], elements: list[Any]) -> list[Any]:
    """A few of the elements that generate them all."""
    generators: list[Any] = []
    reached = frozenset({group.identity})
    for a in elements:
        if a not in reached:
            generators.append(a)
            reached = group.generated_by(generators)
    return generators
