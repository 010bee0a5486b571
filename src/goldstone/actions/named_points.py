"""The ready symmetries of point clouds and sets, by short name."""

from collections.abc import Callable
from typing import Any

import torch

from goldstone.actions.action import Action
from goldstone.actions.linear import TrivialAction
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

POINT_CLOUD_SYMMETRIES = {
    "so3": "rotations about the origin",
    "o3": "rotations and reflections about the origin",
    "shifts": "shifts",
    "se3": "rigid motions",
    "e3": "rigid motions and reflections",
    "permutations": "reorderings of the points",
    "permutations-e3": "reorderings of the points, rigid motions and reflections together",
}
"""Short names and what they mean; ``so2``, ``o2``, ``se2``, ``e2`` are those of the plane."""

Features = tuple[PointFeature, ...]


def point_cloud_symmetry(
    name: str,
    points: int,
    features: Features = POSITIONS,
    output: Features | None = None,
    seed: int = 0,
) -> Symmetry:
    """A ready symmetry of point clouds (batch, point, channel).

    Six random elements are tested (Haar measure; shifts are standard normal, so scale the data to
    size one or give ``elements`` of your own by ``dataclasses.replace``), and in O(n) the
    reflection of the first axis; of the permutations an exchange of two neighbours, a cyclic shift,
    the reversal and three random ones.

    Args:
        name: one of :data:`POINT_CLOUD_SYMMETRIES`, in any case.
        points: number of points.
        features: what the channels of a point are.
        output: what the channels of the output's points are, such as one ``vector`` for forces;
            None for an invariant output such as an energy or a class.
        seed: of the random elements.

    Raises:
        InputError: an unknown name, or features that the group cannot act on.
    """
    key = name.lower()
    generator = torch.Generator().manual_seed(seed)
    orders = SymmetricGroup(points)
    permute: Action = AxisPermutation((1,))
    stays: Action = TrivialAction()
    if key == "permutations":
        permuted = stays if output is None else permute
        return Symmetry(key, orders, permute, permuted, elements=some_permutations(points, seed))
    prefix = "permutations-"
    spatial = _spatial_group(key.removeprefix(prefix))
    if spatial is None:
        known = "; ".join(f"{k} ({v})" for k, v in POINT_CLOUD_SYMMETRIES.items())
        raise InputError(f"unknown symmetry {name!r}; the short names are {known}")
    moves = PointCloudAction(spatial, features)
    moved = stays if output is None else PointCloudAction(spatial, output)
    drawn = spatial.values(spatial.sample(generator, (6,)))
    tested = _reflections(spatial) + drawn
    if not key.startswith(prefix):
        return Symmetry(key, spatial, moves, moved, elements=tested)
    both = (orders, spatial)
    on_input = ProductAction(both, (permute, moves))
    on_output = stays if output is None else ProductAction(both, (permute, moved))
    pairs = tuple(zip(some_permutations(points, seed), drawn, strict=False))
    return Symmetry(key, direct_product(*both), on_input, on_output, elements=pairs)


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
    """An exchange of neighbours, a cyclic shift, the reversal, three random ones; no repeats."""
    group = SymmetricGroup(size)
    drawn = group.values(group.sample(torch.Generator().manual_seed(seed), (3,)))
    reversal = tuple(range(size))[::-1]
    found = dict.fromkeys((*group.generators(), reversal, *drawn))
    return tuple(a for a in found if a != group.identity)


def _spatial_group(key: str) -> Group[Any] | None:
    families: dict[str, Callable[[int], Group[Any]]] = {
        "so": SpecialOrthogonalGroup,
        "o": OrthogonalGroup,
        "se": SpecialEuclideanGroup,
        "e": EuclideanGroup,
    }
    if key == "shifts":
        return AdditiveGroup("shift", 3)
    if key[-1:] in ("2", "3") and key[:-1] in families:
        return families[key[:-1]](int(key[-1]))
    return None


def _reflections(group: Group[Any]) -> tuple[Any, ...]:
    if isinstance(group, (OrthogonalGroup, EuclideanGroup)):
        return group.component_generators()
    return ()
