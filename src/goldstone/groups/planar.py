"""Cyclic and dihedral groups, with their action on the plane."""

from abc import abstractmethod
from dataclasses import dataclass
from math import cos, pi, sin

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.finite import FiniteGroup
from goldstone.groups.group import Element
from goldstone.groups.integers import is_count

MOST_ROTATIONS = 2**61
"""Sums and numbers of elements then stay in 64 bits."""

Matrix = tuple[tuple[float, float], tuple[float, float]]

_DIGITS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def power_name(letter: str, k: int) -> str:
    """``r``, ``r²``, … and nothing for the zeroth power."""
    if k == 0:
        return ""
    return letter if k == 1 else letter + str(k).translate(_DIGITS)


def _check_order(n: int) -> None:
    if not is_count(n):
        raise InputError(f"a cyclic or dihedral group needs n ≥ 1 rotations, got {n!r}")
    if n > MOST_ROTATIONS:
        raise InputError(f"a cyclic or dihedral group has at most 2⁶¹ rotations here, got {n}")


class PointGroup(FiniteGroup[Element]):
    """A finite group of rotations and reflections of the plane about a point."""

    n: int
    """Number of rotations."""

    @abstractmethod
    def matrix(self, a: Element) -> Matrix:
        """The 2×2 orthogonal matrix of the element, rows first; quarter turns are exact."""

    @property
    def degree(self) -> int:
        """2: the group acts on the plane."""
        return 2

    def matrices(self, a: Tensor) -> Tensor:
        """The matrices of a tensor of elements, (*batch, 2, 2) in float64."""
        index = self.index(a)
        # Entry by entry for a few elements, else from a table of all.
        few = index.numel() < self.order
        listed = self.values(a) if few else self.elements()
        table = torch.tensor([self.matrix(g) for g in listed], dtype=torch.float64)
        table = table.reshape(-1, 2, 2).to(a.device)
        return table.reshape(*index.shape, 2, 2) if few else table[index]


@dataclass(frozen=True)
class CyclicGroup(PointGroup[int]):
    """C_n: the element k is the rotation r^k by 2πk/n, counter-clockwise."""

    n: int

    def __post_init__(self) -> None:
        _check_order(self.n)

    @property
    def name(self) -> str:
        return f"C{self.n}"

    @property
    def order(self) -> int:
        return self.n

    @property
    def identity(self) -> int:
        return 0

    @property
    def element_shape(self) -> tuple[int, ...]:
        return ()

    def index(self, a: Tensor) -> Tensor:
        return a

    def from_index(self, index: Tensor) -> Tensor:
        return index

    def _compose(self, a: Tensor, b: Tensor) -> Tensor:
        return (a + b) % self.n

    def _inverse(self, a: Tensor) -> Tensor:
        return -a % self.n

    def member_mask(self, a: Tensor) -> Tensor:
        return (a >= 0) & (a < self.n)

    def generators(self) -> tuple[int, ...]:
        return (1,) if self.n > 1 else ()

    def element_name(self, a: int) -> str:
        return power_name("r", a) or "e"

    def matrix(self, a: int) -> Matrix:
        """The 2×2 rotation matrix of the element."""
        return _rotation(a, self.n)


@dataclass(frozen=True)
class DihedralGroup(PointGroup[tuple[int, int]]):
    """D_n, of order 2n: the element (m, k) is s^m r^k, so r^k acts first.

    r turns the plane by 2π/n counter-clockwise (first axis towards the second); s reverses the
    first axis, (x, y) → (−x, y). In D4 the axis reflections are s and sr², the diagonal ones sr
    and sr³.
    """

    n: int

    def __post_init__(self) -> None:
        _check_order(self.n)

    @property
    def name(self) -> str:
        return f"D{self.n}"

    @property
    def order(self) -> int:
        return 2 * self.n

    @property
    def identity(self) -> tuple[int, int]:
        return (0, 0)

    @property
    def element_shape(self) -> tuple[int, ...]:
        return (2,)

    def index(self, a: Tensor) -> Tensor:
        return a[..., 0] * self.n + a[..., 1]

    def from_index(self, index: Tensor) -> Tensor:
        return torch.stack((index // self.n, index % self.n), -1)

    def _compose(self, a: Tensor, b: Tensor) -> Tensor:
        # s^m r^k s^m' r^k' = s^(m+m') r^(±k + k'), since r s = s r⁻¹.
        (m, k), (other, first) = a.unbind(-1), b.unbind(-1)
        turn = torch.where(other == 1, first - k, first + k)
        return torch.stack((m ^ other, turn % self.n), -1)

    def _inverse(self, a: Tensor) -> Tensor:
        m, k = a.unbind(-1)
        return torch.stack((m, torch.where(m == 1, k, -k) % self.n), -1)

    def member_mask(self, a: Tensor) -> Tensor:
        limits = a.new_tensor([2, self.n])
        return ((a >= 0) & (a < limits)).all(-1)

    def generators(self) -> tuple[tuple[int, int], ...]:
        return ((0, 1), (1, 0)) if self.n > 1 else ((1, 0),)

    def element_name(self, a: tuple[int, int]) -> str:
        return ("s" if a[0] else "") + power_name("r", a[1]) or "e"

    def matrix(self, a: tuple[int, int]) -> Matrix:
        """The 2×2 orthogonal matrix of the element: diag(−1, 1)^m times the rotation."""
        (p, q), (u, v) = _rotation(a[1], self.n)
        return ((-p, -q), (u, v)) if a[0] else ((p, q), (u, v))


def _rotation(k: int, n: int) -> Matrix:
    # Quarter turns are exact integers, not cos(π/2) = 6e-17.
    if (4 * k) % n == 0:
        c, s = ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[(4 * k // n) % 4]
    else:
        c, s = cos(2 * pi * k / n), sin(2 * pi * k / n)
    return ((c, 0.0 - s), (s, c))
