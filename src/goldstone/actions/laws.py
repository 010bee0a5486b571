"""The laws of an action, measured, and how far an action may miss them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import hypot, inf, isnan
from typing import Any

import torch
from torch import Tensor

from goldstone.actions.action import Action
from goldstone.actions.context import Context
from goldstone.core import trees
from goldstone.core.trees import Tree
from goldstone.groups import Group

LARGEST_LAW_ERROR = 0.02
"""What an action may miss of its laws, relative to the state, if it declares no ``law_tolerance``:
interpolated actions break them on shocks by a per cent, wrong ones by more."""


def law_tolerance_of(actions: Iterable[Any]) -> float:
    """The largest ``law_tolerance`` that some actions declare, for what is made of them."""
    return max(
        (float(getattr(action, "law_tolerance", LARGEST_LAW_ERROR)) for action in actions),
        default=LARGEST_LAW_ERROR,
    )


@dataclass(frozen=True)
class ActionLawErrors:
    """Relative errors max ‖left − right‖/‖x‖ of the laws, and the elements of the worst case."""

    identity: float
    composition: float
    worst: tuple[str, str]


def action_law_errors(
    action: Action, group: Group[Any], x: Tree, context: Context, elements: Sequence[Any]
) -> ActionLawErrors:
    """Measure act(e, x) = x and act(a, act(b, x)) = act(a·b, x), inverses included.

    Every pair of ``elements`` for up to eight of them, else each with the next and with its
    inverse. ``x`` is a batch of states; norms are over the whole batch.
    """
    scale = _distance(x) or 1.0
    identity = _distance(action.act(group.identity, x, context), x) / scale
    chosen = list(elements) or [group.identity]
    if len(chosen) <= 8:
        pairs = [(a, b) for a in chosen for b in chosen]
    else:
        pairs = list(zip(chosen, chosen[1:] + chosen[:1], strict=True))
        pairs += [(a, group.inverse(a)) for a in chosen]
    errors = []
    for a, b in pairs:
        twice = action.act(a, action.act(b, x, context), context)
        once = action.act(group.compose(a, b), x, context)
        errors.append(_distance(twice, once) / scale)
    # A NaN compares with nothing; it counts as the worst.
    worst = max(range(len(pairs)), key=lambda i: inf if isnan(errors[i]) else errors[i])
    a, b = pairs[worst]
    names = (group.element_name(a), group.element_name(b))
    return ActionLawErrors(identity, errors[worst], names)


def _distance(x: Tree, y: Tree | None = None) -> float:
    """‖x − y‖, or ‖x‖, over all tensors of a tree, however many samples each of them has."""
    xs = [_wide(leaf) for leaf in trees.leaves(x)]
    if y is not None:
        ys = [_wide(leaf) for leaf in trees.leaves(y)]
        xs = [a - b for a, b in zip(xs, ys, strict=True)]
    return hypot(*(float(torch.linalg.vector_norm(leaf)) for leaf in xs))


def _wide(x: Tensor) -> Tensor:
    # Integers have no norm, and that of half precisions overflows.
    if x.is_complex():
        return x.to(torch.promote_types(x.dtype, torch.complex64))
    return x.to(torch.promote_types(x.dtype, torch.float32))
