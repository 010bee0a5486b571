"""Weight matching: a network is moved along its symmetries towards another (Git Re-Basin)."""

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import torch
from torch import Tensor, nn

from goldstone.core import InputError, Progress, SilentProgress, generator
from goldstone.weightspace.matching.comparison import Fit
from goldstone.weightspace.matching.gauge import canonical_gauge
from goldstone.weightspace.matching.matched_units import MatchedUnits, matched_units
from goldstone.weightspace.matching.steps import Step, applied, inverse, merged_steps
from goldstone.weightspace.symmetries.parameter_symmetries import ParameterSymmetries
from goldstone.weightspace.symmetries.parameter_symmetry import (
    Kind,
    ParameterSymmetry,
    StateDict,
)
from goldstone.weightspace.symmetries.symmetry_check import check_finite_weights

GAIN = 1e-12
"""A match that gains less, relative to the squared distance, is not made."""

SETTLED = 1e-4
"""Where matrices are matched, which converge only in the limit, a round that gains less of the
squared distance ends the search."""


@dataclass(frozen=True, eq=False)
class Alignment:
    """A network moved towards another one.

    Attributes:
        state_dict: of the moved network: the same function, other weights.
        steps: (symmetry, element) in the order in which they act on the original.
        distance_before: √Σ‖a − b‖² over the parameters.
        distance: the same afterwards.
        rounds: how often all units were matched, the last time without gain.
    """

    state_dict: dict[str, Tensor]
    steps: tuple[Step, ...]
    distance_before: float
    distance: float
    rounds: int

    def apply(self, state_dict: StateDict) -> dict[str, Tensor]:
        """Move any weights of the same network by the same elements."""
        return applied(state_dict, self.steps)

    def model(self, model: nn.Module) -> nn.Module:
        """A copy of the model with the moved weights."""
        model = copy.deepcopy(model)
        model.load_state_dict(self.state_dict)
        return model


def weight_matching(
    reference: nn.Module,
    model: nn.Module,
    symmetries: ParameterSymmetries | Sequence[ParameterSymmetry],
    *,
    kinds: Sequence[Kind] | None = None,
    rounds: int = 100,
    seed: int = 0,
    progress: Progress | None = None,
) -> Alignment:
    """Move ``model`` along its symmetries towards the weights of ``reference``.

    Coordinate descent on Σ‖a − gb‖² (Ainsworth et al., Git Re-Basin, arXiv 2209.04836, Algorithm
    1): one symmetry after another, the first time in the order of the network, then in random
    order, until nothing is gained. Units are permuted by linear assignment; odd ones with their
    signs. Where matrices act, the orthogonal one is the Procrustes solution. Scalings and GL are
    brought to one gauge in both networks first (:func:`canonical_gauge`), in which GL(n) leaves
    O(n); blocks such as heads are compared at the best match of what is in them. At the end the
    moved network is taken to the gauge of the reference. ``distance`` is thus the least that was
    found in a common gauge; factors chosen to shorten the plain distance could make it smaller.

    Args:
        reference: not moved.
        model: of the same architecture; not changed.
        symmetries: of this architecture.
        kinds: which kinds may be used, all by default; ``("permutation",)`` is Git Re-Basin.
        rounds: the most rounds.
        seed: of the order.
        progress: told of rounds.

    Raises:
        InputError: the networks differ in names, shapes, precision or device of their weights, a
            weight is not finite, or ``kinds`` names no kind.
    """
    chosen, allowed = chosen_symmetries(symmetries, kinds)
    a, b = checked_states(reference, model)
    counted = frozenset(name for name, _ in reference.named_parameters())
    before = weight_distance(reference, a, b)
    usable = [one for one in chosen if one.kind in allowed or one.kind == "permutation"]
    standard, gauge = canonical_gauge(a, usable, counted)
    moved, steps = canonical_gauge(b, usable, counted)
    units = matched_units(usable, allowed)
    least = SETTLED if any(kind.startswith(("orthogonal", "general")) for kind in allowed) else 0.0
    order, stream = list(range(len(units))), generator(seed, "weight matching")
    fit = Fit(standard, moved, counted)
    done = 0
    with (progress or SilentProgress()).task("weight matching", rounds) as task:
        _begin(fit, units, steps)
        for _ in range(rounds):
            done += 1
            gained = sum(_improve(fit, units[k], steps) for k in order)
            steps = list(merged_steps(steps))
            task.advance()
            if gained <= least * fit.distance(set(counted)):
                break
            order = torch.randperm(len(units), generator=stream).tolist()
    back = [(symmetry, inverse(element)) for symmetry, element in reversed(gauge)]
    # Taken once more from the beginning, without the roundings of the search.
    del fit, standard, moved
    moves = merged_steps((*steps, *back))
    final = applied(b, moves)
    distance = weight_distance(reference, a, final)
    return Alignment(final, moves, before, distance, done)


