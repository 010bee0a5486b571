"""What direct and semidirect products share: elements made of one element of each factor."""

from abc import abstractmethod
from collections.abc import Sequence
from functools import reduce
from math import prod
from typing import Any

import torch
from torch import Tensor

from goldstone.groups.group import Group
from goldstone.groups.packing import decode, encode, pack, packed_size, unpack

ProductElement = tuple[Any, ...]


class ProductElements(Group[ProductElement]):
    """A group whose elements are tuples of elements of its factors.

    A value is the tuple of the factors' values. A tensor of elements, (*batch, size), lays the
    numbers of the factors' elements side by side; :meth:`parts` and :meth:`join` take it apart and
    put it together.
    """

    @property
    @abstractmethod
    def factors(self) -> tuple[Group[Any], ...]:
        """The groups of which each gives one part of an element."""

    def parts(self, a: Tensor) -> list[Tensor]:
        """The tensors of elements of the factors, from one of the product."""
        return unpack(self.factors, a)

    def join(self, parts: Sequence[Tensor]) -> Tensor:
        """The tensor of elements with these parts, one for each factor; batches broadcast."""
        return pack(self.factors, parts)

    def embed(self, factor: int, a: Any) -> ProductElement:
        """The value that is ``a`` in one factor, counted from 0, and the identity elsewhere."""
        identity = self.identity
        return (*identity[:factor], a, *identity[factor + 1 :])

    @property
    def identity(self) -> ProductElement:
        return tuple(group.identity for group in self.factors)

    @property
    def element_shape(self) -> tuple[int, ...]:
        return (packed_size(self.factors),)

    @property
    def element_dtype(self) -> torch.dtype:
        return reduce(torch.promote_types, (group.element_dtype for group in self.factors))

    @property
    def tolerance(self) -> float:
        return max(group.tolerance for group in self.factors)

    def member_mask(self, a: Tensor) -> Tensor:
        parts = self.parts(a)
        # Integers that travel as floats must be integers.
        inside = (self.join(parts) == a).all(-1)
        for group, part in zip(self.factors, parts, strict=True):
            inside = inside & group.member_mask(part)
        return inside

    def generators(self) -> tuple[ProductElement, ...]:
        return tuple(
            self.embed(i, a) for i, group in enumerate(self.factors) for a in group.generators()
        )

    def element_name(self, a: ProductElement) -> str:
        names = (group.element_name(part) for group, part in zip(self.factors, a, strict=True))
        return f"({', '.join(names)})" if a != self.identity else "e"

    def numbers_of(self, a: ProductElement) -> Any:
        return encode(self.factors, a)

    def value_of(self, numbers: Any) -> ProductElement:
        return decode(self.factors, numbers)

    def equal(self, a: Tensor, b: Tensor) -> Tensor:
        parts = zip(self.factors, self.parts(a), self.parts(b), strict=True)
        return reduce(torch.logical_and, (group.equal(one, two) for group, one, two in parts))


def mixed_radix(digits: Sequence[Tensor], lengths: Sequence[int]) -> Tensor:
    """The numbers with these digits, the last digit the least significant."""
    number = torch.zeros_like(digits[0])
    for digit, length in zip(digits, lengths, strict=True):
        number = number * length + digit
    return number


def mixed_radix_digits(number: Tensor, lengths: Sequence[int]) -> list[Tensor]:
    """The inverse of :func:`mixed_radix`."""
    return [number // prod(lengths[i + 1 :]) % length for i, length in enumerate(lengths)]


def bracketed(name: str) -> str:
    """A group's name as a factor: in parentheses if it is itself a product."""
    return f"({name})" if any(sign in name for sign in "×⋊≀ ") else name
