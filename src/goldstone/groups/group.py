"""The contract of a group, finite or Lie."""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from typing import Generic, TypeVar

from goldstone.core import InputError

Element = TypeVar("Element", bound=Hashable)

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")


def normalise_name(name: str) -> str:
    """An element name as typed: ``sr2``, ``sr^2`` and ``sr²`` are the same."""
    return name.strip().translate(_SUPERSCRIPTS).replace("^", "").replace(" ", "")


class Group(ABC, Generic[Element]):
    """A group whose elements are hashable values.

    Laws that implementers must satisfy, for all elements a, b, c:
    ``compose(a, compose(b, c)) == compose(compose(a, b), c)``,
    ``compose(identity, a) == a == compose(a, identity)`` and
    ``compose(inverse(a), a) == identity``. ``compose(a, b)`` applies b first.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """A short name such as ``D4``."""

    @property
    @abstractmethod
    def identity(self) -> Element:
        """The neutral element."""

    @abstractmethod
    def compose(self, a: Element, b: Element) -> Element:
        """The product a·b: b acts first."""

    @abstractmethod
    def inverse(self, a: Element) -> Element:
        """The inverse of a."""

    @abstractmethod
    def contains(self, a: object) -> bool:
        """Whether ``a`` is an element."""

    @abstractmethod
    def generators(self) -> tuple[Element, ...]:
        """Elements that generate the group (for a Lie group: one per dimension of the algebra)."""

    @abstractmethod
    def element_name(self, a: Element) -> str:
        """A readable name, unique in the group."""

    def check_contains(self, a: object) -> None:
        """Raise unless ``a`` is an element.

        Raises:
            InputError: it is not.
        """
        if not self.contains(a):
            raise InputError(f"{a!r} is not an element of {self.name}")


class FiniteGroup(Group[Element]):
    """A group of finitely many elements, with exact composition."""

    @property
    @abstractmethod
    def order(self) -> int:
        """Number of elements."""

    @abstractmethod
    def elements(self) -> tuple[Element, ...]:
        """All elements, the identity first."""

    def element_order(self, a: Element) -> int:
        """The smallest n ≥ 1 with aⁿ = e."""
        self.check_contains(a)
        power, n = a, 1
        while power != self.identity:
            power, n = self.compose(power, a), n + 1
        return n

    def parse(self, name: str) -> Element:
        """The element of this name; ``sr2``, ``sr^2`` and ``sr²`` are the same.

        Raises:
            InputError: no element has the name.
        """
        wanted = normalise_name(name)
        for element in self.elements():
            if normalise_name(self.element_name(element)) == wanted:
                return element
        some = ", ".join(self.element_name(a) for a in self.elements()[:8])
        raise InputError(f"{name!r} names no element of {self.name}; its elements are {some} …")

    def generated_by(self, generators: Sequence[Element]) -> frozenset[Element]:
        """The elements of the smallest subgroup that contains ``generators``."""
        for a in generators:
            self.check_contains(a)
        reached = {self.identity}
        frontier = [self.identity]
        # In a finite group inverses are powers, so products on one side suffice.
        while frontier:
            new = {self.compose(a, g) for a in frontier for g in generators} - reached
            reached |= new
            frontier = list(new)
        return frozenset(reached)