def _begin(fit: Fit, units: list[MatchedUnits], steps: list[Step]) -> None:
    """Start where propagation leads, unless the networks are nearer as they are."""
    names = set(fit.counted)
    given, taken, before = fit.b, len(steps), fit.distance(names)
    _propagate(fit, units, steps)
    if fit.distance(names) > before:
        fit.b = given
        del steps[taken:]


def _propagate(fit: Fit, units: list[MatchedUnits], steps: list[Step]) -> None:
    """A first match from what is known to what is not: inputs and outputs stay where they are.

    The units next are those with most weights to and from units that are matched already; only
    these weights count for them.
    """
    everything, waiting = fit.counted, list(units)
    sizes = {name: fit.a[name].numel() for name in everything}
    while waiting:
        unknown = {
            id(one): set().union(*(other.parameters for other in waiting if other is not one))
            for one in waiting
        }
        known = {id(one): (one.parameters & everything) - unknown[id(one)] for one in waiting}
        best = max(waiting, key=lambda one: sum(sizes[name] for name in known[id(one)]))
        waiting.remove(best)
        fit.counted = frozenset(known[id(best)]) or everything
        _solve(fit, best, steps)
        fit.counted = everything


def _improve(fit: Fit, units: MatchedUnits, steps: list[Step]) -> float:
    """Match some units and what is in them, if that brings the networks nearer; by how much."""
    names = units.parameters
    before, start, taken = fit.distance(names), fit.b, len(steps)
    _solve(fit, units, steps)
    gained = before - fit.distance(names)
    if gained > GAIN * (1.0 + before):
        return gained
    fit.b = start
    del steps[taken:]
    return 0.0


def _solve(fit: Fit, units: MatchedUnits, steps: list[Step]) -> None:
    for symmetry, element in fit.solved(units):
        fit.b = symmetry.act(element, fit.b)
        steps.append((symmetry, element))
    for child, _ in units.inside:
        _solve(fit, child, steps)


def chosen_symmetries(
    symmetries: ParameterSymmetries | Sequence[ParameterSymmetry], kinds: Sequence[Kind] | None
) -> tuple[tuple[ParameterSymmetry, ...], frozenset[Kind]]:
    """All symmetries, and the kinds that may be used.

    Raises:
        InputError: ``kinds`` names no kind.
    """
    chosen = (
        symmetries.symmetries if isinstance(symmetries, ParameterSymmetries) else tuple(symmetries)
    )
    allowed: frozenset[Kind] = frozenset(get_args(Kind) if kinds is None else kinds)
    if not allowed or not allowed <= set(get_args(Kind)):
        raise InputError(f"expected kinds among {', '.join(get_args(Kind))}, got {kinds}")
    return chosen, allowed


def weight_distance(model: nn.Module, a: StateDict, b: StateDict) -> float:
    """√Σ‖a − b‖² over the parameters of a model."""
    counted = frozenset(name for name, _ in model.named_parameters())
    squares: float = Fit(a, b, counted).distance(set(counted))
    return math.sqrt(squares)


def checked_states(reference: nn.Module, model: nn.Module) -> tuple[StateDict, StateDict]:
    """The weights of two networks, detached.

    Raises:
        InputError: they differ in names, shapes, precision or device, or a weight is not finite.
    """
    a, b = (
        {name: x.detach() for name, x in one.state_dict().items()} for one in (reference, model)
    )
    if a.keys() != b.keys():
        only = sorted(a.keys() ^ b.keys())
        raise InputError(
            "expected two networks of one architecture, but only one of them has "
            f"{', '.join(only[:5])}{' …' if len(only) > 5 else ''}"
        )
    for name in a:
        if a[name].shape != b[name].shape:
            raise InputError(
                f"expected two networks of one architecture, but {name} has shapes "
                f"{tuple(a[name].shape)} and {tuple(b[name].shape)}"
            )
        if a[name].dtype != b[name].dtype or a[name].device != b[name].device:
            raise InputError(
                f"expected two networks of one precision and device, but {name} is "
                f"{a[name].dtype} on {a[name].device} and {b[name].dtype} on {b[name].device}; "
                "convert one of them by .to(…)"
            )
    check_finite_weights(a, "the reference")
    check_finite_weights(b, "the model to be moved")
    return a, b
