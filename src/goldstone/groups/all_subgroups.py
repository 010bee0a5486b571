"""Every subgroup of a small group."""

import numpy as np
from numpy.typing import NDArray

from goldstone.core import InputError
from goldstone.groups.cayley_table import cayley_table
from goldstone.groups.finite import FiniteGroup
from goldstone.groups.group import Element
from goldstone.groups.smallest_generators import smallest_generators
from goldstone.groups.subgroup_search import IndexClass, subgroup_classes, unpack_row
from goldstone.groups.subgroups import Subgroup, named_subgroup

LARGEST_ORDER = 200
MOST_SUBGROUPS = 50_000


def all_subgroups(group: FiniteGroup[Element]) -> tuple[Subgroup[Element], ...]:
    """Every subgroup, by order, then by first elements; named by fewest generators.

    Raises:
        InputError: the group has more than 200 elements, or more than 50,000 subgroups.
    """
    if group.order > LARGEST_ORDER:
        raise InputError(
            f"all subgroups of {group.name} (order {group.order}) are too many to list; "
            f"expected an order of at most {LARGEST_ORDER}; see subgroup_lattice"
        )
    classes = subgroup_classes(cayley_table(group).numpy(), MOST_SUBGROUPS, group.name)
    elements = group.elements()
    found = []
    for number, here in enumerate(classes):
        below = rows_below(classes, number)
        for row in here.rows:
            h = named_by_fewest(group, elements, row, below)
            found.append((here.order, [-int(byte) for byte in row], h))
    return tuple(h for *_, h in sorted(found, key=lambda entry: entry[:2]))


def rows_below(classes: list[IndexClass], number: int) -> NDArray[np.uint8]:
    """The bit-packed subgroups in the classes of the maximal subgroups of one class."""
    width = classes[number].rows.shape[1]
    below = [h.rows for h in classes if number in h.above]
    return np.concatenate([np.zeros((0, width), dtype=np.uint8), *below])


def named_by_fewest(
    group: FiniteGroup[Element],
    elements: tuple[Element, ...],
    row: NDArray[np.uint8],
    below: NDArray[np.uint8],
) -> Subgroup[Element]:
    """The subgroup of a bit-packed row, named by the first of its smallest generating sets.

    ``below`` holds candidates for its maximal subgroups, see :func:`rows_below`.
    """
    inside = below[(below & ~row == 0).all(1)]
    mask = unpack_row(row, len(elements))
    generators = smallest_generators(mask, unpack_row(inside, len(elements)))
    members = frozenset(elements[i] for i in mask.nonzero()[0].tolist())
    return named_subgroup(group, members, [elements[i] for i in generators])
