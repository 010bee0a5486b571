"""Cyclic and dihedral groups, with their action on the plane."""

from abc import abstractmethod
from dataclasses import dataclass
from math import cos, pi, sin

from goldstone.core import InputError
from goldstone.groups.group import Element, FiniteGroup

Matrix = tuple[tuple[float, float], tuple[float, float]]

_DIGITS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def _power_name(letter: str, k: int) -> str:
    if k == 0:
        return ""
    return letter if k == 1 else letter + str(k).translate(_DIGITS)


def _check_order(n: int) -> None:
    if n < 1:
        raise InputError(f"a cyclic or dihedral group needs n ≥ 1 rotations, got {n}")


class PointGroup(FiniteGroup[Element]):
    """A finite group of rotations and reflections of the plane about a point."""

    n: int
    """Number of rotations."""

    @abstractmethod
    def matrix(self, a: Element) -> Matrix:
        """The 2×2 orthogonal matrix of the element, rows first."""


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

    def elements(self) -> tuple[int, ...]:
        return tuple(range(self.n))

    def compose(self, a: int, b: int) -> int:
        return (a + b) % self.n

    def inverse(self, a: int) -> int:
        return -a % self.n

    def contains(self, a: object) -> bool:
        return isinstance(a, int) and 0 <= a < self.n

    def generators(self) -> tuple[int, ...]:
        return (1,) if self.n > 1 else ()

    def element_name(self, a: int) -> str:
        return _power_name("r", a) or "e"

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

    def elements(self) -> tuple[tuple[int, int], ...]:
        return tuple((m, k) for m in (0, 1) for k in range(self.n))

    def compose(self, a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
        # s^m r^k s^m' r^k' = s^(m+m') r^(±k + k'), since r s = s r⁻¹.
        turn = -a[1] if b[0] else a[1]
        return ((a[0] + b[0]) % 2, (turn + b[1]) % self.n)

    def inverse(self, a: tuple[int, int]) -> tuple[int, int]:
        return a if a[0] else (0, -a[1] % self.n)

    def contains(self, a: object) -> bool:
        return (
            isinstance(a, tuple)
            and len(a) == 2
            and all(isinstance(i, int) for i in a)
            and a[0] in (0, 1)
            and 0 <= a[1] < self.n
        )

    def generators(self) -> tuple[tuple[int, int], ...]:
        return ((0, 1), (1, 0)) if self.n > 1 else ((1, 0),)

    def element_name(self, a: tuple[int, int]) -> str:
        return ("s" if a[0] else "") + _power_name("r", a[1]) or "e"

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
