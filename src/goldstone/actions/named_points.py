"""The ready symmetries of point clouds and sets, by short name."""

from collections.abc import Callable
from typing import Any

import torch

from goldstone.actions.action import Action
from goldstone.actions.linear import TrivialAction
from goldstone.actions.naming import known_name
from goldstone.actions.permuting import AxisPermutation
from goldstone.actions.points import POSITIONS, PointCloudAction, PointFeature
from goldstone.actions.product import ProductAction
from goldstone.actions.symmetry import Symmetry
from goldstone.core import InputError
from goldstone.groups import (
    AdditiveGroup,
    EuclideanGroup,
    Group,
    OrthogonalGroup,
    SpecialEuclideanGroup,
    SpecialOrthogonalGroup,
    SymmetricGroup,
    direct_product,
)

PREFIX = "permutations-"

_IN_SPACE = {
    "so3": "rotations about the origin",
    "o3": "rotations and reflections about the origin",
    "shifts": "shifts",
    "se3": "rigid motions",
    "e3": "rigid motions and reflections",
}

POINT_CLOUD_SYMMETRIES = (
    _IN_SPACE
    | {"permutations": "reorderings of the points"}
    | {
        PREFIX + name: f"reorderings of the points, {text} together"
        for name, text in _IN_SPACE.items()
    }
)
"""Short names and what they mean, for points in space."""

_IN_PLANE = {
    "so2": "rotations of the plane",
    "o2": "rotations and reflections of the plane",
    "shifts2": "shifts of the plane",
    "se2": "rigid motions of the plane",
    "e2": "rigid motions and reflections of the plane",
}

PLANAR_POINT_CLOUD_SYMMETRIES = _IN_PLANE | {
    PREFIX + name: f"reorderings of the points, {text} together" for name, text in _IN_PLANE.items()
}
"""The same for points in the plane; ``permutations`` are in :data:`POINT_CLOUD_SYMMETRIES`."""

Features = tuple[PointFeature, ...]


def point_cloud_symmetry(
    name: str,
    points: int,
    features: Features = POSITIONS,
    output: Features | Action | None = None,
    seed: int = 0,
) -> Symmetry:
    """A ready symmetry of point clouds (batch, point, channel).

    Six random elements are tested (Haar measure; shifts are standard normal, so scale the data to
    size one or give ``elements`` of your own by ``dataclasses.replace``), and in O(n) the
    reflection of the first axis; of the permutations an exchange of two neighbours, a cyclic shift,
    the reversal and three random ones.

    Args:
        name: one of :data:`POINT_CLOUD_SYMMETRIES` or :data:`PLANAR_POINT_CLOUD_SYMMETRIES`, in
            any case.
        points: number of points, two or more if they are permuted.
        features: what the channels of a point are.
        output: what the channels of the output's points are, such as one ``vector`` for forces;
            None for an invariant output such as an energy or a class; an action of the same group
            for others, such as ``ProductAction`` for a dipole of the whole cloud, which rotates but
            is not permuted.
        seed: of the random elements.

    Raises:
        InputError: an unknown name, too few points, or features that the group cannot act on.
    """
    key = known_name(name, POINT_CLOUD_SYMMETRIES | PLANAR_POINT_CLOUD_SYMMETRIES)
    permute = AxisPermutation((1,))
    if key == "permutations":
        on_output = _output(output, lambda _: permute)
        group, elements = SymmetricGroup(points), some_permutations(points, seed)
        return Symmetry(key, group, permute, on_output, elements=elements)
    spatial = _spatial_group(key.removeprefix(PREFIX))
    moves = PointCloudAction(spatial, features)
    drawn = spatial.values(spatial.sample(torch.Generator().manual_seed(seed), (6,)))
    if not key.startswith(PREFIX):
        on_output = _output(output, lambda kinds: PointCloudAction(spatial, kinds))
        return Symmetry(key, spatial, moves, on_output, elements=_reflections(spatial) + drawn)
    both = (SymmetricGroup(points), spatial)
    on_output = _output(
        output, lambda kinds: ProductAction(both, (permute, PointCloudAction(spatial, kinds)))
    )
    return Symmetry(
        key,
        direct_product(*both),
        ProductAction(both, (permute, moves)),
        on_output,
        elements=tuple(zip(some_permutations(points, seed), drawn, strict=False)),
    )


def set_symmetry(size: int, invariant: bool = True, axis: int = 1, seed: int = 0) -> Symmetry:
    """S_n on sets (batch, element, …), tested on a few permutations.

    Args:
        size: number of elements of a set.
        invariant: the output does not move; else it is permuted as the input is.
        axis: the axis of the elements.
        seed: of the random permutations.
    """
    permute = AxisPermutation((axis,))
    output: Action = TrivialAction() if invariant else permute
    elements = some_permutations(size, seed)
    return Symmetry("permutations", SymmetricGroup(size), permute, output, elements=elements)


def some_permutations(size: int, seed: int = 0) -> tuple[tuple[int, ...], ...]:
    """An exchange of neighbours, a cyclic shift, the reversal, three random ones; no repeats.

    Raises:
        InputError: there are fewer than two points.
    """
    if not isinstance(size, int) or size < 2:
        raise InputError(f"expected two or more points to permute, got {size!r}")
    group = SymmetricGroup(size)
    drawn = group.values(group.sample(torch.Generator().manual_seed(seed), (3,)))
    reversal = tuple(range(size))[::-1]
    found = dict.fromkeys((*group.generators(), reversal, *drawn))
    return tuple(a for a in found if a != group.identity)


def _output(output: Features | Action | None, moves: Callable[[Features], Action]) -> Action:
    """How the output moves: not at all, as features of the points do, or by a given action."""
    if output is None:
        return TrivialAction()
    return moves(output) if isinstance(output, tuple) else output


def _spatial_group(key: str) -> Group[Any]:
    families: dict[str, Callable[[int], Group[Any]]] = {
        "so": SpecialOrthogonalGroup,
        "o": OrthogonalGroup,
        "se": SpecialEuclideanGroup,
        "e": EuclideanGroup,
    }
    if key.startswith("shifts"):
        return AdditiveGroup("shift", 2 if key.endswith("2") else 3)
    return families[key[:-1]](int(key[-1]))


def _reflections(group: Group[Any]) -> tuple[Any, ...]:
    if isinstance(group, (OrthogonalGroup, EuclideanGroup)):
        return group.component_generators()
    return ()
