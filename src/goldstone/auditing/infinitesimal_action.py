"""How a Lie algebra moves states: the derivative of an action at the identity."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor
from torch.autograd import forward_ad

from goldstone.actions import Action, Context
from goldstone.auditing.dual_numbers import NO_DERIVATIVE, tangent_of, with_tangent
from goldstone.auditing.finite_differences import central_difference
from goldstone.core import InputError, trees
from goldstone.core.trees import Tree
from goldstone.groups import LieGroup

Derivative = Literal["auto", "forward-mode", "finite-differences"]
"""How an action is differentiated in the group element: ``auto`` takes forward mode where it agrees
with finite differences, and else these."""

AGREEMENT = 1e-2
"""Relative difference up to which two ways to a derivative agree."""


@dataclass(frozen=True)
class InfinitesimalAction:
    """x ↦ X·x = d/dt|₀ act(exp(tX), x).

    Made by :meth:`choose`, which tries the ways on a few samples.

    Attributes:
        action, group, context: as everywhere.
        direction: coordinates of X in the basis of the Lie algebra, (d,) in float64.
        method: how the derivative is taken.
        disagreement: relative difference between forward mode and finite differences on the samples
            tried; None if forward mode failed.
        step_error: relative error of the finite differences, as they estimate it.
    """

    action: Action
    group: LieGroup[Any]
    direction: tuple[float, ...]
    context: Context
    method: Literal["forward-mode", "finite-differences"]
    disagreement: float | None
    step_error: float

    @classmethod
    def choose(
        cls,
        action: Action,
        group: LieGroup[Any],
        direction: tuple[float, ...],
        context: Context,
        few: Tree,
        derivative: Derivative = "auto",
    ) -> "InfinitesimalAction":
        """Decide on a way to differentiate, on a few samples.

        Raises:
            InputError: an unknown way; the action of exp(0) is not the identity; or forward mode is
                asked for and fails.
        """
        if derivative not in get_args(Derivative):
            raise InputError(
                f"unknown derivative {derivative!r}; expected one of {get_args(Derivative)}"
            )
        few = _at_least_single(few)
        _check_identity(action, group, few, context)
        by_steps, error = _by_differences(action, group, direction, few, context)
        size = float(trees.flat(by_steps).norm())
        # Of a motion that does nothing, differences give rounding.
        noise = 1e-6 * float(trees.flat(few).norm())
        step_error = error / max(size, noise) if max(size, noise) > 0 else 0.0
        disagreement: float | None = None
        try:
            by_dual = _by_forward_mode(action, group, direction, few, context)
            gap = float((trees.flat(by_dual).double() - trees.flat(by_steps)).norm())
            disagreement = gap / max(size, noise) if max(size, noise) > 0 else 0.0
        except NO_DERIVATIVE as failure:
            if derivative == "forward-mode":
                raise InputError(
                    f"{type(action).__name__} cannot be differentiated in the element by forward "
                    f"mode: {failure}; use derivative='finite-differences'"
                ) from failure
        agrees = disagreement is not None and disagreement <= AGREEMENT + 10 * step_error
        forward = derivative == "forward-mode" or (derivative == "auto" and agrees)
        method: Literal["forward-mode", "finite-differences"]
        method = "forward-mode" if forward else "finite-differences"
        return cls(action, group, direction, context, method, disagreement, step_error)

    def __call__(self, x: Tree) -> Tree:
        """X·x, a tree like x; zero for integers."""
        fine = _at_least_single(x)
        if self.method == "forward-mode":
            found = _by_forward_mode(self.action, self.group, self.direction, fine, self.context)
        else:
            found = _by_differences(self.action, self.group, self.direction, fine, self.context)[0]
        return trees.map_leaves(lambda d, leaf: d.to(leaf.dtype), found, x)


def _at_least_single(x: Tree) -> Tree:
    """Half precision as single: many actions know no other, and derivatives need the digits."""

    def one(leaf: Tensor) -> Tensor:
        if leaf.dtype in (torch.float16, torch.bfloat16):
            return leaf.float()
        return leaf.to(torch.complex64) if leaf.dtype == torch.complex32 else leaf

    return trees.map_leaves(one, x)


def _check_identity(action: Action, group: LieGroup[Any], x: Tree, context: Context) -> None:
    zero = torch.zeros(group.dimension, dtype=torch.float64)
    moved = action.act(group.value(group.exp(zero)), x, context)
    if not trees.same_shapes(moved, x):
        raise InputError(
            f"{type(action).__name__} turns {trees.describe(x)} into {trees.describe(moved)}: a "
            "Lie derivative needs an action that keeps the shape"
        )
    gap = float((trees.flat(moved) - trees.flat(x)).norm())
    precision = torch.finfo(trees.flat(x).dtype).eps
    if gap > precision**0.5 * float(trees.flat(x).norm()):
        raise InputError(
            f"{type(action).__name__} moves the state by {gap:.1e} at the identity; a Lie "
            "derivative needs act(e, x) = x"
        )


def _by_forward_mode(
    action: Action, group: LieGroup[Any], direction: tuple[float, ...], x: Tree, context: Context
) -> Tree:
    device = trees.leaves(x)[0].device
    coordinates = torch.tensor(direction, dtype=torch.float64, device=device)
    with torch.no_grad(), forward_ad.dual_level():
        element = group.exp(with_tangent(torch.zeros_like(coordinates), coordinates))
        moved = action.act(element, x, context)
        return trees.map_leaves(tangent_of, moved)


def _by_differences(
    action: Action, group: LieGroup[Any], direction: tuple[float, ...], x: Tree, context: Context
) -> tuple[Tree, float]:
    """In double precision, on elements given as values."""
    fine = trees.place(x, trees.leaves(x)[0].device, torch.float64)

    def curve(t: float) -> Tree:
        return action.act(group.exp(tuple(t * c for c in direction)), fine, context)

    with torch.no_grad():
        return central_difference(curve)
