"""Conjugacy classes, centralisers and normalisers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic

import torch
from torch import Tensor

from goldstone.groups.connected import connected_labels
from goldstone.groups.element_orders import element_orders
from goldstone.groups.finite import FiniteGroup
from goldstone.groups.group import Element
from goldstone.groups.subgroups import (
    Subgroup,
    greedy_generators,
    named_subgroup,
    subgroup_from_mask,
    subgroup_mask,
)


@dataclass(frozen=True)
class ConjugacyClasses(Generic[Element]):
    """The conjugacy classes {g a g⁻¹ : g in G} of a finite group, in order of first elements.

    The identity's class is number 0. See :func:`conjugacy_classes`.

    Attributes:
        group: the group.
        representatives: the first element of each class.
        sizes: the number of elements of each.
        orders: the order of the elements of each.
        labels: the number of the class of each element, int64 of shape (order,).
    """

    group: FiniteGroup[Element]
    representatives: tuple[Element, ...]
    sizes: tuple[int, ...]
    orders: tuple[int, ...]
    labels: Tensor = field(compare=False, repr=False)

    def __len__(self) -> int:
        return len(self.sizes)

    def members(self, number: int) -> tuple[Element, ...]:
        """The elements of one class, as values."""
        return self.group.values(self.group.from_index((self.labels == number).nonzero()[:, 0]))

    def number(self, a: Tensor) -> Tensor:
        """The class numbers, int64 of shape (*batch), of a tensor of elements."""
        return self.labels.to(a.device)[self.group.index(a)]

    def powers(self, n: int) -> tuple[int, ...]:
        """The numbers of the classes that hold the n-th powers of each class's elements."""
        raised = self.group.power(self.group.tensor(self.representatives), n)
        return tuple(self.number(raised).tolist())


def conjugacy_classes(group: FiniteGroup[Element]) -> ConjugacyClasses[Element]:
    """The conjugacy classes: the orbits of the generators' conjugations. No table is built."""
    elements = group.element_tensor()
    maps = [group.index(group.conjugate(elements, by=s)) for s in group.tensor(group.generators())]
    labels = connected_labels(group.order, maps)
    sizes = torch.bincount(labels)
    first = torch.full_like(sizes, group.order).scatter_reduce(
        0, labels, torch.arange(group.order), "amin"
    )
    representatives = elements[first]
    return ConjugacyClasses(
        group,
        group.values(representatives),
        tuple(sizes.tolist()),
        tuple(element_orders(group, representatives).tolist()),
        labels,
    )


def centre(group: FiniteGroup[Element]) -> Subgroup[Element]:
    """The centre Z(G): the elements that commute with all."""
    return centraliser(group, group.generators())


def centraliser(group: FiniteGroup[Element], elements: Sequence[Element]) -> Subgroup[Element]:
    """The elements that commute with each of ``elements``.

    Raises:
        InputError: one of ``elements`` does not lie in the group.
    """
    every = group.element_tensor()
    mask = torch.ones(group.order, dtype=torch.bool)
    for a in elements:
        group.check_contains(a)
        one = group.tensor((a,))[0]
        mask &= group.equal(group.compose(every, one), group.compose(one, every))
    return subgroup_from_mask(group, mask)


def normaliser(group: FiniteGroup[Element], h: Subgroup[Element]) -> Subgroup[Element]:
    """N(H) = {g : gHg⁻¹ = H}.

    Raises:
        InputError: an element of ``h`` does not lie in the group.
    """
    return subgroup_from_mask(group, normaliser_mask(group, subgroup_mask(group, h)))


def normaliser_mask(group: FiniteGroup[Element], mask: Tensor) -> Tensor:
    """The normaliser of the subgroup marked in ``mask``, both bool of shape (order,)."""
    every = group.element_tensor()
    normalising = torch.ones(group.order, dtype=torch.bool)
    for s in greedy_generators(group, group.from_index(mask.nonzero()[:, 0])):
        normalising &= mask[group.index(group.conjugate(s, by=every))]
    return normalising


def conjugate_subgroup(
    group: FiniteGroup[Element], h: Subgroup[Element], by: Element
) -> Subgroup[Element]:
    """gHg⁻¹ for g = ``by``.

    Raises:
        InputError: an element of ``h`` or ``by`` does not lie in the group.
    """
    group.check_contains(by)
    members = group.from_index(subgroup_mask(group, h).nonzero()[:, 0])
    g = group.tensor((by,))[0]
    generators = group.conjugate(greedy_generators(group, members), by=g)
    images = frozenset(group.values(group.conjugate(members, by=g)))
    return named_subgroup(group, images, group.values(generators))


def is_normal(group: FiniteGroup[Element], h: Subgroup[Element]) -> bool:
    """Whether gHg⁻¹ = H for all g.

    Raises:
        InputError: an element of ``h`` does not lie in the group.
    """
    return normality_witness(group, h) is None


def normality_witness(
    group: FiniteGroup[Element], h: Subgroup[Element]
) -> tuple[Element, Element] | None:
    """A generator g and an element a of ``h`` with g a g⁻¹ outside ``h``; none if it is normal."""
    mask = subgroup_mask(group, h)
    members = group.from_index(mask.nonzero()[:, 0])
    for g, by in zip(group.generators(), group.tensor(group.generators()), strict=True):
        outside = ~mask[group.index(group.conjugate(members, by=by))]
        if outside.any():
            return g, group.value(members[outside][0])
    return None
