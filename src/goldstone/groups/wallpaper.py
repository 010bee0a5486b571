"""Semidirect product of grid translations with a point group: p4m, p4 and their like."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.finite import FiniteGroup
from goldstone.groups.packing import decode, encode, pack, packed_size, unpack
from goldstone.groups.planar import DihedralGroup, PointGroup
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

    @property
    def element_shape(self) -> tuple[int, ...]:
        return (packed_size(self._parts),)

    def index(self, a: Tensor) -> Tensor:
        shift, point = unpack(self._parts, a)
        return self.point.index(point) * self.translations.order + self.translations.index(shift)

    def from_index(self, index: Tensor) -> Tensor:
        point = self.point.from_index(index // self.translations.order)
        return pack(
            self._parts, (self.translations.from_index(index % self.translations.order), point)
        )

    def _compose(self, a: Tensor, b: Tensor) -> Tensor:
        (shift, turn), (other, first) = unpack(self._parts, a), unpack(self._parts, b)
        turned = self.translations.compose(shift, self._turn(turn, other))
        return pack(self._parts, (turned, self.point.compose(turn, first)))

    def _inverse(self, a: Tensor) -> Tensor:
        shift, turn = unpack(self._parts, a)
        back = self.point.inverse(turn)
        return pack(self._parts, (self._turn(back, self.translations.inverse(shift)), back))

    def member_mask(self, a: Tensor) -> Tensor:
        shift, point = unpack(self._parts, a)
        return self.translations.member_mask(shift) & self.point.member_mask(point)

    def generators(self) -> tuple[WallpaperElement, ...]:
        shifts = tuple((t, self.point.identity) for t in self.translations.generators())
        return shifts + tuple((self.translations.identity, p) for p in self.point.generators())

    def element_name(self, a: WallpaperElement) -> str:
        shift = self.translations.element_name(a[0])
        point = self.point.element_name(a[1])
        if shift == "e":
            return point
        return shift if point == "e" else f"{shift}·{point}"

    @property
    def _parts(self) -> tuple[GridTranslations, PointGroup[Any]]:
        return (self.translations, self.point)

    def _turn(self, point: Tensor, shift: Tensor) -> Tensor:
        matrices = self.point.matrices(point).round().to(shift)
        turned = (matrices * shift[..., None, :]).sum(-1)
        return turned % shift.new_tensor(self.translations.shape)

    def numbers_of(self, a: WallpaperElement) -> Any:
        return encode(self._parts, a)

    def value_of(self, numbers: Any) -> WallpaperElement:
        shift, point = decode(self._parts, numbers)
        return (shift, point)


def p4m(size: int) -> WallpaperGroup:
    """Quarter turns, reflections and translations of a periodic ``size``×``size`` grid."""
    return WallpaperGroup(GridTranslations((size, size)), DihedralGroup(4))
