"""The laws of an action, measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isnan
from typing import Any

from goldstone.actions.action import Action
from goldstone.actions.context import Context
from goldstone.core import trees
from goldstone.core.trees import Tree
from goldstone.groups import Group


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
    whole = trees.flat(x)
    scale = float(whole.norm()) or 1.0
    same = trees.flat(action.act(group.identity, x, context))
    identity = float((same - whole).norm()) / scale
    chosen = list(elements) or [group.identity]
    if len(chosen) <= 8:
        pairs = [(a, b) for a in chosen for b in chosen]
    else:
        pairs = list(zip(chosen, chosen[1:] + chosen[:1], strict=True))
        pairs += [(a, group.inverse(a)) for a in chosen]
    errors = []
    for a, b in pairs:
        twice = trees.flat(action.act(a, action.act(b, x, context), context))
        once = trees.flat(action.act(group.compose(a, b), x, context))
        errors.append(float((twice - once).norm()) / scale)
    # A NaN compares with nothing; it counts as the worst.
    worst = max(range(len(pairs)), key=lambda i: inf if isnan(errors[i]) else errors[i])
    a, b = pairs[worst]
    names = (group.element_name(a), group.element_name(b))
    return ActionLawErrors(identity, errors[worst], names)
