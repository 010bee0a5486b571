"""Fields with walls: which symmetries keep the boundary and the shape of the grid."""

from typing import Any

import torch

from goldstone.actions.naming import check_size
from goldstone.core import InputError
from goldstone.groups import FiniteGroup, LinearGroup, Subgroup, SubgroupGroup, subgroup_as_group
from goldstone.groups.subgroups import named_subgroup


def keeping_walls(
    group: FiniteGroup[Any],
    bounded: tuple[int, ...],
    equal_walls: bool = True,
    grid: tuple[int, ...] | None = None,
) -> SubgroupGroup[Any]:
    """The subgroup of a point group that maps walls to walls.

    Args:
        group: a finite group of signed permutation matrices, such as D4 or the octahedral group.
        bounded: the axes, counted from 0, that end at walls; along the others the field is
            periodic.
        equal_walls: all walls are alike, those of different axes too. If not (a heated and a
            cooled one), no element may exchange them.
        grid: size of the grid; axes of different sizes are not exchanged. By default all are equal.

    Returns:
        The group of the elements that map bounded axes to bounded axes, and, unless walls are
        equal, keep the direction of each and each where it is.

    Raises:
        InputError: the group has no matrices, or they are not of the size of the grid; or an axis
            is not among its own.
    """
    if not isinstance(group, LinearGroup):
        raise InputError(f"expected a group of matrices, got {group.name}")
    check_bounded(bounded, group.degree)
    if grid is not None:
        check_size(grid, group.degree)
    size = torch.tensor(grid or (1,) * group.degree)
    walls = torch.tensor([axis in bounded for axis in range(group.degree)])
    # Entry (i, j) of a matrix is where the axis j goes to the axis i.
    forbidden = (size[:, None] != size) | (walls[:, None] != walls)
    elements = group.element_tensor()
    matrices = group.matrices(elements)
    keeps = ~(matrices != 0)[:, forbidden].any(-1)
    if not equal_walls:
        keeps &= (matrices.diagonal(dim1=-2, dim2=-1)[:, walls] == 1).all(-1)
    kept = list(group.values(elements[keeps]))
    found: Subgroup[Any] = named_subgroup(group, frozenset(kept), _named(group, kept))
    return subgroup_as_group(group, found)


def check_bounded(bounded: tuple[int, ...], dimensions: int) -> None:
    """Raise unless the bounded axes are among those of the grid.

    Raises:
        InputError: they are not.
    """
    if any(not 0 <= axis < dimensions for axis in bounded):
        raise InputError(f"expected bounded axes among 0 … {dimensions - 1}, got {bounded}")


def _named(group: FiniteGroup[Any], elements: list[Any]) -> list[Any]:
    """A few of the elements that generate them all."""
    generators: list[Any] = []
    reached = frozenset({group.identity})
    for a in elements:
        if a not in reached:
            generators.append(a)
            reached = group.generated_by(generators)
    return generators
