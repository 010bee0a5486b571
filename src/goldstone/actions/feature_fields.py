"""Feature fields on grids in any number of dimensions: volumes, masks and feature maps."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from goldstone.actions.checks import check_fields
from goldstone.actions.context import Context
from goldstone.actions.elements import element_as_tensor
from goldstone.actions.grid import Pivot
from goldstone.actions.linear import apply_matrix
from goldstone.core import InputError
from goldstone.groups import FiniteGroup, Group, LinearGroup
from goldstone.representations import Representation


@dataclass(frozen=True)
class FeatureFieldAction:
    """(g·f)(p) = ρ(g) f(R⁻¹ p), R a signed permutation of the axes: exact.

    In three dimensions the octahedral groups on volumes (batch, channel, X, Y, Z); in two the
    same as :class:`goldstone.actions.PointAction` with fibres of any kind, such as regular ones, so
    it serves feature maps too.

    Attributes:
        group: a finite group whose matrices are signed permutations, of degree 2, 3, ….
        fibre: ρ, of the dimension of the channels; a direct sum for several fields.
        pivot: the fixed point, see :data:`goldstone.actions.Pivot`.

    Raises:
        InputError: a matrix of a generator is no signed permutation, or the fibre represents
            another group.
    """

    group: Group[Any]
    fibre: Representation
    pivot: Pivot = "cell"

    def __post_init__(self) -> None:
        check_signed_permutations(self.group)
        if self.fibre.group != self.group:
            raise InputError(
                f"expected a fibre of {self.group.name}, got a representation of "
                f"{self.fibre.group.name}"
            )

    def act(self, element: Any, x: Tensor, context: Context) -> Tensor:
        """Turn fields of shape (batch, channel, X, Y, …).

        Raises:
            InputError: the element lies outside the group, the channels are not the fibre's, or the
                element exchanges axes of different size.
        """
        group: Any = self.group
        check_fields(x, self.fibre.dimension, group.degree)
        g = element_as_tensor(group, element, x.device)
        moved = move_grid(x, group.matrices(g), self.pivot)
        return apply_matrix(self.fibre.matrix_unchecked(g), moved, 1)


@dataclass(frozen=True)
class GridAction:
    """(g·f)(p) = f(R⁻¹ p): the grid turns, the values stay, whatever their dtype.

    For masks, obstacles, segmentations (integers or booleans) and other scalars on the last axes of
    a tensor.

    Attributes:
        group, pivot: as for :class:`FeatureFieldAction`.
    """

    group: Group[Any]
    pivot: Pivot = "cell"

    def __post_init__(self) -> None:
        check_signed_permutations(self.group)

    def act(self, element: Any, x: Tensor, context: Context) -> Tensor:
        """Turn the last axes, as many as the degree of the group.

        Raises:
            InputError: as :class:`FeatureFieldAction`.
        """
        group: Any = self.group
        g = element_as_tensor(group, element, x.device)
        return move_grid(x, group.matrices(g), self.pivot)


def move_grid(x: Tensor, matrix: Tensor, pivot: Pivot = "cell") -> Tensor:
    """f′(p) = f(R⁻¹ p) on the last d axes, R a signed d×d permutation matrix: exact.

    :func:`goldstone.actions.move_points` in any number of dimensions.

    Raises:
        InputError: x has fewer axes, or R exchanges axes of different size.
    """
    d = len(matrix)
    if x.ndim < d:
        raise InputError(
            f"expected a grid of {d} axes at the end, got a tensor of shape {tuple(x.shape)}"
        )
    # Row i of R: the new axis i carries the old axis source[i], reversed where the sign is −1.
    source = matrix.abs().argmax(1).tolist()
    signs = matrix.sum(1).tolist()
    leading = list(range(x.ndim - d))
    grid = x.shape[x.ndim - d :]
    if any(grid[a] != grid[b] for a, b in _moved_axes(source)):
        raise InputError(
            f"the element exchanges axes of a {'×'.join(map(str, grid))} grid, which have to be of "
            "the same size; use a subgroup that keeps the axes, or a crop"
        )
    x = x.permute(leading + [x.ndim - d + a for a in source])
    backwards = [i - d for i, sign in enumerate(signs) if sign < 0]
    if not backwards:
        return x
    x = x.flip(backwards)
    return x.roll([1] * len(backwards), backwards) if pivot == "node" else x


def _moved_axes(source: list[int]) -> list[tuple[int, int]]:
    """The pairs (new axis, old axis) that differ."""
    return [(i, a) for i, a in enumerate(source) if i != a]


def check_signed_permutations(group: Group[Any]) -> None:
    """Raise unless the group maps grids of cubes onto themselves.

    Raises:
        InputError: it is not finite, has no matrices or one that is no signed permutation.
    """
    if not isinstance(group, FiniteGroup) or not isinstance(group, LinearGroup):
        raise InputError(f"a grid turns under a finite group of matrices, got {group.name}")
    for g in group.generators():
        matrix = group.matrices(group.tensor((g,)))[0]
        size = torch.linalg.matrix_norm(matrix, ord=float("inf"))
        whole = bool((matrix == matrix.round()).all())
        if not whole or float(size) != 1.0 or float(torch.linalg.det(matrix).abs().round()) != 1.0:
            raise InputError(
                f"{group.name} does not map a grid onto itself: the matrix of "
                f"{group.element_name(g)} is no signed permutation"
            )
