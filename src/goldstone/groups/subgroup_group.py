"""A subgroup as a group of its own."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from goldstone.groups.finite import FiniteGroup
from goldstone.groups.group import Element
from goldstone.groups.parent_elements import ParentElements
from goldstone.groups.subgroups import Subgroup, subgroup_generators, subgroup_mask


@dataclass(frozen=True)
class SubgroupGroup(ParentElements[Element]):
    """A subgroup of a finite group as a group: its elements are elements of the parent.

    Values and tensors of elements mean the same in both groups, so the inclusion is the identity
    map. Elements keep the parent's order. See :func:`subgroup_as_group`.

    Raises:
        InputError: the elements are not in the parent or not closed under composition.
    """

    parent: FiniteGroup[Element]
    subgroup: Subgroup[Element]
    members: Tensor = field(init=False, compare=False, repr=False)
    """The elements' numbers in the parent, ascending: int64 of shape (order,)."""
    _generators: tuple[Element, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        generators = subgroup_generators(self.parent, self.subgroup)
        members = subgroup_mask(self.parent, self.subgroup).nonzero()[:, 0]
        object.__setattr__(self, "members", members)
        object.__setattr__(self, "_generators", self.parent.values(generators))

    @property
    def name(self) -> str:
        return self.subgroup.name

    @property
    def order(self) -> int:
        return self.subgroup.order

    @property
    def _members(self) -> Tensor:
        return self.members

    def index(self, a: Tensor) -> Tensor:
        return torch.searchsorted(self.members.to(a.device), self.parent.index(a).contiguous())

    def _compose(self, a: Tensor, b: Tensor) -> Tensor:
        return self.parent._compose(a, b)

    def _inverse(self, a: Tensor) -> Tensor:
        return self.parent._inverse(a)

    def generators(self) -> tuple[Element, ...]:
        return self._generators

    def element_name(self, a: Element) -> str:
        return self.parent.element_name(a)


def subgroup_as_group(group: FiniteGroup[Element], h: Subgroup[Element]) -> SubgroupGroup[Element]:
    """The subgroup ``h`` of ``group`` as a group whose elements are elements of ``group``.

    Raises:
        InputError: ``h`` is no subgroup of ``group``; the message names elements that show it.
    """
    return SubgroupGroup(group, h)
