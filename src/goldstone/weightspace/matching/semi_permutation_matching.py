"""A narrower network moved into the shape of a wider one, its units copied (semi-permutations)."""

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from goldstone.core import Progress, SilentProgress, generator
from goldstone.weightspace.matching.split_families import split_families
from goldstone.weightspace.matching.split_units import Pair, SplitUnits
from goldstone.weightspace.matching.unit_maps import (
    SplitFamily,
    UnitMap,
    UnitMaps,
    in_double,
)
from goldstone.weightspace.matching.widened import check_narrower, same_function
from goldstone.weightspace.symmetries.parameter_symmetry import StateDict
from goldstone.weightspace.symmetries.symmetry_check import check_finite_weights

GAIN = 1e-12
"""A match that gains less, relative to the squared distance, is not made."""


@dataclass(frozen=True, eq=False)
class SemiPermutation:
    """The map h ↦ Ph of one family: each row of P has at most one entry, which is positive.

    Attributes:
        name: of the units, as that of their symmetry.
        source: (copies, wide units), int64: the narrow unit that each wide one is a copy of.
        factor: (copies, wide units), float64: the entry; 1 where units admit no factors, 0 for a
            unit that writes nothing.
    """

    name: str
    source: Tensor
    factor: Tensor


@dataclass(frozen=True, eq=False)
class SemiPermutationAlignment:
    """A narrower network in the shape of a wider one.

    Attributes:
        state_dict: the same function as the narrower network's, in the wider one's shapes.
        maps: what became of each family of units.
        distance: √Σ‖a − b‖² to the reference, over the parameters.
        rounds: how often all families were matched, the last time without gain.
        difference: measured largest change of the outputs, relative to the largest.
    """

    state_dict: dict[str, Tensor]
    maps: tuple[SemiPermutation, ...]
    distance: float
    rounds: int
    difference: float

    def model(self, wider: nn.Module) -> nn.Module:
        """A copy of a network of the wider architecture with these weights."""
        wider = copy.deepcopy(wider)
        wider.load_state_dict(self.state_dict)
        return wider


def semi_permutation_matching(
    reference: nn.Module,
    model: nn.Module,
    inputs: Sequence[Any],
    *,
    factors: bool = True,
    rounds: int = 100,
    seed: int = 0,
    tolerance: float = 1e-5,
    progress: Progress | None = None,
) -> SemiPermutationAlignment:
    """Split the units of ``model`` into those of a wider ``reference``, nearest to its weights.

    Hidden units h become Ph (n × m, n ≥ m), each row of P with at most one entry, which is positive
    and, unless units admit factors as before ReLU, 1: each unit of the reference is matched to one
    of the model, and each of the model to one at least. What writes the units becomes PW. What
    reads them, R, becomes any R″ with R″P = R, nearest to the reference's A:
    R″ = A + (R − AP)(PᵀP)⁻¹Pᵀ, so that copies share a reader's weights. No output changes.
    Semi-permutations are the maps that ReLU passes in *Generalized linear mode connectivity*
    (arXiv 2506.22712), of which these are the ones that change no output.

    Coordinate descent on Σ‖a − b″‖²: one family after another, first in an order that starts at
    what is known, then at random, each by assignment and local search (:class:`SplitUnits`).
    Families of equal widths are permuted. Heads are copied whole, and compared in the bases that
    they have. Signs and matrices are not used: :func:`weight_matching` of the result may follow.

    Args:
        reference: the wider network; not changed.
        model: the narrower one, of the same names of weights; not changed.
        inputs: positional arguments, by which both are traced and compared.
        factors: whether entries of P may differ from 1 where units admit factors.
        rounds: the most rounds.
        seed: of the order.
        tolerance: the largest change of the outputs, relative to the largest.
        progress: told of rounds.

    Raises:
        InputError: the names differ, an axis is longer in ``model`` or differs where units are not
            interchangeable, a weight is not finite, a network cannot be traced, or it cannot be
            told which weights read the units.
        SymmetryRefusedError: the copies change the function; says by how much.
    """
    small, large = model.state_dict(), reference.state_dict()
    check_narrower(small, large)
    check_finite_weights(small, "the narrower network")
    check_finite_weights(large, "the reference")
    families, shared = split_families(model, reference, inputs)
    counted = frozenset(name for name, _ in reference.named_parameters())
    aliases = {name for name, _ in shared}
    own = {name: x for name, x in small.items() if name not in aliases}
    maps = UnitMaps(in_double(own), in_double(large), families)
    stream, done = generator(seed, "semi-permutation matching"), 0
    with (progress or SilentProgress()).task("semi-permutation matching", rounds) as task:
        _propagate(maps, counted, factors)
        distance = _squared_distance(maps, counted)
        for _ in range(rounds):
            before, done = distance, done + 1
            for number in torch.randperm(len(families), generator=stream).tolist():
                known = maps.maps[number]
                maps.maps[number] = _matched(maps, number, counted, factors)
                tried = _squared_distance(maps, counted)
                if tried < distance - GAIN * (1.0 + distance):
                    distance = tried
                else:
                    maps.maps[number] = known
            task.advance()
            if distance == before:
                break
    state = {name: x.to(large[name]) for name, x in maps.weights().items()}
    for name, first in shared:
        state[name] = state[first]
    _, difference = same_function(model, reference, state, inputs, tolerance, "copies of units")
    found = tuple(
        SemiPermutation(one.name, *map(torch.from_numpy, (unit.source, unit.factor)))
        for one, unit in ((one, maps.maps[number]) for number, one in enumerate(families))
    )
    return SemiPermutationAlignment(state, found, math.sqrt(distance), done, difference)


