"""Units: what must move together, gathered into families whose units may change places."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goldstone.weightspace.tracing.interpreter import Interpreter
from goldstone.weightspace.tracing.labels import Ids
from goldstone.weightspace.tracing.ties import Ties

Hashes = NDArray[np.uint64]
Relation = dict[int, set[int]]
ROUNDS = 3


@dataclass(frozen=True, eq=False)
class Slot:
    """The places of a family's units along one axis of one parameter.

    Attributes:
        parameter, axis: which.
        nodes: (copies, units, places per unit); ``places`` the same, as indices of the axis.
        places: see ``nodes``.
    """

    parameter: str
    axis: int
    nodes: Ids
    places: Ids


@dataclass(frozen=True, eq=False)
class Family:
    """Interchangeable units, in blocks: (copies, units) of them.

    Attributes:
        slots: where they are.
        is_block: the units are blocks of other units (heads, of their inner dimensions).
    """

    copies: int
    size: int
    slots: tuple[Slot, ...]
    is_block: bool


def mixed(x: Hashes) -> Hashes:
    """A 64-bit hash of each number (splitmix64)."""
    with np.errstate(over="ignore"):
        x = x + np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))


class _Nodes:
    """Where each node is, and what it has in common with others."""

    def __init__(self, walk: Interpreter, ties: Ties) -> None:
        self.slots: list[tuple[str, int]] = []
        self.slot = np.full(ties.size, -1, dtype=np.int64)
        self.place = np.zeros(ties.size, dtype=np.int64)
        for name, x in walk.parameters.items():
            for one in x.fields:
                nodes = one.ids >> 1
                self.slot[nodes] = len(self.slots)
                self.place[nodes] = np.arange(len(nodes))
                self.slots.append((name, one.axes[0]))
        self.colour = mixed(self.slot.astype(np.uint64))
        for number, nodes in ties.cells:
            np.add.at(self.colour, nodes, mixed(np.array([number], dtype=np.uint64)))


def families(walk: Interpreter) -> list[Family]:
    """The families of units that a walk with permutations has found."""
    ties = walk.domain.ties
    labels, fixed = ties.components()
    nodes = _Nodes(walk, ties)
    parents, children = _relations(ties, labels)
    colours = _coloured(labels, nodes.colour, parents, children)
    members, rows = _members(labels), _rows(ties, labels)
    groups: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for unit in range(len(fixed)):
        own = nodes.slot[members[unit]] >= 0
        if not fixed[unit] and (own.any() or children.get(unit)):
            others = _elsewhere(unit, parents, children)
            same = tuple(sorted(rows.get(unit, ())))
            groups[(int(colours[unit]), others, same, *sorted(parents.get(unit, ())))].append(unit)
    blocks: dict[tuple[Any, ...], list[list[int]]] = defaultdict(list)
    for (colour, others, _, *above), units in groups.items():
        outer = tuple(sorted({int(colours[parent]) for parent in above}))
        blocks[(colour, len(units), others, *outer)].append(units)
    found = []
    for (_, size, *_), copies in blocks.items():
        if size < 2:
            continue
        places = [
            [
                np.concatenate(_nodes_of(unit, members, parents, children, nodes, colours))
                for unit in units
            ]
            for units in copies
        ]
        slots = _slots(places, nodes)
        found.append(Family(len(copies), size, slots, bool(children.get(copies[0][0]))))
    return found


def _relations(ties: Ties, labels: Ids) -> tuple[Relation, Relation]:
    """The blocks of each unit, and the members of each block.

    Blocks inside larger blocks are members of these, as pairs of channels are that two norms with
    two and with four channels in a group make.
    """
    children: Relation = defaultdict(set)
    for above, rows in ties.families:
        for parent, row in zip(labels[above].tolist(), labels[rows].tolist(), strict=True):
            children[parent] |= set(row) - {parent}
    parents = _turned(children)
    sizes = {parent: len(members) for parent, members in children.items()}
    for inner in sorted(children, key=lambda parent: sizes[parent]):
        members = set(children[inner])
        shared = set.intersection(*(parents[child] for child in members)) if members else set()
        for outer in shared - {inner}:
            if sizes[outer] > sizes[inner]:
                children[outer] = children[outer] - members | {inner}
        parents = _turned(children)
    return parents, children


def _rows(ties: Ties, labels: Ids) -> Relation:
    """The rows that each unit is in: one block may move with another, which has its own members."""
    numbers: dict[tuple[int, frozenset[int]], int] = {}
    rows: Relation = defaultdict(set)
    for above, families in ties.families:
        for parent, row in zip(labels[above].tolist(), labels[families].tolist(), strict=True):
            number = numbers.setdefault((parent, frozenset(row)), len(numbers))
            for unit in row:
                rows[unit].add(number)
    return rows


def _turned(children: Relation) -> Relation:
    parents: Relation = defaultdict(set)
    for parent, members in children.items():
        for child in members:
            parents[child].add(parent)
    return parents


def _elsewhere(unit: int, parents: Relation, children: Relation) -> tuple[tuple[int, ...], ...]:
    """The other blocks of a block's members: only blocks that agree in them may change places."""
    members = children.get(unit, ())
    return tuple(sorted(tuple(sorted(parents[child] - {unit})) for child in members))


def _coloured(labels: Ids, colour: Hashes, parents: Relation, children: Relation) -> Hashes:
    """Colours of units: those of their nodes, refined by those of blocks and members."""
    with np.errstate(over="ignore"):
        units = np.zeros(int(labels.max()) + 1, dtype=np.uint64)
        np.add.at(units, labels, mixed(colour))
        for _ in range(ROUNDS):
            refined = mixed(units)
            for salt, relation in ((1, parents), (2, children)):
                for unit, others in relation.items():
                    total = mixed(units[list(others)] + np.uint64(salt)).sum(dtype=np.uint64)
                    refined[unit] += mixed(total[None])[0]
            units = refined
    return units


def _members(labels: Ids) -> list[Ids]:
    order = np.argsort(labels, kind="stable")
    return np.split(order, np.cumsum(np.bincount(labels))[:-1])


def _nodes_of(
    unit: int,
    members: list[Ids],
    parents: Relation,
    children: Relation,
    nodes: _Nodes,
    colours: Hashes,
) -> list[Ids]:
    """The parameter nodes of a unit and, below, of its members; each list in a canonical order."""
    own = members[unit][nodes.slot[members[unit]] >= 0]
    order = np.lexsort((own, nodes.colour[own]))
    lists = [own[order]]
    below = [
        (int(colours[child]), sorted(parents[child] - {unit}), int(members[child][0]), child)
        for child in children.get(unit, ())
    ]
    for *_, child in sorted(below):
        lists += _nodes_of(child, members, parents, children, nodes, colours)
    return lists


def _slots(places: list[list[Ids]], nodes: _Nodes) -> tuple[Slot, ...]:
    flat = np.array(places)
    slot = nodes.slot[flat[0, 0]]
    found = []
    for number in dict.fromkeys(sorted(slot.tolist())):
        chosen = flat[:, :, slot == number]
        name, axis = nodes.slots[number]
        found.append(Slot(name, axis, chosen, nodes.place[chosen]))
    return tuple(found)
