"""Semidirect product of grid translations with a point group: p4m, p4 and their like."""

from dataclasses import dataclass
from typing import Any

from goldstone.core import InputError
from goldstone.groups.group import FiniteGroup
from goldstone.groups.point import DihedralGroup, PointGroup
from goldstone.groups.translations import GridTranslations, Shift

WallpaperElement = tuple[Shift, Any]


@dataclass(frozen=True)
class WallpaperGroup(FiniteGroup[WallpaperElement]):
    """ℤ_X × ℤ_Y ⋊ P: the element (t, p) turns by p, then shifts by t.

    (t, p)·(t′, p′) = (t + R(p) t′, p p′). With P = D4 on a square grid it is p4m, of order 8 N².
    """

    translations: GridTranslations
    point: PointGroup[Any]

    def __post_init__(self) -> None:
        shape = self.translations.shape
        for p in self.point.generators():
            matrix = self.point.matrix(p)
            if any(entry not in (-1.0, 0.0, 1.0) for row in matrix for entry in row):
                raise InputError(f"{self.point.name} does not map a square grid onto itself")
            if matrix[0][0] == 0.0 and shape[0] != shape[1]:
                raise InputError(
                    f"{self.point.name} needs a square grid, got {shape[0]}×{shape[1]}; use D2"
                )

    @property
    def name(self) -> str:
        names = {"D4": "p4m", "C4": "p4"}
        short = names.get(self.point.name, f"translations⋊{self.point.name}")
        return f"{short}({self.translations.shape[0]}×{self.translations.shape[1]})"

    @property
    def order(self) -> int:
        return self.translations.order * self.point.order

    @property
    def identity(self) -> WallpaperElement:
        return (self.translations.identity, self.point.identity)

    def elements(self) -> tuple[WallpaperElement, ...]:
        return tuple((t, p) for p in self.point.elements() for t in self.translations.elements())

    def compose(self, a: WallpaperElement, b: WallpaperElement) -> WallpaperElement:
        turned = self._turn(a[1], b[0])
        point = self.point.compose(a[1], b[1])
        return (self.translations.compose(a[0], turned), point)

    def inverse(self, a: WallpaperElement) -> WallpaperElement:
        point = self.point.inverse(a[1])
        return (self._turn(point, self.translations.inverse(a[0])), point)

    def contains(self, a: object) -> bool:
        return (
            isinstance(a, tuple)
            and len(a) == 2
            and self.translations.contains(a[0])
            and self.point.contains(a[1])
        )

    def generators(self) -> tuple[WallpaperElement, ...]:
        shifts = tuple((t, self.point.identity) for t in self.translations.generators())
        return shifts + tuple((self.translations.identity, p) for p in self.point.generators())

    def element_name(self, a: WallpaperElement) -> str:
        shift = self.translations.element_name(a[0])
        point = self.point.element_name(a[1])
        if shift == "e":
            return point
        return shift if point == "e" else f"{shift}·{point}"

    def _turn(self, p: Any, t: Shift) -> Shift:
        (a, b), (c, d) = self.point.matrix(p)
        size = self.translations.shape
        return (int(a * t[0] + b * t[1]) % size[0], int(c * t[0] + d * t[1]) % size[1])


def p4m(size: int) -> WallpaperGroup:
    """Quarter turns, reflections and translations of a periodic ``size``×``size`` grid."""
    return WallpaperGroup(GridTranslations((size, size)), DihedralGroup(4))