def _propagate(maps: UnitMaps, counted: frozenset[str], factors: bool) -> None:
    """A first match from what is known to what is not; see :func:`weight_matching`."""
    waiting = set(range(len(maps.families)))

    def known(number: int) -> frozenset[str]:
        names = [axis.parameter for axis in maps.families[number].narrow]
        return frozenset(
            name
            for name in names
            if names.count(name) == 1 and maps.families_on(name) & waiting <= {number}
        ).intersection(counted)

    while waiting:
        sizes = {k: sum(maps.narrow[name].numel() for name in known(k)) for k in sorted(waiting)}
        best = max(sizes, key=lambda k: sizes[k])
        maps.maps[best] = _matched(maps, best, known(best), factors)
        waiting.remove(best)


def _matched(maps: UnitMaps, number: int, counted: frozenset[str], factors: bool) -> UnitMap:
    """The best map of one family, the others being where they are."""
    family = maps.families[number]
    sources, entries = [], []
    for fixed, writing, reading in _weights(maps, family, counted, factors):
        units = SplitUnits(fixed, writing, reading, scaled=factors and bool(family.scaled))
        source, factor = units.solved()
        sources.append(source)
        entries.append(factor)
    return UnitMap(np.stack(sources), np.stack(entries))


def _weights(
    maps: UnitMaps, family: SplitFamily, counted: frozenset[str], factors: bool
) -> list[tuple[Pair, Pair, Pair]]:
    """Of each block of units, the weights (units, entries) that keep their size, grow, and read."""
    m, n = family.sizes
    kinds: list[list[tuple[Tensor, Tensor]]] = [[], [], []]
    for narrow, wide in zip(family.narrow, family.wide, strict=True):
        place = (narrow.parameter, narrow.axis)
        if narrow.parameter not in counted:
            continue
        one, two = maps.seen_from(narrow.parameter, place)
        pair = wide.gathered(one).flatten(2), narrow.gathered(two).flatten(2)
        writes = 1 if factors and place in family.scaled else 0
        kinds[2 if place in family.reading else writes].append(pair)
    found = []
    for copy_ in range(family.copies):
        pairs = []
        for kind in kinds:
            a = [one[copy_] for one, _ in kind] or [torch.zeros(n, 0, dtype=torch.float64)]
            b = [two[copy_] for _, two in kind] or [torch.zeros(m, 0, dtype=torch.float64)]
            pairs.append((torch.cat(a, 1).numpy(), torch.cat(b, 1).numpy()))
        found.append((pairs[0], pairs[1], pairs[2]))
    return found


def _squared_distance(maps: UnitMaps, counted: frozenset[str]) -> float:
    moved: StateDict = maps.weights()
    names = sorted(counted & moved.keys())
    return sum(float((maps.wide[name] - moved[name]).square().sum()) for name in names)
