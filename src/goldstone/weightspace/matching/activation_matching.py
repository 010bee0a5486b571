"""Activation matching: units are paired by what they compute on data."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.fx import Node

from goldstone.core import InputError, trees
from goldstone.weightspace.matching.comparison import Comparison, Place
from goldstone.weightspace.matching.matched_units import MatchedUnits, matched_units
from goldstone.weightspace.matching.samples import equal_batches
from goldstone.weightspace.matching.steps import Step
from goldstone.weightspace.matching.weight_matching import (
    Alignment,
    checked_states,
    weight_distance,
)
from goldstone.weightspace.symmetries.parameter_symmetries import permutation_symmetry
from goldstone.weightspace.symmetries.parameter_symmetry import ParameterSymmetry
from goldstone.weightspace.tracing import Interpreter, PermutationDomain, execute, trace
from goldstone.weightspace.tracing.labels import Labelled
from goldstone.weightspace.tracing.units import Family, families

Site = tuple[int, tuple[int, ...], NDArray[np.int64]]
"""A family, the axes of a tensor on which its units lie, and their places there in order."""


def activation_matching(
    reference: nn.Module, model: nn.Module, inputs: Any, *, batch_size: int = 64
) -> Alignment:
    """Permute the units of ``model`` so that their activations correlate with the reference's.

    For each family of interchangeable units, the assignment of the largest sum of Pearson
    correlations over samples and positions, summed over all tensors on which the units lie (Li et
    al., Convergent learning, arXiv 1511.07543; Git Re-Basin, section 3.1). Blocks of units, such as
    heads, are paired by the sum over the best assignment of the units inside them, which then
    permute too. One pass over the data: no unit's activations depend on where others are. Nothing
    but permutations is used: bases of heads and of residual streams are those they have. Blocks of
    units that are not interchangeable within a block, as in norms over a head, stay where they are.

    Args:
        reference: not moved.
        model: of the same architecture and in the same mode; not changed.
        inputs: a tensor or a tuple of positional arguments, samples first.
        batch_size: samples in a batch; what is left over at the end is not used.

    Raises:
        InputError: the networks differ in names or shapes of their weights, a weight is not finite,
            they cannot be traced, or there are fewer than two samples.
    """
    a, b = checked_states(reference, model)
    arguments = inputs if isinstance(inputs, tuple) else (inputs,)
    count = trees.batch_size(arguments)
    if count < 2:
        raise InputError(f"correlations need at least two samples, got {count}")
    batches = equal_batches(arguments, batch_size)
    network = trace(reference, batches[0])
    walk = Interpreter(network, PermutationDomain())
    walk.run()
    found = families(walk)
    aliases = tuple(network.aliases.items())
    symmetries = [permutation_symmetry(one, aliases) for one in found]
    sites = _sites(walk, found)
    sums: dict[tuple[Node, int], list[Tensor]] = {}
    for batch in batches:
        seen: dict[tuple[Node, int], Tensor] = {}

        def first(node: Node, value: Any, seen: dict[tuple[Node, int], Tensor] = seen) -> None:
            for number, site in enumerate(sites.get(node, ())):
                seen[node, number] = _units(value, site)

        def second(node: Node, value: Any, seen: dict[tuple[Node, int], Tensor] = seen) -> None:
            for number, site in enumerate(sites.get(node, ())):
                x, y = seen.pop((node, number)), _units(value, site)
                _accumulate(sums.setdefault((node, number), []), x, y)

        execute(network, dict(a), batch, first)
        execute(network, dict(b), batch, second)
    scores = [torch.zeros(*2 * (one.copies * one.size,), dtype=torch.float64) for one in found]
    for (node, number), parts in sums.items():
        scores[sites[node][number][0]] += _correlation(parts).cpu()
    correlations = _Correlations(symmetries, scores)
    moved, steps = dict(b), list[Step]()
    waiting = matched_units(symmetries, frozenset({"permutation"}))
    while waiting:
        units = waiting.pop(0)
        for symmetry, element in correlations.solved(units):
            moved = symmetry.act(element, moved)
            steps.append((symmetry, element))
            correlations.follow(units, element)
        waiting += [child for child, _ in units.inside]
    before, after = (weight_distance(reference, a, x) for x in (b, moved))
    return Alignment(moved, tuple(steps), before, after, 1)


class _Correlations(Comparison):
    """Pearson's correlations of all units of a family with one another, (copies·n, copies·n)."""

    def __init__(self, symmetries: Sequence[ParameterSymmetry], scores: Sequence[Tensor]) -> None:
        self.scores = {id(one): x for one, x in zip(symmetries, scores, strict=True)}
        self.order = {id(one): torch.arange(one.copies * one.size) for one in symmetries}

    def products(
        self,
        symmetry: ParameterSymmetry,
        rows: NDArray[np.int64] | None = None,
        columns: NDArray[np.int64] | None = None,
        places: frozenset[Place] | None = None,
    ) -> Tensor:
        every = np.arange(symmetry.copies)
        here, there = (torch.from_numpy(every if x is None else x) for x in (rows, columns))
        moved = self.scores[id(symmetry)][:, self.order[id(symmetry)]]
        shape = symmetry.copies, symmetry.size
        return moved.reshape(*shape, *shape)[here, :, there, :]

    def follow(self, blocks: MatchedUnits, element: Tensor) -> None:
        """The units inside blocks go where these go."""
        for child, _ in blocks.inside:
            self._moved(child, blocks.symmetry, element)

    def _moved(self, units: MatchedUnits, blocks: ParameterSymmetry, element: Tensor) -> None:
        one = units.symmetry
        axis = one.on_parameters[0]
        around = next(
            x for x in blocks.on_parameters if (x.parameter, x.axis) == (axis.parameter, axis.axis)
        )
        places = torch.arange(max(around.places) + 1)
        number = torch.zeros_like(places)
        index = torch.from_numpy(axis.index).flatten(0, 1)
        number[index] = torch.arange(len(index))[:, None]
        came_from = replace(around, axis=0).permuted(places, element)
        self.order[id(one)] = self.order[id(one)][number[came_from[index[:, 0]]]]
        for child, _ in units.inside:
            self._moved(child, blocks, element)


