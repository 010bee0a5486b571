"""The Cayley graph of a finite group."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.finite import FiniteGroup
from goldstone.groups.group import Element


@dataclass(frozen=True)
class CayleyGraph(Generic[Element]):
    """The arrows g → g·s for all elements g and all s of a set of generators.

    Multiplication from the left, g ↦ h·g, maps arrows to arrows of the same generator. See
    :func:`cayley_graph`.

    Attributes:
        group: the group.
        generators: s_1 … s_k.
        targets: the number of g·s_j for the element of number g, int64 of shape (order, k).
    """

    group: FiniteGroup[Element]
    generators: tuple[Element, ...]
    targets: Tensor = field(compare=False, repr=False)


def cayley_graph(
    group: FiniteGroup[Element], generators: Sequence[Element] | None = None
) -> CayleyGraph[Element]:
    """The Cayley graph by ``generators``, by default the group's own.

    It is connected exactly if they generate the group.

    Raises:
        InputError: a generator is the identity or does not lie in the group.
    """
    chosen = tuple(group.generators() if generators is None else generators)
    for a in chosen:
        group.check_contains(a)
        if a == group.identity:
            raise InputError(
                f"expected generators of {group.name} other than the identity for a Cayley graph"
            )
    every, steps = group.element_tensor(), group.tensor(chosen)
    targets = [group.index(group.compose(every, step)) for step in steps]
    empty = torch.empty((group.order, 0), dtype=torch.int64)
    return CayleyGraph(group, chosen, torch.stack(targets, 1) if targets else empty)
