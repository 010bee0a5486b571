"""Where the points of a batch of clouds are, and the group's elements from orthonormal bases."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from goldstone.actions import PointCloudAction, Symmetry, TreeAction
from goldstone.core import InputError
from goldstone.core.trees import Tree
from goldstone.groups import (
    EuclideanGroup,
    Group,
    OrthogonalGroup,
    SpecialEuclideanGroup,
    SpecialOrthogonalGroup,
)

_MOTIONS = (SpecialEuclideanGroup, EuclideanGroup)
_PROPER = (SpecialOrthogonalGroup, SpecialEuclideanGroup)
_KNOWN = (OrthogonalGroup, SpecialOrthogonalGroup, *_MOTIONS)


def space_dimension(group: Group[Any]) -> int:
    """The n of SO(n), O(n), SE(n) or E(n).

    Raises:
        InputError: another group.
    """
    if not isinstance(group, _KNOWN):
        raise InputError(f"expected SO(n), O(n), SE(n) or E(n), got {group.name}")
    return int(group.n)


def is_proper(group: Group[Any]) -> bool:
    """Whether the group has rotations and no reflections."""
    return isinstance(group, _PROPER)


def moves_origin(group: Group[Any]) -> bool:
    """Whether the group has shifts."""
    return isinstance(group, _MOTIONS)


def elements_of_bases(group: Group[Any], bases: Tensor, origin: Tensor) -> Tensor:
    """The elements x ↦ B x + origin of a group, from bases (*batch, n, n) in columns.

    Without shifts in the group, the origin is left out.
    """
    if not moves_origin(group):
        return bases
    top = torch.cat((bases, origin.expand(bases.shape[:-1])[..., None]), -1)
    bottom = torch.zeros_like(top[..., :1, :])
    bottom[..., -1] = 1.0
    return torch.cat((top, bottom), -2)


@dataclass(frozen=True)
class Positions:
    """Reads the points' positions, relative to their centre if the group has shifts.

    Attributes:
        group: SO(n), O(n), SE(n) or E(n).
        start: the first channel of the positions.
        entry: the key or place of the cloud in inputs that are dicts or tuples.
        bare: whether positions and scalars are all that the points carry.
        channels: of a point.
    """

    group: Group[Any]
    start: int
    entry: str | int | None
    bare: bool
    channels: int

    def __call__(self, x: Tree) -> tuple[Tensor, Tensor]:
        """Centred positions (batch, point, n) in float64, and centres (batch, n).

        Raises:
            InputError: the input is no batch of clouds.
        """
        cloud = x if self.entry is None else x[self.entry]
        n = space_dimension(self.group)
        if not isinstance(cloud, Tensor) or cloud.ndim != 3 or cloud.shape[-1] != self.channels:
            found = tuple(cloud.shape) if isinstance(cloud, Tensor) else type(cloud).__name__
            raise InputError(f"expected clouds (batch, point, {self.channels}), got {found}")
        # In double precision, so that bases are orthonormal to what a group's elements need.
        points = cloud[..., self.start : self.start + n].double()
        centre = (
            points.mean(1) if moves_origin(self.group) else points.new_zeros(points.shape[0], n)
        )
        return points - centre[:, None], centre


def positions_of(symmetry: Symmetry, entry: str | int | None = None) -> Positions:
    """Reads the positions, or else the first vectors, that the symmetry's input declares.

    Raises:
        InputError: the input is no point cloud under SO(n), O(n), SE(n) or E(n), or has neither.
    """
    space_dimension(symmetry.group)
    action: Any = symmetry.on_input
    bare = True
    if isinstance(action, TreeAction):
        parts: Any = action.parts
        others = len(parts)
        if entry is None:
            raise InputError("say in entry= which of the inputs is the point cloud")
        action, bare = parts[entry], others == 1
    if not isinstance(action, PointCloudAction):
        raise InputError(
            f"expected inputs that move as point clouds (PointCloudAction), got {action!r:.100}"
        )
    start, found = 0, None
    for feature in action.features:
        if feature.kind in ("position", "vector") and found is None:
            found = start
            bare = bare and feature.copies == 1
        elif feature.kind != "scalar":
            bare = False
        size = 1 if feature.kind in ("scalar", "pseudoscalar") else action.dimension
        if not isinstance(feature.kind, str):
            size = feature.kind.dimension
        start += feature.copies * size
    if found is None:
        raise InputError("expected points that have a position or a vector, got neither")
    return Positions(symmetry.group, found, entry, bare, action.channels)