def _sites(walk: Interpreter, found: list[Family]) -> dict[Node, list[Site]]:
    """Where in the graph the units of each family lie, each once."""
    labels, _ = walk.domain.ties.components()
    units = [labels[family.slots[0].nodes[:, :, 0]].ravel() for family in found]
    # Blocks have no activations but those of the units inside them.
    owner = {
        int(unit): number
        for number, own in enumerate(units)
        if not found[number].is_block
        for unit in own
    }
    sites: dict[Node, list[Site]] = {}
    moving: set[Node] = set()
    for node, value in walk.values.items():
        if node.op == "placeholder":
            if node.name not in walk.network.parameters and node.name not in walk.network.buffers:
                moving.add(node)
            continue
        if not moving & set(node.all_input_nodes):
            continue
        moving.add(node)
        if not isinstance(value, Labelled):
            continue
        for one in value.fields:
            here = labels[one.ids >> 1].ravel()
            number = owner.get(int(here[0]), -1)
            if number >= 0 and len(here) == len(units[number]):
                order = {int(unit): place for place, unit in enumerate(here)}
                if set(order) == {int(unit) for unit in units[number]}:
                    places = np.array([order[int(unit)] for unit in units[number]])
                    sites.setdefault(node, []).append((number, one.axes, places))
    return sites


def _units(value: Tensor, site: Site) -> Tensor:
    """(units, everything else), float64."""
    _, axes, places = site
    moved = value.movedim(axes, tuple(range(len(axes))))
    rows = moved.reshape(len(places), -1)
    return rows[torch.from_numpy(places).to(rows.device)].double()


def _accumulate(parts: list[Tensor], x: Tensor, y: Tensor) -> None:
    count = torch.tensor(float(x.shape[1]), dtype=torch.float64)
    new = [count, x.sum(1), y.sum(1), x.square().sum(1), y.square().sum(1), x @ y.T]
    parts[:] = new if not parts else [one + two for one, two in zip(parts, new, strict=True)]


def _correlation(parts: list[Tensor]) -> Tensor:
    """Pearson's, 0 where a unit does not vary."""
    count, x, y, xx, yy, xy = parts
    covariance = xy / count - torch.outer(x, y) / count**2
    spread = [
        (square / count - (mean / count).square()).clamp_min(0.0).sqrt()
        for square, mean in ((xx, x), (yy, y))
    ]
    scale = torch.outer(*spread)
    return torch.where(scale > 1e-12, covariance / scale.clamp_min(1e-12), 0.0)
