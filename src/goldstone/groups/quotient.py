"""Quotient groups G/N and their projections."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.conjugacy import normality_witness
from goldstone.groups.connected import connected_labels
from goldstone.groups.finite import FiniteGroup
from goldstone.groups.group import Element
from goldstone.groups.homomorphism import Homomorphism
from goldstone.groups.parent_elements import ParentElements
from goldstone.groups.subgroups import Subgroup, greedy_generators, subgroup_generators


@dataclass(frozen=True)
class QuotientGroup(ParentElements[Element]):
    """G/N: each coset gN is represented by its first element in G's order.

    (gN)(hN) = (gh)N; the element gN has the value g, the representative. See
    :func:`quotient_group`.

    Attributes:
        parent: G.
        normal: N.
        representatives: the numbers in G of the cosets' first elements, int64 (order,).
        cosets: for each element of G, the number of its coset, int64 (|G|,).

    Raises:
        InputError: N is not normal; the message names g and a with g a g⁻¹ outside N.
    """

    parent: FiniteGroup[Element]
    normal: Subgroup[Element]
    representatives: Tensor = field(init=False, compare=False, repr=False)
    cosets: Tensor = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        parent, normal = self.parent, self.normal
        steps = subgroup_generators(parent, normal)
        witness = normality_witness(parent, normal)
        if witness is not None:
            g, a = map(parent.element_name, witness)
            raise InputError(
                f"{normal.name} is not normal in {parent.name}: with g = {g} and a = {a} the "
                "conjugate g a g⁻¹ lies outside it; see normal_subgroups and normal_closure"
            )
        every = parent.element_tensor()
        cosets = connected_labels(
            parent.order, [parent.index(parent.compose(every, s)) for s in steps]
        )
        first = torch.full((parent.order // normal.order,), parent.order)
        first = first.scatter_reduce(0, cosets, torch.arange(parent.order), "amin")
        object.__setattr__(self, "cosets", cosets)
        object.__setattr__(self, "representatives", first)

    @property
    def name(self) -> str:
        return f"{self.parent.name}/{self.normal.name}"

    @property
    def order(self) -> int:
        return self.parent.order // self.normal.order

    @property
    def _members(self) -> Tensor:
        return self.representatives

    @property
    def projection(self) -> Homomorphism[Element, Element]:
        """The homomorphism G → G/N, g ↦ gN, with kernel N."""
        return Homomorphism(self.parent, self, _Projection(self))

    def coset_of(self, a: Tensor) -> Tensor:
        """The cosets, as tensors of elements of G/N, of a tensor of elements of G."""
        return self.from_index(self.cosets.to(a.device)[self.parent.index(a)])

    def index(self, a: Tensor) -> Tensor:
        return self.cosets.to(a.device)[self.parent.index(a)]

    def _compose(self, a: Tensor, b: Tensor) -> Tensor:
        return self.coset_of(self.parent._compose(a, b))

    def _inverse(self, a: Tensor) -> Tensor:
        return self.coset_of(self.parent._inverse(a))

    def generators(self) -> tuple[Element, ...]:
        images = self.coset_of(self.parent.tensor(self.parent.generators()))
        return self.values(greedy_generators(self, images))

    def element_name(self, a: Element) -> str:
        return "N" if a == self.identity else f"{self.parent.element_name(a)}N"


def quotient_group(
    group: FiniteGroup[Element], normal: Subgroup[Element]
) -> QuotientGroup[Element]:
    """The quotient of ``group`` by a normal subgroup, with its ``projection``.

    Raises:
        InputError: ``normal`` is no normal subgroup; the message names elements that show it.
    """
    return QuotientGroup(group, normal)


@dataclass(frozen=True)
class _Projection:
    # A bound method would compare by identity.
    quotient: QuotientGroup[Any]

    def __call__(self, a: Tensor) -> Tensor:
        return self.quotient.coset_of(a)
