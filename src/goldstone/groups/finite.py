"""The contract of a finite group."""

from abc import abstractmethod
from collections.abc import Sequence
from math import log10

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.element_orders import element_orders
from goldstone.groups.group import Element, Group

MOST_LISTED = 1_000_000
MOST_MARKED = 100_000_000

LONG_STEPS = 32

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")


def normalise_name(name: str) -> str:
    """An element name as typed: ``sr2``, ``sr^2`` and ``sr²`` are the same."""
    return name.strip().translate(_SUPERSCRIPTS).replace("^", "").replace(" ", "")


def order_text(order: int) -> str:
    """The order of a group for messages: to three digits, or a power of ten."""
    return f"{order:.3g}" if order < 10**300 else f"10^{log10(order):.0f}"


class FiniteGroup(Group[Element]):
    """A group of finitely many elements, with exact composition.

    Its elements are numbered from 0, the identity's number; :meth:`index` and :meth:`from_index`
    are inverse to each other. Nothing is tabulated: see :func:`goldstone.groups.cayley_table`.
    """

    @property
    @abstractmethod
    def order(self) -> int:
        """Number of elements."""

    @abstractmethod
    def index(self, a: Tensor) -> Tensor:
        """The numbers, int64 of shape (*batch), of a tensor of elements."""

    @abstractmethod
    def from_index(self, index: Tensor) -> Tensor:
        """The tensor of elements, (*batch, *element_shape), with these numbers."""

    @property
    def element_dtype(self) -> torch.dtype:
        return torch.int64

    def element_tensor(self) -> Tensor:
        """All elements in order, (order, *element_shape).

        Raises:
            InputError: there are more than a million.
        """
        self._check_order(MOST_LISTED, "are too many to list; work with generators or with samples")
        return self.from_index(torch.arange(self.order))

    def _check_numbered(self) -> None:
        """Raise InputError where the numbers of elements exceed 64 bits."""
        self._check_order(2**63 - 1, "exceed 64-bit numbers; compose, invert and sample them")

    def _check_order(self, most: int, complaint: str) -> None:
        if self.order > most:
            order = order_text(self.order)
            raise InputError(f"the elements of {self.name} (order {order}) {complaint}")

    def elements(self) -> tuple[Element, ...]:
        """All elements as values, the identity first."""
        return self.values(self.element_tensor())

    def sample(self, generator: torch.Generator, shape: tuple[int, ...] = ()) -> Tensor:
        number = torch.randint(
            self.order, shape, generator=generator, device=generator.device, dtype=torch.int64
        )
        return self.from_index(number)

    def element_order(self, a: Element) -> int:
        """The smallest n ≥ 1 with aⁿ = e."""
        self.check_contains(a)
        return int(element_orders(self, self.tensor((a,))[0]))

    def parse(self, name: str) -> Element:
        """The element of this name; ``sr2``, ``sr^2`` and ``sr²`` are the same.

        Raises:
            InputError: no element has the name.
        """
        wanted = normalise_name(name)
        elements = self.elements()
        for element in elements:
            if normalise_name(self.element_name(element)) == wanted:
                return element
        some = ", ".join(self.element_name(a) for a in elements[:8])
        raise InputError(f"{name!r} names no element of {self.name}; its elements are {some} …")

    def generated_by(self, generators: Sequence[Element]) -> frozenset[Element]:
        """The elements of the smallest subgroup that contains ``generators``."""
        for a in generators:
            self.check_contains(a)
        reached = self.generated_mask(self.tensor(tuple(generators)))
        return frozenset(self.values(self.from_index(reached.nonzero()[:, 0])))

    def generated_mask(self, generators: Tensor) -> Tensor:
        """Which elements, bool of shape (order,), the tensor of elements (n, …) generates.

        Raises:
            InputError: the group has more than a hundred million elements.
        """
        self._check_order(MOST_MARKED, "are too many to mark those that some generate")
        reached = torch.zeros(self.order, dtype=torch.bool)
        frontier = self.tensor((self.identity,))
        reached[self.index(frontier)] = True
        steps = generators
        # In a finite group inverses are powers, so products on one side suffice.
        while len(frontier) and len(steps):
            products = self._compose(frontier[:, None], steps[None]).flatten(0, 1)
            number = self.index(products)
            number = number[~reached[number]]
            reached[number] = True
            frontier = self.from_index(torch.unique(number))
            # A few longer steps: a cyclic group would be walked one element at a time.
            if len(steps) < LONG_STEPS:
                steps = torch.cat((steps, frontier[: LONG_STEPS - len(steps)]))
        return reached
