"""All subgroups of a finite group up to conjugacy, as sets of element numbers."""

from dataclasses import dataclass, field
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from goldstone.core import InputError

Numbers = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass
class IndexClass:
    """A conjugacy class of subgroups, each a row of bits over the elements.

    Attributes:
        order: elements in each subgroup.
        rows: bit-packed masks of the conjugates, (size, ⌈n/8⌉); the first represents the class.
        generators: element numbers that generate the representative.
        above: for each class with a subgroup in which the representative is maximal, how many.
    """

    order: int
    rows: NDArray[np.uint8]
    generators: tuple[int, ...]
    above: dict[int, int] = field(default_factory=dict)


def subgroup_classes(table: Numbers, limit: int, name: str) -> list[IndexClass]:
    """Every subgroup up to conjugacy, in order of discovery: smaller representatives first.

    From the trivial subgroup upwards, each class's representative H is joined with one element x
    of every orbit of the normaliser N(H) on the double cosets HxH: each subgroup that H is maximal
    in is such a join, so nothing is missed.

    Args:
        table: the Cayley table, (n, n), the identity's number 0.
        limit: the largest number of subgroups to find.
        name: of the group, for the error.

    Raises:
        InputError: there are more subgroups than ``limit``.
    """
    conjugates = conjugation_table(table)
    classes: list[IndexClass] = []
    class_of: dict[bytes, int] = {}
    queue: list[tuple[int, int]] = []

    def register(mask: Mask, generators: tuple[int, ...]) -> int:
        key = np.packbits(mask).tobytes()
        if key not in class_of:
            rows = _conjugates_of(mask, table, conjugates)
            if len(class_of) + len(rows) > limit:
                raise InputError(
                    f"{name} has more than {limit} subgroups; expected fewer, or a larger limit"
                )
            class_of.update((row.tobytes(), len(classes)) for row in rows)
            # The row asked for represents the class: its generators are known.
            own = (rows == np.frombuffer(key, np.uint8)).all(1)
            rows = np.concatenate((rows[own], rows[~own]))
            heappush(queue, (int(mask.sum()), len(classes)))
            classes.append(IndexClass(int(mask.sum()), rows, generators))
        return class_of[key]

    trivial = np.zeros(len(table), dtype=bool)
    trivial[0] = True
    register(trivial, ())
    while queue:
        _, number = heappop(queue)
        here = classes[number]
        mask = unpack_row(here.rows[0], len(table))
        orbit = _double_coset_orbits(mask, table, conjugates)
        first, inverse, counts = np.unique(orbit, return_inverse=True, return_counts=True)
        joins = joins_with(table, mask, here.generators, first[first > 0])
        orders = np.array([here.order, *(join.sum() for join in joins)])[inverse]
        for x, join, size in zip(first[1:].tolist(), joins, counts[1:].tolist(), strict=True):
            upper = register(join, (*here.generators, x))
            order = int(join.sum())
            # H is maximal in J exactly if every x in J outside H gives J.
            if (orders[join & ~mask] == order).all():
                # Each such J holds |J| − |H| of the elements x that give a J of this class.
                here.above[upper] = here.above.get(upper, 0) + size
        for upper, elements in here.above.items():
            here.above[upper] = elements // (classes[upper].order - here.order)
    return classes


def joins_with(
    table: Numbers, mask: Mask, generators: tuple[int, ...], elements: Numbers
) -> list[Mask]:
    """The masks of ⟨H, x⟩ for each x, H given by its mask and generators.

    ⟨H, x⟩ is the union of the right cosets that H's generators and x reach from H by right
    multiplication.
    """
    order = int(mask.sum())
    cosets = table[mask].min(0)
    steady = [cosets[table[:, s]].tolist() for s in generators]
    joins = []
    for x in elements.tolist():
        moves = [*steady, cosets[table[:, x]].tolist()]
        reached = {0}
        waiting = [0]
        # More than half of the group is all of it.
        while waiting and 2 * order * len(reached) <= len(table):
            coset = waiting.pop()
            new = {move[coset] for move in moves} - reached
            reached |= new
            waiting += new
        whole = 2 * order * len(reached) > len(table)
        marked = np.full(len(table), whole)
        marked[list(reached)] = True
        joins.append(marked[cosets] if not whole else marked)
    return joins


def conjugation_table(table: Numbers) -> Numbers:
    """C, (n, n): C[g, a] is the number of g a g⁻¹."""
    inverse = table.argmin(1)  # the column of the identity, number 0
    conjugates: Numbers = table[table, inverse[:, None]]
    return conjugates


def unpack_row(row: NDArray[np.uint8], count: int) -> Mask:
    """The mask over ``count`` elements of one bit-packed row, or of many."""
    return np.unpackbits(row, axis=-1, count=count).astype(bool)


def _conjugates_of(mask: Mask, table: Numbers, conjugates: Numbers) -> NDArray[np.uint8]:
    # gHg⁻¹ depends on the left coset gH alone.
    first = np.unique(table[:, mask].min(1))
    images = conjugates[first[:, None], mask.nonzero()[0]]
    masks = np.zeros((len(first), len(table)), dtype=bool)
    masks[np.arange(len(first))[:, None], images] = True
    return np.unique(np.packbits(masks, axis=1), axis=0)[::-1]


def _double_coset_orbits(mask: Mask, table: Numbers, conjugates: Numbers) -> Numbers:
    """For each element x, the first element of the N(H)-orbit of HxH; 0 exactly on H."""
    cosets = table[mask].min(0)
    double = cosets[table[:, mask]].min(1)
    first = np.unique(table[:, mask].min(1))
    images = mask[conjugates[first[:, None], mask.nonzero()[0]]]
    normalising = first[images.all(1)]
    orbits: Numbers = double[conjugates[normalising]].min(0)
    return orbits
