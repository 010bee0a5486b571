"""The multiplication table of a finite group."""

from typing import Any

from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.finite import FiniteGroup, order_text

MOST_TABULATED = 2_000


def cayley_table(group: FiniteGroup[Any]) -> Tensor:
    """The Cayley table T, (order, order) in int64: T[i, j] is the number of g_i·g_j.

    Raises:
        InputError: the group has more than 2,000 elements.
    """
    if group.order > MOST_TABULATED:
        raise InputError(
            f"expected a group of order at most {MOST_TABULATED} for a Cayley table, got "
            f"{group.name} of order {order_text(group.order)}; work with its generators or "
            "with a subgroup"
        )
    elements = group.element_tensor()
    return group.index(group.compose(elements[:, None], elements[None]))
