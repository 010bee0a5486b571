"""Tensors with a tangent: forward-mode derivatives."""

import torch
from torch import Tensor
from torch.autograd import forward_ad

from goldstone.core import trees
from goldstone.core.trees import Tree

NO_DERIVATIVE = (RuntimeError, NotImplementedError, TypeError, ValueError)
"""What models and actions raise that cannot be differentiated: operations without a derivative,
data-dependent checks, code outside torch. Callers go on to another way, checked by differences."""


def moves_smoothly(leaf: Tensor) -> bool:
    """Whether a tensor has derivatives at all: real or complex numbers, not integers."""
    return leaf.is_floating_point() or leaf.is_complex()


def with_tangent(primal: Tensor, tangent: Tensor) -> Tensor:
    """The dual tensor, in the current dual level."""
    made: Tensor = forward_ad.make_dual(primal, tangent.to(primal.dtype))  # type: ignore[no-untyped-call]
    return made


def dual(x: Tree, v: Tree) -> Tree:
    """X with the tangent v; integers as they are."""
    return trees.map_leaves(lambda a, b: with_tangent(a, b) if moves_smoothly(a) else a, x, v)


def unpack(leaf: Tensor) -> tuple[Tensor, Tensor | None]:
    """The value of a dual tensor, and its tangent if it has one."""
    parts = forward_ad.unpack_dual(leaf)  # type: ignore[no-untyped-call]
    return parts.primal, parts.tangent


def tangent_of(leaf: Tensor) -> Tensor:
    """The tangent of a dual tensor, zeros if it has none; a plain tensor of its own."""
    tangent = unpack(leaf)[1] if moves_smoothly(leaf) else None
    return torch.zeros_like(leaf) if tangent is None else tangent.clone()
