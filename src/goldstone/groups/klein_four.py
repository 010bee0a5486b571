"""The Klein four-group."""

from dataclasses import dataclass

import torch
from torch import Tensor

from goldstone.groups.finite import FiniteGroup


@dataclass(frozen=True)
class KleinFourGroup(FiniteGroup[int]):
    """V4 = ℤ₂ × ℤ₂: the elements 0 … 3 are e, a, b and ab, composed by exclusive or.

    On the plane a reverses the first axis and b the second.
    """

    @property
    def name(self) -> str:
        return "V4"

    @property
    def order(self) -> int:
        return 4

    @property
    def degree(self) -> int:
        """2: the group reverses the axes of the plane."""
        return 2

    def matrices(self, a: Tensor) -> Tensor:
        """diag(±1, ±1), (*batch, 2, 2) in float64."""
        bits = torch.stack((a & 1, a >> 1), -1)
        return torch.diag_embed((1 - 2 * bits).double())

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
        return a ^ b

    def _inverse(self, a: Tensor) -> Tensor:
        return a

    def member_mask(self, a: Tensor) -> Tensor:
        return (a >= 0) & (a < 4)

    def generators(self) -> tuple[int, ...]:
        return (1, 2)

    def element_name(self, a: int) -> str:
        return ("e", "a", "b", "ab")[a]
