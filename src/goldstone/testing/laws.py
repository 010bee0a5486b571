"""The laws of groups and actions, checked on given elements."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor

from goldstone.actions import Action, Context, action_law_errors
from goldstone.core import InputError
from goldstone.groups import FiniteGroup, Group

Element = TypeVar("Element", bound=Hashable)


class LawError(AssertionError):
    """A group, an action or a model breaks a law; the message names the elements and the size."""


def default_tolerance(dtype: torch.dtype) -> float:
    """Relative tolerance by dtype: 1e-10 for float64, 1e-5 for float32, 3e-2 for half precisions.

    Raises:
        InputError: the dtype is not a floating-point one.
    """
    tolerances = {
        torch.float64: 1e-10,
        torch.float32: 1e-5,
        torch.bfloat16: 3e-2,
        torch.float16: 3e-2,
    }
    if dtype not in tolerances:
        raise InputError(f"expected floating-point states, got {dtype}; call .float()")
    return tolerances[dtype]


def check_group_laws(
    group: Group[Element],
    elements: Sequence[Element] = (),
    same: Callable[[Element, Element], bool] = lambda a, b: a == b,
) -> None:
    """Check closure, identity, inverses, associativity and distinct names on ``elements``.

    Args:
        group: the group.
        elements: the elements to combine; every triple is tried, so keep them few. The default is
            all elements of a finite group of order up to 24, else its generators with the identity.
        same: when two elements count as equal; give a tolerance for a Lie group.

    Raises:
        LawError: a law is broken; the message names the elements.
    """
    chosen = list(elements) or _few_elements(group)
    e = group.identity
    name, compose = group.element_name, group.compose

    def hold(law: str, left: Element, right: Element, *involved: Element) -> None:
        if not same(left, right):
            listed = ", ".join(name(a) for a in involved)
            raise LawError(
                f"{group.name}: {law} fails for {listed}: {name(left)} against {name(right)}"
            )

    for a in [e, *chosen]:
        if not group.contains(a):
            raise LawError(f"{group.name}: {a!r} is not contained in the group")
        hold("e·a = a", compose(e, a), a, a)
        hold("a·e = a", compose(a, e), a, a)
        hold("a⁻¹·a = e", compose(group.inverse(a), a), e, a)
        hold("a·a⁻¹ = e", compose(a, group.inverse(a)), e, a)
    for a in chosen:
        for b in chosen:
            ab = compose(a, b)
            if not group.contains(ab):
                raise LawError(f"{group.name}: {name(a)}·{name(b)} = {ab!r} lies outside")
            if a != b and name(a) == name(b):
                raise LawError(f"{group.name}: {a!r} and {b!r} share the name {name(a)!r}")
            for c in chosen:
                hold("(a·b)·c = a·(b·c)", compose(ab, c), compose(a, compose(b, c)), a, b, c)


def check_action_laws(
    action: Action,
    group: Group[Any],
    x: Tensor,
    context: Context | None = None,
    elements: Sequence[Any] = (),
    tolerance: float | None = None,
) -> None:
    """Check act(e, x) = x and act(a, act(b, x)) = act(a·b, x), and that ``x`` is left as it was.

    Args:
        action: the action.
        group: the group that acts.
        x: a batch of states.
        context: the frame in which the action acts; the default is ``Context()``.
        elements: the elements to combine; the default is as in :func:`check_group_laws`.
        tolerance: largest allowed ‖left − right‖/‖x‖; by default :func:`default_tolerance`.

    Raises:
        LawError: a law is broken; the message names the elements and the size.
    """
    allowed = default_tolerance(x.dtype) if tolerance is None else tolerance
    before = x.clone()
    chosen = list(elements) or _few_elements(group)
    errors = action_law_errors(action, group, x, context or Context(), chosen)
    if not torch.equal(before, x):
        raise LawError(f"{type(action).__name__} changes its argument in place")
    # "not (≤)" rather than ">": a NaN must fail.
    if not errors.identity <= allowed:
        raise LawError(
            f"{type(action).__name__} of {group.name}: the identity moves the state by "
            f"{errors.identity:.1e} of its norm (allowed {allowed:.0e})"
        )
    if not errors.composition <= allowed:
        a, b = errors.worst
        raise LawError(
            f"{type(action).__name__} of {group.name}: acting with {b}, then {a}, differs from "
            f"acting with their product by {errors.composition:.1e} of the norm "
            f"(allowed {allowed:.0e})"
        )


def _few_elements(group: Group[Element]) -> list[Element]:
    if isinstance(group, FiniteGroup) and group.order <= 24:
        return list(group.elements())
    return [group.identity, *group.generators()]
