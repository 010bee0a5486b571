"""Translations of a periodic grid."""

from dataclasses import dataclass

from goldstone.core import InputError
from goldstone.groups.group import FiniteGroup

Shift = tuple[int, int]


@dataclass(frozen=True)
class GridTranslations(FiniteGroup[Shift]):
    """ℤ_X × ℤ_Y: the element (a, b) shifts by a cells along the first axis, b along the second."""

    shape: tuple[int, int]

    def __post_init__(self) -> None:
        if len(self.shape) != 2 or min(self.shape) < 1:
            raise InputError(f"grid translations need a shape of two sizes ≥ 1, got {self.shape}")

    @property
    def name(self) -> str:
        return f"Z{self.shape[0]}×Z{self.shape[1]}"

    @property
    def order(self) -> int:
        return self.shape[0] * self.shape[1]

    @property
    def identity(self) -> Shift:
        return (0, 0)

    def elements(self) -> tuple[Shift, ...]:
        return tuple((a, b) for a in range(self.shape[0]) for b in range(self.shape[1]))

    def compose(self, a: Shift, b: Shift) -> Shift:
        return ((a[0] + b[0]) % self.shape[0], (a[1] + b[1]) % self.shape[1])

    def inverse(self, a: Shift) -> Shift:
        return (-a[0] % self.shape[0], -a[1] % self.shape[1])

    def contains(self, a: object) -> bool:
        return (
            isinstance(a, tuple)
            and len(a) == 2
            and all(isinstance(i, int) for i in a)
            and 0 <= a[0] < self.shape[0]
            and 0 <= a[1] < self.shape[1]
        )

    def generators(self) -> tuple[Shift, ...]:
        axes = ((1, 0), (0, 1))
        return tuple(axis for axis, size in zip(axes, self.shape, strict=True) if size > 1)

    def element_name(self, a: Shift) -> str:
        return "e" if a == (0, 0) else f"shift({a[0]},{a[1]})"
