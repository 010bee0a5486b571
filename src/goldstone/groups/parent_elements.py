"""What subgroups and quotients share: elements that are elements of a parent group."""

from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor

from goldstone.groups.finite import FiniteGroup
from goldstone.groups.group import Element


class ParentElements(FiniteGroup[Element]):
    """A group whose elements are some of those of a finite group, its parent.

    Values and tensors of elements have the same form in both groups.
    """

    parent: FiniteGroup[Element]
    """The group that the elements are taken from."""

    @property
    @abstractmethod
    def _members(self) -> Tensor:
        """The numbers in the parent of the elements, in order: int64 of shape (order,)."""

    @property
    def identity(self) -> Element:
        return self.parent.identity

    @property
    def element_shape(self) -> tuple[int, ...]:
        return self.parent.element_shape

    def from_index(self, index: Tensor) -> Tensor:
        return self.parent.from_index(self._members.to(index.device)[index])

    def member_mask(self, a: Tensor) -> Tensor:
        inside = self.parent.member_mask(a)
        first = self.parent.identity_tensor(a)
        safe = torch.where(inside.reshape(inside.shape + (1,) * first.dim()), a, first)
        return inside & torch.isin(self.parent.index(safe), self._members.to(a.device))

    def numbers_of(self, a: Element) -> Any:
        return self.parent.numbers_of(a)

    def value_of(self, numbers: Any) -> Element:
        return self.parent.value_of(numbers)
