"""Vector groups under addition: boosts, sub-pixel translations."""

from dataclasses import dataclass
from math import isfinite

from goldstone.core import InputError
from goldstone.groups.group import Group

Vector = tuple[float, ...]


@dataclass(frozen=True)
class AdditiveGroup(Group[Vector]):
    """ℝⁿ under addition, the simplest Lie group: exp and log are the identity map.

    A vector v of the Lie algebra generates the one-parameter subgroup {t v : t real}.

    Attributes:
        label: what an element is, such as ``boost``; used in names.
        dimension: n.
        unit: physical unit of a component, for reports.
    """

    label: str
    dimension: int = 2
    unit: str = ""

    def __post_init__(self) -> None:
        if self.dimension < 1:
            raise InputError(f"an additive group needs a dimension ≥ 1, got {self.dimension}")

    @property
    def name(self) -> str:
        return f"{self.label}s ℝ{'' if self.dimension == 1 else '²³⁴⁵⁶⁷⁸⁹'[self.dimension - 2]}"

    @property
    def identity(self) -> Vector:
        return (0.0,) * self.dimension

    def compose(self, a: Vector, b: Vector) -> Vector:
        return tuple(x + y for x, y in zip(a, b, strict=True))

    def inverse(self, a: Vector) -> Vector:
        return tuple(-x if x else 0.0 for x in a)

    def contains(self, a: object) -> bool:
        return (
            isinstance(a, tuple)
            and len(a) == self.dimension
            and all(isinstance(x, (int, float)) and isfinite(x) for x in a)
        )

    def generators(self) -> tuple[Vector, ...]:
        """The unit vectors: a basis of the Lie algebra."""
        return tuple(
            tuple(float(i == k) for i in range(self.dimension)) for k in range(self.dimension)
        )

    def exp(self, algebra: Vector) -> Vector:
        """The exponential map."""
        self.check_contains(algebra)
        return algebra

    def log(self, a: Vector) -> Vector:
        """The logarithm, defined everywhere."""
        self.check_contains(a)
        return a

    def element_name(self, a: Vector) -> str:
        if a == self.identity:
            return "e"
        return f"{self.label}({','.join(f'{x:g}' for x in a)})"
