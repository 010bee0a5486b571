"""Whether two finite groups are isomorphic, and an isomorphism."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from goldstone.groups.cayley_table import cayley_table
from goldstone.groups.conjugacy import ConjugacyClasses, conjugacy_classes
from goldstone.groups.finite import FiniteGroup
from goldstone.groups.group import Element
from goldstone.groups.homomorphism import Homomorphism, Image
from goldstone.groups.subgroup_search import Numbers


@dataclass(frozen=True)
class IndexMap:
    """A map between finite groups given by the images' numbers."""

    source: FiniteGroup[Any]
    target: FiniteGroup[Any]
    images: tuple[int, ...]

    def __call__(self, a: torch.Tensor) -> torch.Tensor:
        images = torch.tensor(self.images, device=a.device)
        return self.target.from_index(images[self.source.index(a)])


def are_isomorphic(a: FiniteGroup[Any], b: FiniteGroup[Any]) -> bool:
    """Whether two groups of order up to 2,000 have the same structure.

    Raises:
        InputError: they have the same order, over 2,000.
    """
    return find_isomorphism(a, b) is not None


def find_isomorphism(
    a: FiniteGroup[Element], b: FiniteGroup[Image]
) -> Homomorphism[Element, Image] | None:
    """An isomorphism a → b, or none; for orders up to 2,000.

    Elements are coloured by what an isomorphism preserves; then images of a few generators are
    searched for among elements of like colour, the first up to conjugation. It is fast unless two
    groups differ and yet agree in all colours, as large p-groups can.

    Raises:
        InputError: they have the same order, over 2,000.
    """
    if a.order != b.order:
        return None
    tables = cayley_table(a).numpy(), cayley_table(b).numpy()
    classes = conjugacy_classes(a), conjugacy_classes(b)
    colours = _common_colours(tables, classes)
    counts = [np.bincount(c, minlength=a.order) for c in colours]
    if not np.array_equal(counts[0], counts[1]):
        return None
    generators = _rare_generators(tables[0], colours[0], counts[0])
    stages = [_Stage(tables[0], generators[: i + 1]) for i in range(len(generators))]
    first = np.unique(classes[1].labels.numpy(), return_index=True)[1]

    def extend(chosen: tuple[int, ...]) -> Iterator[Numbers]:
        depth = len(chosen)
        if depth == len(generators):
            yield stages[-1].spread(tables[1], chosen) if stages else np.zeros(1, dtype=np.int64)
            return
        alike = (colours[1] == colours[0][generators[depth]]).nonzero()[0]
        for image in alike if depth else np.intersect1d(alike, first):
            longer = (*chosen, int(image))
            if stages[depth].is_isomorphism(tables[1], longer):
                yield from extend(longer)

    found = next(extend(()), None)
    if found is None:
        return None
    return Homomorphism(a, b, IndexMap(a, b, tuple(found.tolist())))


class _Stage:
    """The subgroup of the first few generators, with a word for each element."""

    def __init__(self, table: Numbers, generators: list[int]) -> None:
        self.table, self.generators = table, generators
        reached = np.zeros(len(table), dtype=bool)
        reached[0] = True
        self.steps: list[tuple[Numbers, int, Numbers]] = []  # (from, generator, to)
        frontier = np.zeros(1, dtype=np.int64)
        while len(frontier):
            new = []
            for number, s in enumerate(generators):
                products = table[frontier, s]
                fresh = ~reached[products]
                if fresh.any():
                    self.steps.append((frontier[fresh], number, products[fresh]))
                    reached[products[fresh]] = True
                    new.append(products[fresh])
            frontier = np.concatenate(new) if new else frontier[:0]
        self.members = reached.nonzero()[0]

    def spread(self, table: Numbers, images: tuple[int, ...]) -> Numbers:
        """The images, under the words, of all elements; 0 outside the subgroup."""
        found = np.zeros(len(self.table), dtype=np.int64)
        for start, number, end in self.steps:
            found[end] = table[found[start], images[number]]
        return found

    def is_isomorphism(self, table: Numbers, images: tuple[int, ...]) -> bool:
        """Whether the generators' images extend to an injective homomorphism."""
        found = self.spread(table, images)
        if len(np.unique(found[self.members])) < len(self.members):
            return False
        return all(
            np.array_equal(found[self.table[self.members, s]], table[found[self.members], image])
            for s, image in zip(self.generators, images, strict=True)
        )


def _common_colours(
    tables: tuple[Numbers, Numbers], classes: tuple[ConjugacyClasses[Any], ConjugacyClasses[Any]]
) -> list[NDArray[np.int64]]:
    """Colours of the elements of both groups that every isomorphism preserves.

    From the order and the size of the class, the colour of x is refined by the colours of all
    pairs (y, xy) until no more are told apart.
    """
    rows = [np.array([c.orders, c.sizes]).T for c in classes]
    labels = [c.labels.numpy() for c in classes]
    first = [np.unique(label, return_index=True)[1] for label in labels]
    colours = 0
    while True:
        together = np.unique(np.concatenate(rows), axis=0, return_inverse=True)[1].reshape(-1)
        by_class = together[: len(rows[0])], together[len(rows[0]) :]
        found = [colour[label] for colour, label in zip(by_class, labels, strict=True)]
        if together.max() + 1 == colours:
            return found
        colours = int(together.max()) + 1
        pairs = [
            np.sort(colour * colours + colour[table[start]], axis=1)
            for colour, table, start in zip(found, tables, first, strict=True)
        ]
        rows = [
            np.concatenate((colour[start, None], pair), axis=1)
            for colour, start, pair in zip(found, first, pairs, strict=True)
        ]


def _rare_generators(
    table: Numbers, colours: NDArray[np.int64], counts: NDArray[np.int64]
) -> list[int]:
    """Few generators, of colours that few elements share where the choice is free."""
    generators: list[int] = []
    members = np.zeros(1, dtype=np.int64)
    while len(members) < len(table):
        outside = np.setdiff1d(np.arange(len(table)), members)
        reach = [
            (-len(_Stage(table, [*generators, int(x)]).members), counts[colours[x]], int(x))
            for x in _one_of_each(outside, colours)
        ]
        generators.append(min(reach)[2])
        members = _Stage(table, generators).members
    return generators


def _one_of_each(elements: Numbers, colours: NDArray[np.int64]) -> Numbers:
    return elements[np.unique(colours[elements], return_index=True)[1]]
