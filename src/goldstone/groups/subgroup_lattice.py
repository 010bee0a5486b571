"""The lattice of subgroups up to conjugacy."""

from dataclasses import dataclass
from typing import Generic

from goldstone.groups.all_subgroups import MOST_SUBGROUPS, named_by_fewest, rows_below
from goldstone.groups.cayley_table import cayley_table
from goldstone.groups.finite import FiniteGroup
from goldstone.groups.group import Element
from goldstone.groups.subgroup_search import subgroup_classes
from goldstone.groups.subgroups import Subgroup


@dataclass(frozen=True)
class SubgroupClass(Generic[Element]):
    """A conjugacy class of subgroups: ``size`` conjugates of ``representative``."""

    representative: Subgroup[Element]
    size: int

    @property
    def order(self) -> int:
        """Elements in each of the subgroups."""
        return self.representative.order

    @property
    def is_normal(self) -> bool:
        """Whether the representative is its only conjugate."""
        return self.size == 1


@dataclass(frozen=True)
class Covering:
    """Subgroups of class ``lower`` are maximal in subgroups of class ``upper``.

    Attributes:
        lower: the position of the smaller subgroups' class.
        upper: the position of the larger subgroups' class.
        below: how many of the lower class are maximal in each of the upper.
        above: in how many of the upper class each of the lower is maximal.
    """

    lower: int
    upper: int
    below: int
    above: int


@dataclass(frozen=True)
class SubgroupLattice(Generic[Element]):
    """The subgroups of a group up to conjugacy, and which are maximal in which.

    ``classes`` are ordered by order of the subgroups, then size of the class; the trivial subgroup
    is first and the group last. ``coverings`` are the edges of the Hasse diagram.
    """

    group: FiniteGroup[Element]
    classes: tuple[SubgroupClass[Element], ...]
    coverings: tuple[Covering, ...]

    @property
    def subgroup_count(self) -> int:
        """Number of subgroups, conjugates counted."""
        return sum(c.size for c in self.classes)

    @property
    def normal(self) -> tuple[Subgroup[Element], ...]:
        """The normal subgroups, by order."""
        return tuple(c.representative for c in self.classes if c.is_normal)

    @property
    def maximal(self) -> tuple[SubgroupClass[Element], ...]:
        """The classes of maximal subgroups of the group."""
        top = len(self.classes) - 1
        return tuple(self.classes[c.lower] for c in self.coverings if c.upper == top)


def subgroup_lattice(
    group: FiniteGroup[Element], limit: int = MOST_SUBGROUPS
) -> SubgroupLattice[Element]:
    """The lattice of subgroups up to conjugacy of a group of order up to 2,000.

    Each class's representative is joined with single elements up to its normaliser, from the
    trivial subgroup upwards.

    Args:
        group: the group.
        limit: the largest number of subgroups to list, conjugates counted.

    Raises:
        InputError: the group has more than 2,000 elements or more than ``limit`` subgroups.
    """
    found = subgroup_classes(cayley_table(group).numpy(), limit, group.name)
    sizes = [(c.order, len(c.rows)) for c in found]
    ordered = sorted(range(len(found)), key=lambda number: (*sizes[number], number))
    position = {number: place for place, number in enumerate(ordered)}
    elements = group.elements()
    classes = tuple(
        SubgroupClass(
            named_by_fewest(group, elements, found[number].rows[0], rows_below(found, number)),
            sizes[number][1],
        )
        for number in ordered
    )
    coverings = [
        # Pairs of a lower and an upper subgroup, counted from either side.
        Covering(
            position[number],
            position[upper],
            below=above * sizes[number][1] // sizes[upper][1],
            above=above,
        )
        for number, here in enumerate(found)
        for upper, above in here.above.items()
    ]
    return SubgroupLattice(
        group, classes, tuple(sorted(coverings, key=lambda c: (c.upper, c.lower)))
    )
