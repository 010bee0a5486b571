"""Permutations of the points 0 … n − 1, and the contract of groups that consist of them."""

import re
from abc import abstractmethod
from collections.abc import Sequence
from math import lcm

import numpy as np
import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.finite import FiniteGroup

Permutation = tuple[int, ...]

_CYCLE = re.compile(r"\(([\d\s,]*)\)")


def compose_permutations(a: Tensor, b: Tensor) -> Tensor:
    """(a b)(i) = a(b(i)), tensors of images (*batch, n), batches broadcast."""
    common = np.broadcast_shapes(a.shape, b.shape)
    return a.expand(common).gather(-1, b.expand(common))


def invert_permutations(a: Tensor) -> Tensor:
    """The inverses of a tensor of images (*batch, n)."""
    return a.argsort(-1)


def permutation_mask(a: Tensor) -> Tensor:
    """Which rows of (*batch, n) hold each of 0 … n − 1 once."""
    return (a.sort(-1).values == torch.arange(a.shape[-1], device=a.device)).all(-1)


def permutation_matrices(a: Tensor) -> Tensor:
    """The matrices with P e_i = e_a(i), (*batch, n, n) in float64."""
    one = torch.eye(a.shape[-1], dtype=torch.float64, device=a.device)
    return one[a].mT


def parities(a: Tensor) -> Tensor:
    """0 for even and 1 for odd permutations: the number of inversions modulo 2."""
    inverted = (a[..., :, None] > a[..., None, :]).triu(1)
    return inverted.sum((-1, -2)) % 2


def cycles(a: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """The disjoint cycles of length ≥ 2, each from its smallest point, by smallest points."""
    seen: set[int] = set()
    found = []
    for start in range(len(a)):
        cycle = []
        point = start
        while point not in seen:
            seen.add(point)
            cycle.append(point)
            point = a[point]
        if len(cycle) > 1:
            found.append(tuple(cycle))
    return tuple(found)


def cycle_notation(a: Sequence[int]) -> str:
    """Disjoint cycles with points counted from one, ``(1 2 3)(4 5)``; ``e`` for the identity."""
    return "".join(f"({' '.join(str(i + 1) for i in cycle)})" for cycle in cycles(a)) or "e"


def parse_cycles(text: str, points: int) -> Permutation:
    """The permutation of ``points`` points in cycle notation, points counted from one.

    Cycles need not be disjoint; the rightmost acts first. Points are separated by spaces or
    commas; of up to nine points they may also stand together, ``(123)``.

    Raises:
        InputError: the text is no product of cycles of these points.
    """
    text = text.strip()
    product = tuple(range(points))
    if text in ("e", "()"):
        return product
    bodies = _CYCLE.findall(text)
    readable = bool(bodies) and not _CYCLE.sub("", text).strip()
    for body in reversed(bodies):
        words = re.findall(r"\d", body) if points <= 9 else re.findall(r"\d+", body)
        cycle = [int(word) - 1 for word in words]
        readable &= len(set(cycle)) == len(cycle) and all(0 <= i < points for i in cycle)
        if readable:
            step = dict(zip(cycle, cycle[1:] + cycle[:1], strict=True))
            product = tuple(step.get(i, i) for i in product)
    if not readable:
        raise InputError(
            f"expected a permutation of the points 1 … {points} in cycle notation such as "
            f"(1 2), got {text!r}"
        )
    return product


class Permutations(FiniteGroup[Permutation]):
    """A group of permutations of the points 0 … points − 1.

    The element a is the tuple of images: it sends the point i to ``a[i]``. Names are in cycle
    notation, which by custom counts points from one.
    """

    @property
    @abstractmethod
    def points(self) -> int:
        """The number of points."""

    @property
    def degree(self) -> int:
        """Of the action on ℝⁿ: that of the permutation matrices is the number of points."""
        return self.points

    def matrices(self, a: Tensor) -> Tensor:
        """The permutation matrices, P e_i = e_a(i), of a tensor of elements."""
        return permutation_matrices(a)

    @property
    def identity(self) -> Permutation:
        return tuple(range(self.points))

    @property
    def element_shape(self) -> tuple[int, ...]:
        return (self.points,)

    def _compose(self, a: Tensor, b: Tensor) -> Tensor:
        return compose_permutations(a, b)

    def _inverse(self, a: Tensor) -> Tensor:
        return invert_permutations(a)

    def element_order(self, a: Permutation) -> int:
        self.check_contains(a)
        return lcm(*(len(cycle) for cycle in cycles(a)))

    def element_name(self, a: Permutation) -> str:
        return cycle_notation(a)

    def parse(self, name: str) -> Permutation:
        """The element in cycle notation, points counted from one: ``(1 2 3)(4 5)``.

        Raises:
            InputError: the name is no such permutation or it lies outside the group.
        """
        found = parse_cycles(name, self.points)
        if not self.contains(found):
            raise InputError(f"{name!r} is a permutation outside {self.name}")
        return found
