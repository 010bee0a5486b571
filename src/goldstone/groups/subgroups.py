"""Subgroups of finite groups as sets of elements."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.finite import MOST_MARKED, FiniteGroup
from goldstone.groups.group import Element


@dataclass(frozen=True)
class Subgroup(Generic[Element]):
    """A subgroup by its elements.

    ``name`` is that of the whole group, ``1`` for the trivial one, and else the generators.
    """

    name: str
    elements: frozenset[Element]

    @property
    def order(self) -> int:
        """Number of elements."""
        return len(self.elements)


def subgroup(group: FiniteGroup[Element], generators: Sequence[Element]) -> Subgroup[Element]:
    """The subgroup that ``generators`` generate, named by them."""
    return named_subgroup(group, group.generated_by(generators), generators)


def named_subgroup(
    group: FiniteGroup[Element], elements: frozenset[Element], generators: Sequence[Element]
) -> Subgroup[Element]:
    """The subgroup with these elements, named by generators that are known to generate it."""
    if len(elements) == 1:
        return Subgroup("1", elements)
    if len(elements) == group.order:
        return Subgroup(group.name, elements)
    return Subgroup(f"⟨{', '.join(group.element_name(a) for a in generators)}⟩", elements)


def subgroup_from_mask(group: FiniteGroup[Element], mask: Tensor) -> Subgroup[Element]:
    """The subgroup of the elements marked in ``mask``, bool of shape (order,)."""
    elements = group.from_index(mask.nonzero()[:, 0])
    generators = greedy_generators(group, elements)
    return named_subgroup(group, frozenset(group.values(elements)), group.values(generators))


def greedy_generators(group: FiniteGroup[Element], elements: Tensor) -> Tensor:
    """Those elements, (n, …), that those before them do not generate.

    They generate what all the elements do; each at least doubles what is generated, so there are
    at most log₂ of its order.
    """
    chosen = elements[:0]
    reached = group.generated_mask(chosen)
    for _ in range(len(elements)):
        new = (~reached[group.index(elements)]).nonzero()
        if not len(new):
            break
        chosen = torch.cat((chosen, elements[new[0]]))
        reached = group.generated_mask(chosen)
    return chosen


def subgroup_mask(group: FiniteGroup[Element], h: Subgroup[Element]) -> Tensor:
    """Which elements of the group, bool of shape (order,), lie in ``h``.

    Raises:
        InputError: an element of ``h`` does not lie in the group, or that has more than a hundred
            million elements.
    """
    group._check_order(MOST_MARKED, "are too many to mark those of a subgroup")
    elements = group.tensor(tuple(h.elements))
    group.check_contains(elements)
    mask = torch.zeros(group.order, dtype=torch.bool)
    mask[group.index(elements)] = True
    return mask


def subgroup_generators(group: FiniteGroup[Element], h: Subgroup[Element]) -> Tensor:
    """Few generators of ``h``, a tensor of elements (n, …), which is verified to be a subgroup.

    Raises:
        InputError: ``h`` is none; the message names elements that show it.
    """
    no_subgroup = f"{h.name} is no subgroup of {group.name}"
    if group.identity not in h.elements:
        raise InputError(f"{no_subgroup}: it lacks the identity; see goldstone.groups.subgroup")
    mask = subgroup_mask(group, h)
    generators = greedy_generators(group, group.from_index(mask.nonzero()[:, 0]))
    missing = (group.generated_mask(generators) & ~mask).nonzero()
    if len(missing):
        names = ", ".join(map(group.element_name, group.values(generators)))
        outside = group.value(group.from_index(missing[0, 0]))
        raise InputError(
            f"{no_subgroup}: its elements {names} generate {group.element_name(outside)}, which "
            "it lacks; see goldstone.groups.subgroup"
        )
    return generators


def maximal(subgroups: Sequence[Subgroup[Element]]) -> tuple[Subgroup[Element], ...]:
    """Those contained in no other of the list."""
    return tuple(
        h for h in subgroups if not any(h.elements < other.elements for other in subgroups)
    )
