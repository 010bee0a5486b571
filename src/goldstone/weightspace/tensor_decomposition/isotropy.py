"""Isotropy subgroups: which permutations of rows and columns leave a matrix as it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import factorial, prod

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import PermutationGroup, YoungSubgroup, isomorphism_type
from goldstone.groups.connected import connected_labels
from goldstone.groups.permutations import cycles
from goldstone.weightspace.tensor_decomposition.matrix_automorphisms import (
    matrix_automorphisms,
    value_classes,
)

_NAMED_BY_TYPE = 100


@dataclass(frozen=True)
class IsotropySubgroup:
    """The stabiliser of W (k, d) in S_k × S_d.

    Attributes:
        generators: permutations of the k rows and, after them, the d columns.
        components: k.
        order: of the group.
        name: ``Δ(S4×S1)`` where rows and columns are permuted together, ``S3×S2`` where rows
            (first) and columns are permuted apart, ``ΔS3×S2×S2`` a product of both; of other groups
            of up to 100 elements the isomorphism type, else the order.
        row_orbits, column_orbits: of the group.
        spread: the largest difference of entries that counted as equal.
        gap: the smallest that did not; None where all entries are equal, or none were compared.
    """

    generators: tuple[tuple[int, ...], ...]
    components: int
    order: int
    name: str
    row_orbits: tuple[tuple[int, ...], ...]
    column_orbits: tuple[tuple[int, ...], ...]
    spread: float = 0.0
    gap: float | None = None

    @property
    def group(self) -> PermutationGroup:
        """The group, of permutations of the k + d rows and columns."""
        return PermutationGroup(self.generators, label=self.name)


def isotropy_subgroup(weights: Tensor, tolerance: float = 1e-6) -> IsotropySubgroup:
    """All pairs of a row and a column permutation that leave W as it is, to a tolerance.

    Sorted entries at most ``tolerance`` apart count as one value: compare ``spread`` and ``gap`` of
    the result.

    Args:
        weights: W, (k, d).
        tolerance: of entries, absolute.

    Raises:
        InputError: W is no finite matrix, or the tolerance is not positive.
    """
    if weights.ndim != 2 or not bool(torch.isfinite(weights).all()) or not weights.numel():
        raise InputError(f"expected a finite matrix, got one of shape {tuple(weights.shape)}")
    if not tolerance > 0:
        raise InputError(f"expected a tolerance > 0, got {tolerance}")
    values, spread, gap = value_classes(weights.detach().double().cpu(), tolerance)
    k, d = weights.shape
    return _described(matrix_automorphisms(values), k, d, spread, gap)


def diagonal_subgroup(blocks: Sequence[int], components: int, dimension: int) -> IsotropySubgroup:
    """Δ(S_a × S_b × …): the first a rows and columns permuted alike, then the next b, and so on.

    Args:
        blocks: the sizes a, b, …, which add up to at most the smaller of k and d; the other rows
            and columns stay.
        components: k.
        dimension: d.

    Raises:
        InputError: a size is not positive, or they add up to more.
    """
    total = sum(blocks)
    if not blocks or min(blocks) < 1 or total > min(components, dimension):
        raise InputError(
            f"expected sizes ≥ 1 that add up to at most {min(components, dimension)}, got "
            f"{tuple(blocks)}"
        )
    names = [number for number, size in enumerate(blocks) for _ in range(size)]
    generators = [
        (
            *moved,
            *range(total, components),
            *(components + i for i in moved),
            *range(components + total, components + dimension),
        )
        for moved in YoungSubgroup(names).generators()
    ]
    return _described(generators, components, dimension)


def _described(
    generators: Sequence[tuple[int, ...]],
    k: int,
    d: int,
    spread: float = 0.0,
    gap: float | None = None,
) -> IsotropySubgroup:
    given = tuple(generators) or (tuple(range(k + d)),)
    group = PermutationGroup(given)
    orbits = _orbits(group)
    row_orbits = tuple(orbit for orbit in orbits if orbit[0] < k)
    column_orbits = tuple(tuple(i - k for i in orbit) for orbit in orbits if orbit[0] >= k)
    name = _name(group, k, row_orbits, column_orbits)
    return IsotropySubgroup(given, k, group.order, name, row_orbits, column_orbits, spread, gap)


def _orbits(group: PermutationGroup) -> list[tuple[int, ...]]:
    labels = connected_labels(group.points, [torch.tensor(a) for a in group.given]).tolist()
    members: dict[int, list[int]] = {}
    for point, label in enumerate(labels):
        members.setdefault(label, []).append(point)
    return [tuple(orbit) for orbit in members.values()]


def _name(
    group: PermutationGroup,
    k: int,
    row_orbits: tuple[tuple[int, ...], ...],
    column_orbits: tuple[tuple[int, ...], ...],
) -> str:
    """By orbits that are permuted alike, if all permutations of each orbit occur."""
    if group.order == 1:
        return "1"
    rows = [orbit for orbit in row_orbits if len(orbit) > 1]
    columns = [tuple(k + j for j in orbit) for orbit in column_orbits if len(orbit) > 1]
    linked, free = [], [len(orbit) for orbit in columns]
    for row in rows:
        partner = next((c for c in columns if len(c) == len(row) and _linked(group, row, c)), None)
        if partner is None:
            free.insert(len(free) - len(columns), len(row))
        else:
            linked.append(len(row))
            columns.remove(partner)
            free.remove(len(row))
    if group.order != prod(map(factorial, linked + free)):
        return (
            isomorphism_type(group)
            if group.order <= _NAMED_BY_TYPE
            else f"unnamed, of order {group.order}"
        )
    linked.sort(reverse=True)
    if not free:
        linked += [1 for orbit in column_orbits if len(orbit) == 1]
    inner = "×".join(f"S{size}" for size in linked)
    diagonal = [f"Δ({inner})" if len(linked) > 1 else f"Δ{inner}"] if linked else []
    return "×".join([*diagonal, *(f"S{size}" for size in free)])


def _linked(group: PermutationGroup, one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether each permutation of one orbit comes with one of the other, of the same cycles."""
    points = (*one, *other)
    place = {point: i for i, point in enumerate(points)}
    moved = [tuple(place[a[point]] for point in points) for a in group.given]
    n = len(one)
    alike = all(
        sorted(map(len, cycles(a[:n]))) == sorted(map(len, cycles([i - n for i in a[n:]])))
        for a in moved
    )
    return alike and PermutationGroup(moved).order == factorial(n)
