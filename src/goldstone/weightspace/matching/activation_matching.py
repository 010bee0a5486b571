"""Activation matching: units are paired by what they compute on data."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.fx import Node

from goldstone.core import InputError, trees
from goldstone.weightspace.matching.matched_units import Fit, assigned
from goldstone.weightspace.matching.steps import Step
from goldstone.weightspace.matching.weight_matching import Alignment, checked_states
from goldstone.weightspace.symmetries.parameter_symmetries import permutation_symmetry
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
    al., Convergent learning, arXiv 1511.07543; Git Re-Basin, section 3.1). One pass over the data:
    no unit's activations depend on where others are. Units permute; blocks of units, such as heads,
    and the units inside them stay: for these use :func:`weight_matching`.

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
    size = min(batch_size, count)
    batches = [one for one in trees.chunks(arguments, size) if trees.batch_size(one) == size]
    network = trace(reference, batches[0])
    walk = Interpreter(network, PermutationDomain())
    walk.run()
    found = [one for one in families(walk) if not one.is_block and one.copies == 1]
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
    scores = [torch.zeros(one.size, one.size, dtype=torch.float64) for one in found]
    for (node, number), parts in sums.items():
        scores[sites[node][number][0]] += _correlation(parts)
    moved, steps = dict(b), []
    for family, score in zip(found, scores, strict=True):
        symmetry = permutation_symmetry(family, tuple(network.aliases.items()))
        step: Step = (symmetry, assigned(score[None]))
        moved = symmetry.act(step[1], moved)
        steps.append(step)
    names = {name for name, _ in reference.named_parameters()}
    before, after = (Fit(a, x, frozenset(names)).distance(names) ** 0.5 for x in (b, moved))
    return Alignment(moved, tuple(steps), before, after, 1)


def _sites(walk: Interpreter, found: list[Family]) -> dict[Node, list[Site]]:
    """Where in the graph the units of each family lie, each once."""
    labels, _ = walk.domain.ties.components()
    units = [labels[family.slots[0].nodes[0, :, 0]] for family in found]
    owner = {int(unit): number for number, own in enumerate(units) for unit in own}
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
