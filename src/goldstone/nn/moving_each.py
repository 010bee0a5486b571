"""Move every sample of a batch by its own group element."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from goldstone.actions import (
    Action,
    AxisPermutation,
    Context,
    LinearAction,
    PointCloudAction,
    ProductAction,
    TreeAction,
    TrivialAction,
)
from goldstone.core import InputError, trees
from goldstone.core.trees import Tree
from goldstone.groups import Group
from goldstone.groups.packing import unpack
from goldstone.nn.moving_points import move_point_clouds


def move_each(
    action: Action, group: Group[Any], elements: Tensor, x: Tree, context: Context
) -> Tree:
    """g_i · x_i for every sample i.

    Linear actions, point clouds, permutations of axes, and products and trees of these move all
    samples at once; others move the samples of each distinct element together, so that a finite
    group costs at most one call per element. Differentiable in the elements as the action is.

    Args:
        action: of the group.
        group: the group.
        elements: one for each sample, (n, *element_shape); those of a Lie group need not be checked
            where all samples move at once.
        x: n samples.
        context: the frame of x.

    Raises:
        InputError: ragged batches, or another number of samples.
    """
    if context.batch is not None:
        raise InputError(
            "ragged batches cannot be moved sample by sample: move each graph before collation, or "
            "pad them to one size"
        )
    if isinstance(action, TrivialAction):
        return x
    if isinstance(action, TreeAction):
        return _move_tree(action, group, elements, x, context)
    if trees.batch_size(x) != elements.shape[0]:
        raise InputError(
            f"expected an element for each of {trees.batch_size(x)} samples, got {len(elements)}"
        )
    if isinstance(action, ProductAction):
        parts = zip(action.groups, action.actions, unpack(action.groups, elements), strict=True)
        for factor, part, own in reversed(tuple(parts)):
            x = move_each(part, factor, own, x, context)
        return x
    if isinstance(x, Tensor):
        places = elements.to(x.device)
        if isinstance(action, LinearAction) and action.axis % x.ndim != 0:
            return _multiply(action.representation.matrix_unchecked(places), x, action.axis)
        if isinstance(action, PointCloudAction) and x.ndim > 2:
            return move_point_clouds(action, places, x)
        if isinstance(action, AxisPermutation) and all(axis % x.ndim for axis in action.axes):
            return _permute(places, x, action.axes)
    if elements.requires_grad:
        return _one_by_one(action, elements, x, context)
    return _by_distinct_element(action, group, elements, x, context)


def _move_tree(
    action: TreeAction, group: Group[Any], elements: Tensor, x: Tree, context: Context
) -> Tree:
    """The entries each by their action."""
    if isinstance(action.parts, Mapping):
        if not isinstance(x, Mapping) or set(x) != set(action.parts):
            raise InputError(
                f"expected a dict with the keys {sorted(action.parts)}, got {trees.describe(x)}"
            )
        parts = action.parts
        return {key: move_each(parts[key], group, elements, x[key], context) for key in x}
    if not isinstance(x, (tuple, list)) or len(x) != len(action.parts):
        raise InputError(
            f"expected a tuple or list of {len(action.parts)} entries, got {trees.describe(x)}"
        )
    entries = [
        move_each(part, group, elements, entry, context)
        for part, entry in zip(action.parts, x, strict=True)
    ]
    return type(x)(*entries) if hasattr(x, "_fields") else type(x)(entries)


def _multiply(matrices: Tensor, x: Tensor, axis: int) -> Tensor:
    """Σ_j M[n, i, j] x[n, …, j, …] along an axis."""
    if x.shape[axis] != matrices.shape[-1] or (matrices.is_complex() and not x.is_complex()):
        raise InputError(
            f"expected {'complex ' * matrices.is_complex()}states with {matrices.shape[-1]} "
            f"components along axis {axis}, got {x.dtype} of shape {tuple(x.shape)}"
        )
    last = x.movedim(axis, -1)
    rows = last.flatten(1, -2) if last.ndim > 2 else last[:, None]
    turned = rows @ matrices.to(x.dtype).mT
    return turned.reshape(last.shape).movedim(-1, axis)


def _permute(images: Tensor, x: Tensor, axes: tuple[int, ...]) -> Tensor:
    """What is at i goes to g(i), along each axis."""
    source = images.argsort(-1)
    for axis in axes:
        if x.shape[axis] != source.shape[-1]:
            raise InputError(
                f"a permutation of {source.shape[-1]} points needs as many entries along axis "
                f"{axis}, got a tensor of shape {tuple(x.shape)}"
            )
        shape = [x.shape[0] if k == 0 else 1 for k in range(x.ndim)]
        shape[axis] = -1
        x = x.gather(axis, source.reshape(shape).expand_as(x))
    return x


def _by_distinct_element(
    action: Action, group: Group[Any], elements: Tensor, x: Tree, context: Context
) -> Tree:
    distinct, number = torch.unique(elements.cpu(), dim=0, return_inverse=True)
    moved, places = [], []
    for k, element in enumerate(group.values(distinct)):
        place = (number == k).nonzero()[:, 0]
        moved.append(action.act(element, trees.take(x, place), context))
        places.append(place)
    return trees.take(trees.concatenate(moved), torch.cat(places).argsort())


def _one_by_one(action: Action, elements: Tensor, x: Tree, context: Context) -> Tree:
    samples = trees.chunks(x, 1)
    return trees.concatenate(
        [action.act(g, one, context) for g, one in zip(elements, samples, strict=True)]
    )
