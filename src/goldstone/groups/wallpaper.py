"""Semidirect product of grid translations with a point group: p4m, p4 and their like."""

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.finite import FiniteGroup
from goldstone.groups.planar import DihedralGroup, PointGroup
from goldstone.groups.product_elements import ProductElement
from goldstone.groups.semidirect_product import SplitExtension
from goldstone.groups.translations import GridTranslations


@dataclass(frozen=True)
class WallpaperGroup(SplitExtension):
    """ℤ_X × ℤ_Y ⋊ P: the element (t, p) turns by p, then shifts by t.

    (t, p)·(t′, p′) = (t + R(p) t′, p p′). With P = D4 on a square grid it is p4m, of order 8 N².
    """

    translations: GridTranslations
    point: PointGroup[Any]
    _turns: Tensor = field(init=False, compare=False, repr=False)
    """R(p) by the number of p, (|P|, 2, 2) in int64."""

    def __post_init__(self) -> None:
        if not isinstance(self.translations, GridTranslations) or not isinstance(
            self.point, PointGroup
        ):
            raise InputError(
                "expected grid translations and a cyclic or dihedral group, got "
                f"{self.translations!r} and {self.point!r}"
            )
        shape = self.translations.shape
        for p in self.point.generators():
            matrix = self.point.matrix(p)
            if any(entry not in (-1.0, 0.0, 1.0) for row in matrix for entry in row):
                raise InputError(f"{self.point.name} does not map a square grid onto itself")
            if matrix[0][0] == 0.0 and shape[0] != shape[1]:
                raise InputError(
                    f"{self.point.name} needs a square grid, got {shape[0]}×{shape[1]}; use D2"
                )
        turns = self.point.matrices(self.point.element_tensor()).round().long()
        object.__setattr__(self, "_turns", turns)

    @property
    def name(self) -> str:
        names = {"D4": "p4m", "C4": "p4"}
        short = names.get(self.point.name, f"translations⋊{self.point.name}")
        return f"{short}({self.translations.shape[0]}×{self.translations.shape[1]})"

    @property
    def factors(self) -> tuple[FiniteGroup[Any], FiniteGroup[Any]]:
        return (self.translations, self.point)

    def element_name(self, a: ProductElement) -> str:
        shift = self.translations.element_name(a[0])
        point = self.point.element_name(a[1])
        if shift == "e":
            return point
        return shift if point == "e" else f"{shift}·{point}"

    def _act(self, h: Tensor, n: Tensor) -> Tensor:
        turns = self._turns.to(n.device)[self.point.index(h)]
        turned = (turns * n[..., None, :]).sum(-1)
        return turned % n.new_tensor(self.translations.shape)


def p4m(size: int) -> WallpaperGroup:
    """Quarter turns, reflections and translations of a periodic ``size``×``size`` grid."""
    return WallpaperGroup(GridTranslations((size, size)), DihedralGroup(4))
