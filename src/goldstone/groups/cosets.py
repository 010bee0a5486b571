"""Left and right cosets of a subgroup."""

from typing import Literal

import torch
from torch import Tensor

from goldstone.groups.finite import FiniteGroup
from goldstone.groups.group import Element
from goldstone.groups.subgroups import Subgroup, subgroup_generators, subgroup_mask


def left_cosets(
    group: FiniteGroup[Element], h: Subgroup[Element]
) -> tuple[tuple[Element, ...], ...]:
    """The left cosets gH in order of their first elements; the first is H itself.

    Raises:
        InputError: ``h`` is no subgroup of the group.
    """
    return _cosets(group, h, "left")


def right_cosets(
    group: FiniteGroup[Element], h: Subgroup[Element]
) -> tuple[tuple[Element, ...], ...]:
    """The right cosets Hg in order of their first elements; the first is H itself.

    Raises:
        InputError: ``h`` is no subgroup of the group.
    """
    return _cosets(group, h, "right")


def coset_table(
    group: FiniteGroup[Element], h: Subgroup[Element], side: Literal["left", "right"] = "left"
) -> Tensor:
    """The cosets as numbers, int64 of shape (order/|H|, |H|): row i is coset i.

    Rows are in order of their first elements; within row i the elements are g·h (left) or h·g
    (right), g the coset's first element and h running through H in the group's order.

    Raises:
        InputError: ``h`` is no subgroup of the group; the message names elements that show it.
    """
    subgroup_generators(group, h)
    members = group.from_index(subgroup_mask(group, h).nonzero()[:, 0])
    remaining = torch.ones(group.order, dtype=torch.bool)
    rows = []
    first = 0
    while first < group.order:
        g = group.from_index(torch.tensor([first]))
        products = group.compose(g, members) if side == "left" else group.compose(members, g)
        rows.append(group.index(products))
        remaining[rows[-1]] = False
        left = remaining[first:].nonzero()
        first = first + int(left[0, 0]) if len(left) else group.order
    return torch.stack(rows)


def _cosets(
    group: FiniteGroup[Element], h: Subgroup[Element], side: Literal["left", "right"]
) -> tuple[tuple[Element, ...], ...]:
    elements = group.elements()
    return tuple(tuple(elements[i] for i in row) for row in coset_table(group, h, side).tolist())
