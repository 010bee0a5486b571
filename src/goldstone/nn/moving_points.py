"""Point clouds, each moved by its own element."""

from typing import Any

import torch
from torch import Tensor

from goldstone.actions import PointCloudAction, PointFeature
from goldstone.core import InputError
from goldstone.groups import AdditiveGroup, EuclideanGroup, SpecialEuclideanGroup
from goldstone.representations import Representation


def move_point_clouds(action: PointCloudAction, elements: Tensor, x: Tensor) -> Tensor:
    """Clouds (n, …, point, channel) under x ↦ A x + t, each by its own element, features too.

    Equal to ``action.act`` cloud by cloud, without a check that the elements lie in the group.

    Raises:
        InputError: the channels are not those declared.
    """
    if x.shape[-1] != action.channels or not (x.is_floating_point() or x.is_complex()):
        raise InputError(
            f"expected floating-point clouds (batch, …, point, {action.channels}), got {x.dtype} "
            f"of shape {tuple(x.shape)}"
        )
    linear, matrix, shift = _motions(action, elements)
    rows = x.flatten(1, -2)
    parts, start = [], 0
    for feature in action.features:
        block = _blocks(feature, linear, matrix)
        size = 1 if block is None else block.shape[-1]
        part = rows[..., start : start + size * feature.copies]
        start += size * feature.copies
        if block is not None:
            rows_of_copies = (rows.shape[1] * feature.copies, size)
            copies = part.reshape(x.shape[0], *rows_of_copies)
            part = (copies @ block.to(x.dtype).mT).reshape(part.shape)
        if feature.kind == "position":
            part = part + shift.to(x.dtype).repeat(1, feature.copies)[:, None]
        parts.append(part)
    return torch.cat(parts, -1).reshape(x.shape)


def _motions(action: PointCloudAction, g: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The elements of the linear group, their matrices, and the shifts."""
    n = action.dimension
    group: Any = action.group
    if isinstance(group, AdditiveGroup):
        one = torch.eye(n, dtype=g.dtype, device=g.device).expand(len(g), n, n)
        return torch.zeros_like(g), one, g
    if isinstance(group, (SpecialEuclideanGroup, EuclideanGroup)):
        return g[:, :n, :n], g[:, :n, :n], g[:, :n, n]
    matrix = group.matrices(g)
    return g, matrix, matrix.new_zeros(len(g), n)


def _blocks(feature: PointFeature, linear: Tensor, matrix: Tensor) -> Tensor | None:
    """The matrices of one copy, (n, d, d); None for those that stay."""
    if isinstance(feature.kind, Representation):
        return feature.kind.matrix_unchecked(linear)
    if feature.kind == "scalar":
        return None
    if feature.kind in ("position", "vector"):
        return matrix
    determinant: Tensor = torch.linalg.det(matrix)[:, None, None]
    return determinant if feature.kind == "pseudoscalar" else determinant * matrix
