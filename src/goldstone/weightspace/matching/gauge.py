"""One representative of each orbit of scalings: the gauge in which weights are compared."""

from collections.abc import Sequence

import torch
from torch import Tensor

from goldstone.weightspace.matching.scaling_balance import balancing_factors
from goldstone.weightspace.matching.steps import Step, applied, composed
from goldstone.weightspace.symmetries.parameter_symmetry import ParameterSymmetry, StateDict

SWEEPS = 50
SETTLED = 1e-6
WORST = 1e6
"""The largest condition number of a change of gauge."""


def canonical_gauge(
    state: StateDict, symmetries: Sequence[ParameterSymmetry], counted: frozenset[str]
) -> tuple[dict[str, Tensor], list[Step]]:
    """Move a point along its scalings, signs and GL groups to a standard place.

    Weights of norms become 1. Other units, and blocks with an invertible matrix, are balanced:
    what writes them and what reads them have equal Gram matrices, GG_qG = G_k with G = gᵀg,
    which leaves of GL(n) only O(n). What is only invariant to scale gets the mean size of its kind.

    Args:
        state: the point.
        symmetries: of any kind; permutations and orthogonal groups are left alone.
        counted: names of the tensors that count: parameters, not running statistics.

    Returns:
        The moved point and the elements that moved it, in order.
    """
    moved: StateDict = dict(state)
    steps: list[Step] = []
    for one in symmetries:
        if one.kind == "sign" and one.gain:
            negative = _entries_of(one.gain, one, moved) < 0
            element = torch.where(negative, -1.0, 1.0).double()[:, None, None]
            moved = one.act(element, moved)
            steps.append((one, element))
    scalings = [one for one in symmetries if one.kind in ("scaling", "uniform scaling")]
    circuits = [one for one in symmetries if one.kind == "general linear"]
    totals: dict[int, Tensor] = {}

    def taken(one: ParameterSymmetry, element: Tensor, state: StateDict) -> tuple[StateDict, float]:
        """The state moved, and by how much."""
        still = torch.eye(one.size).to(element) if element.dim() == 3 else 1.0
        change = float((element - still).abs().max())
        if change < SETTLED:
            return state, 0.0
        # They commute with one another: all elements of one symmetry make one.
        whole = composed(element, totals[id(one)]) if id(one) in totals else element
        if element.dim() == 3 and float(torch.linalg.cond(whole).max()) > WORST:
            return state, 0.0  # a unit that nothing writes or reads has no gauge
        totals[id(one)] = whole
        return one.act(element, state), change

    for _ in range(SWEEPS):
        changes = [0.0]
        factors = balancing_factors(moved, scalings, counted)
        for one, element in zip(scalings, factors, strict=True):
            moved, change = taken(one, element, moved)
            changes.append(change)
        # Each from where the others have led, since a factor may lie in GL too.
        for one in circuits:
            moved, change = taken(one, _balancing(one, moved, counted), moved)
            changes.append(change)
        if max(changes) < SETTLED or not circuits or not scalings:
            break
    for one in (*scalings, *circuits):
        if id(one) in totals:
            total = totals[id(one)]
            # A product of sweeps is balanced up to O(n): its positive part does not depend on them.
            steps.append((one, _power(total.mT @ total, 0.5) if total.dim() == 3 else total))
    return applied(state, steps), steps


def _entries_of(name: str, one: ParameterSymmetry, state: StateDict) -> Tensor:
    """The entries of one vector, in the order of the units."""
    axis = next(axis for axis in one.on_parameters if axis.parameter == name)
    return axis.gathered(state[name]).reshape(one.copies)


def _balancing(one: ParameterSymmetry, state: StateDict, counted: frozenset[str]) -> Tensor:
    """The positive G after which what writes and what reads have one Gram matrix."""
    writing = _gram(_entries(one, state, counted, dual=False).double())
    reading = _gram(_entries(one, state, counted, dual=True).double())
    root = _power(writing, 0.5)
    inner = _power(root @ reading @ root, 0.5)
    inverse = torch.linalg.inv(root)
    return _power(inverse @ inner @ inverse, 0.5)


def _entries(
    one: ParameterSymmetry, state: StateDict, counted: frozenset[str], *, dual: bool
) -> Tensor:
    """What the units write, or what reads them: (copies, units, entries)."""
    parts = [
        axis.gathered(state[axis.parameter]).flatten(2)
        for axis in one.on_parameters
        if axis.dual == dual and axis.parameter in counted
    ]
    first = next(iter(state[name] for name in one.parameters))
    return torch.cat(parts, 2) if parts else first.new_zeros(one.copies, one.size, 1)


def _gram(x: Tensor) -> Tensor:
    """XXᵀ, kept regular."""
    gram = x @ x.mT
    size = gram.diagonal(dim1=1, dim2=2).mean(1).clamp_min(1e-30)
    return gram + 1e-8 * size[:, None, None] * torch.eye(gram.shape[1]).to(gram)


def _power(x: Tensor, exponent: float) -> Tensor:
    """A power of symmetric positive matrices."""
    values, vectors = torch.linalg.eigh((x + x.mT) / 2)
    values = values.clamp_min(values.amax(1, keepdim=True) * 1e-14)
    power: Tensor = (vectors * values[:, None, :].pow(exponent)) @ vectors.mT
    return power
