"""Translations of a periodic grid."""

from dataclasses import dataclass

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.finite import FiniteGroup
from goldstone.groups.integers import is_count

Shift = tuple[int, int]


@dataclass(frozen=True)
class GridTranslations(FiniteGroup[Shift]):
    """ℤ_X × ℤ_Y: the element (a, b) shifts by a cells along the first axis, b along the second."""

    shape: tuple[int, int]

    def __post_init__(self) -> None:
        if (
            not isinstance(self.shape, tuple)
            or len(self.shape) != 2
            or not all(map(is_count, self.shape))
        ):
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

    @property
    def element_shape(self) -> tuple[int, ...]:
        return (2,)

    def index(self, a: Tensor) -> Tensor:
        return a[..., 0] * self.shape[1] + a[..., 1]

    def from_index(self, index: Tensor) -> Tensor:
        return torch.stack((index // self.shape[1], index % self.shape[1]), -1)

    def _compose(self, a: Tensor, b: Tensor) -> Tensor:
        return (a + b) % a.new_tensor(self.shape)

    def _inverse(self, a: Tensor) -> Tensor:
        return -a % a.new_tensor(self.shape)

    def member_mask(self, a: Tensor) -> Tensor:
        return ((a >= 0) & (a < a.new_tensor(self.shape))).all(-1)

    def generators(self) -> tuple[Shift, ...]:
        axes = ((1, 0), (0, 1))
        return tuple(axis for axis, size in zip(axes, self.shape, strict=True) if size > 1)

    def element_name(self, a: Shift) -> str:
        return "e" if a == (0, 0) else f"shift({a[0]},{a[1]})"
