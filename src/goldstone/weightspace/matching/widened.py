"""A network in the shape of a wider one, with units that do nothing."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from goldstone.core import InputError, SymmetryRefusedError
from goldstone.weightspace.matching.output_difference import output_difference
from goldstone.weightspace.symmetries.parameter_symmetries import (
    ParameterSymmetries,
    parameter_symmetries,
)
from goldstone.weightspace.symmetries.symmetry_check import check_finite_weights

Places = dict[tuple[str, int], dict[int, int]]


def widened(
    model: nn.Module,
    wider: nn.Module,
    inputs: Sequence[Any],
    *,
    tolerance: float = 1e-5,
) -> nn.Module:
    """A copy of ``wider`` with the weights of ``model`` and zeros: the function of ``model``.

    Units, channels or heads that ``model`` lacks write nothing and are read by nothing. Matching a
    network of another width to this one is then rectangular assignment: the zero units take the
    places that are left over. Widths may differ only where units are interchangeable, and in one
    direction; a norm over the units (LayerNorm of a wider residual stream) changes with their
    number, which is measured and refused.

    Args:
        model: the narrower network; not changed.
        wider: of the same names of weights, no axis shorter; not changed.
        inputs: positional arguments, by which both are traced and compared.
        tolerance: the largest change of the outputs, relative to the largest.

    Raises:
        InputError: the names differ, an axis is longer in ``model`` or differs where units are not
            interchangeable, a weight is not finite, or a network cannot be traced.
        SymmetryRefusedError: the units that were added change the function; says by how much.
    """
    small, large = model.state_dict(), wider.state_dict()
    check_narrower(small, large)
    check_finite_weights(small, "the narrower network")
    places = _places(parameter_symmetries(model, inputs), parameter_symmetries(wider, inputs))
    state = {name: _embedded(name, x, large[name], places) for name, x in small.items()}
    return same_function(model, wider, state, inputs, tolerance, "units of weight zero")[0]


def same_function(
    model: nn.Module,
    wider: nn.Module,
    state: Mapping[str, Tensor],
    inputs: Sequence[Any],
    tolerance: float,
    added: str,
) -> tuple[nn.Module, float]:
    """A copy of ``wider`` with weights that ``model`` was put into, and how far outputs differ.

    Raises:
        SymmetryRefusedError: they differ by more than the tolerance; ``added`` names what did it.
    """
    result = copy.deepcopy(wider)
    result.load_state_dict(dict(state))
    for one, two in zip(result.modules(), model.modules(), strict=True):
        one.training = two.training
    difference = output_difference(model, result, inputs)
    if not difference <= tolerance:
        raise SymmetryRefusedError(
            f"{added} change the outputs by {difference:.2g} of their size (tolerance "
            f"{tolerance:g}): some operation depends on how many units there are, as a norm over "
            "them or a factor 1/√width does; align networks of equal widths there"
        )
    return result, difference


def check_narrower(small: dict[str, Tensor], large: dict[str, Tensor]) -> None:
    """Raise unless two state_dicts have the same names, and no axis of the first is longer.

    Raises:
        InputError: the names differ, or an axis is longer.
    """
    if small.keys() != large.keys():
        only = sorted(small.keys() ^ large.keys())
        raise InputError(
            "expected networks that differ in widths only, but only one of them has "
            f"{', '.join(only[:5])}{' …' if len(only) > 5 else ''}"
        )
    for name, x in small.items():
        y = large[name]
        if x.dim() != y.dim() or any(m > n for m, n in zip(x.shape, y.shape, strict=True)):
            raise InputError(
                f"expected no axis longer in the narrower network, but {name} has shapes "
                f"{tuple(x.shape)} and {tuple(y.shape)}"
            )


def _places(small: ParameterSymmetries, large: ParameterSymmetries) -> Places:
    """Index in the narrow network → index in the wide one, of each axis of each parameter."""
    found: Places = {}
    for one in small.permutations:
        key = [(axis.parameter, axis.axis) for axis in one.on_parameters]
        for other in large.permutations:
            if [(axis.parameter, axis.axis) for axis in other.on_parameters] != key:
                continue
            for axis, wide in zip(one.on_parameters, other.on_parameters, strict=True):
                copies, units, replicas = axis.shape
                if (copies, replicas) != (wide.shape[0], wide.shape[2]) or units > wide.shape[1]:
                    break
                here, there = axis.index.ravel(), wide.index[:, :units].ravel()
                own = found.setdefault((axis.parameter, axis.axis), {})
                for k, place in zip(here.tolist(), there.tolist(), strict=True):
                    own.setdefault(k, place)
    return found


def _embedded(name: str, x: Tensor, wide: Tensor, places: Places) -> Tensor:
    if x.shape == wide.shape:
        return x.detach().clone()
    rows: list[NDArray[np.int64]] = []
    for axis, (m, n) in enumerate(zip(x.shape, wide.shape, strict=True)):
        known = places.get((name, axis), {})
        if m == n:
            rows.append(np.arange(m))
        elif len(known) == m and len(set(known.values())) == m:
            rows.append(np.array([known[k] for k in range(m)]))
        else:
            raise InputError(
                f"axis {axis} of {name} has {m} and {n} indices, which are not interchangeable "
                "units; only widths of hidden units, channels and heads may differ"
            )
    # A variance of one keeps the channels of nothing at nothing.
    filled = torch.full_like(wide, 1.0 if name.endswith("running_var") else 0.0)
    filled[np.ix_(*rows)] = x.detach().to(filled)
    return filled
