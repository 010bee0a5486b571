"""Point clouds under rotations, reflections and rigid motions."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from goldstone.actions.checks import check_numbers
from goldstone.actions.context import Context
from goldstone.actions.elements import element_as_tensor
from goldstone.actions.linear import apply_matrix
from goldstone.core import InputError
from goldstone.groups import (
    AdditiveGroup,
    EuclideanGroup,
    Group,
    LinearGroup,
    OrthogonalGroup,
    SpecialEuclideanGroup,
    SpecialOrthogonalGroup,
)
from goldstone.representations import Representation

PointKind = Literal["position", "vector", "pseudovector", "scalar", "pseudoscalar"]
"""How a feature of a point moves under x ↦ A x + t:

============  ====================
kind          becomes
============  ====================
position      A x + t
vector        A v
pseudovector  det(A) A v
scalar        unchanged
pseudoscalar  times det A
============  ====================
"""


@dataclass(frozen=True)
class PointFeature:
    """A feature of every point: its name, how it moves, and how many of it lie side by side.

    Attributes:
        name: a name, distinct within a cloud.
        kind: a :data:`PointKind`, or a representation of the linear part of the group: O(n) for
            E(n), SO(n) for SE(n), else the group itself.
        copies: how many.
    """

    name: str
    kind: PointKind | Representation
    copies: int = 1

    def __post_init__(self) -> None:
        if not isinstance(self.kind, Representation) and self.kind not in get_args(PointKind):
            raise InputError(
                f"feature {self.name!r}: expected a representation or one of "
                f"{', '.join(get_args(PointKind))}, got {self.kind!r}"
            )
        if self.copies < 1:
            raise InputError(f"feature {self.name!r}: expected 1 or more copies, got {self.copies}")


POSITIONS = (PointFeature("position", "position"),)
"""A bare point cloud."""


@dataclass(frozen=True)
class PointCloudAction:
    """Every point moves by x ↦ A x + t, and its features with it.

    Points lie along any axes before the last: (batch, point, channel), or (point, channel) for
    ragged batches. Differentiable in an element given as a tensor.

    Attributes:
        group: SO(n), O(n), SE(n), E(n), the shifts ``AdditiveGroup`` of dimension n, or another
            group of real n×n matrices, such as a finite subgroup of O(3).
        features: what the channels are, in order.

    Raises:
        InputError: another group, features without distinct names, or a representation of another
            group.
    """

    group: Group[Any]
    features: tuple[PointFeature, ...] = POSITIONS

    def __post_init__(self) -> None:
        real = not self.group.element_dtype.is_complex
        if not isinstance(self.group, (LinearGroup, AdditiveGroup)) or not real:
            raise InputError(
                "points move under a group of real matrices, rigid motions or shifts, got "
                f"{self.group.name}"
            )
        names = [feature.name for feature in self.features]
        if not names or len(set(names)) != len(names):
            raise InputError(f"expected one or more features of distinct names, got {names}")
        for feature in self.features:
            kind = feature.kind
            if isinstance(kind, Representation) and kind.group != self.linear_group:
                raise InputError(
                    f"feature {feature.name!r}: expected a representation of "
                    f"{self.linear_group.name}, the linear part of {self.group.name}, got one of "
                    f"{kind.group.name}"
                )

    @property
    def dimension(self) -> int:
        """n, of the space."""
        group: Any = self.group
        if isinstance(group, AdditiveGroup):
            return group.dimension
        return int(group.n if isinstance(group, _MOTIONS) else group.degree)

    @property
    def linear_group(self) -> Group[Any]:
        """The group of the linear parts A."""
        if isinstance(self.group, EuclideanGroup):
            return OrthogonalGroup(self.dimension)
        if isinstance(self.group, SpecialEuclideanGroup):
            return SpecialOrthogonalGroup(self.dimension)
        return self.group

    @property
    def channels(self) -> int:
        """Size of the last axis."""
        return sum(feature.copies * self._size(feature) for feature in self.features)

    def act(self, element: Any, x: Tensor, context: Context) -> Tensor:
        """Move clouds of shape (…, point, channel).

        Raises:
            InputError: the element lies outside the group, or the channels are not those declared.
        """
        check_numbers(x, "points")
        if x.ndim < 2 or x.shape[-1] != self.channels:
            raise InputError(
                f"expected points (…, point, {self.channels}) with the features "
                f"{', '.join(feature.name for feature in self.features)}, got a tensor of shape "
                f"{tuple(x.shape)}"
            )
        linear, matrix, shift = self._motion(element_as_tensor(self.group, element, x.device))
        parts = []
        sizes = [feature.copies * self._size(feature) for feature in self.features]
        for feature, part in zip(self.features, torch.split(x, sizes, -1), strict=True):
            block = self._block(feature, linear, matrix)
            moved = part
            if block is not None:
                copies = part.reshape(*part.shape[:-1], feature.copies, len(block))
                moved = apply_matrix(block, copies, -1).flatten(-2)
            if feature.kind == "position":
                moved = moved + shift.to(x.dtype).repeat(feature.copies)
            parts.append(moved)
        return torch.cat(parts, -1)

    def _motion(self, g: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The element of the linear group, its matrix, and the shift."""
        n = self.dimension
        if isinstance(self.group, AdditiveGroup):
            one = torch.eye(n, dtype=g.dtype, device=g.device)
            return torch.zeros_like(g), one, g
        if isinstance(self.group, _MOTIONS):
            return g[:n, :n], g[:n, :n], g[:n, n]
        group: Any = self.group
        matrix = group.matrices(g)
        return g, matrix, matrix.new_zeros(n)

    def _block(self, feature: PointFeature, linear: Tensor, matrix: Tensor) -> Tensor | None:
        """The matrix of one copy; None for those that stay."""
        if isinstance(feature.kind, Representation):
            return feature.kind.matrix_unchecked(linear)
        if feature.kind == "scalar":
            return None
        if feature.kind in ("position", "vector"):
            return matrix
        determinant: Tensor = torch.linalg.det(matrix)
        if feature.kind == "pseudoscalar":
            return determinant[None, None]
        return determinant * matrix

    def _size(self, feature: PointFeature) -> int:
        if isinstance(feature.kind, Representation):
            return feature.kind.dimension
        return 1 if feature.kind in ("scalar", "pseudoscalar") else self.dimension


_MOTIONS = (SpecialEuclideanGroup, EuclideanGroup)
