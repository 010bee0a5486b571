"""Equivariance of a model, asserted."""

from collections.abc import Callable

import torch
from torch import Tensor

from goldstone.actions import Context, Symmetry
from goldstone.core import InputError
from goldstone.groups import FiniteGroup
from goldstone.testing.laws import LawError, default_tolerance


def assert_equivariant(
    model: Callable[[Tensor], Tensor],
    symmetry: Symmetry,
    x: Tensor,
    context: Context | None = None,
    tolerance: float | None = None,
) -> None:
    """Assert ‖f(g·x) − g·f(x)‖/‖f(x)‖ ≤ tolerance for every tested element g.

    The elements are ``symmetry.elements``, or else all of a finite group but the identity, or the
    generators. The output lies ``context.step + 1`` steps after the model's input. The model is
    called as it is: put it in ``eval()`` mode first if it behaves otherwise in training.

    Args:
        model: maps a batch of states to the next ones.
        symmetry: how the group acts on input and output.
        x: a batch of states.
        context: the frame of the input; the default is ``Context()``.
        tolerance: largest allowed relative error; by default by dtype, 1e-10 for float64 and 1e-5
            for float32.

    Raises:
        LawError: an ``AssertionError`` that names the worst element and its error.
    """
    allowed = default_tolerance(x.dtype) if tolerance is None else tolerance
    frame = context or Context()
    group = symmetry.group
    elements = symmetry.elements or (
        tuple(a for a in group.elements() if a != group.identity)
        if isinstance(group, FiniteGroup)
        else group.generators()
    )
    if not elements:
        raise InputError(f"the symmetry {symmetry.name!r} has no element to test but the identity")
    errors = {}
    with torch.no_grad():
        output = model(x)
        scale = float(output.norm())
        if scale == 0.0:
            raise InputError("the model's output is zero everywhere, so it tells nothing")
        later = frame.at(frame.step + 1)
        for element in elements:
            moved = model(symmetry.on_input.act(element, x, frame))
            expected = symmetry.on_output.act(element, output, later)
            errors[element] = float((moved - expected).norm()) / scale
    # A NaN compares with nothing, so it is put first by hand.
    worst = max(errors, key=lambda a: float("inf") if errors[a] != errors[a] else errors[a])
    if not errors[worst] <= allowed:
        failing = sum(not error <= allowed for error in errors.values())
        raise LawError(
            f"the model is not equivariant under {symmetry.name}: {failing} of {len(errors)} "
            f"elements fail, the worst is {group.element_name(worst)} with a relative error of "
            f"{errors[worst]:.1e} (allowed {allowed:.0e})"
        )
