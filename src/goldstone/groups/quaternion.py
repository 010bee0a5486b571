"""Quaternion and dicyclic groups."""

from dataclasses import dataclass
from math import pi

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.finite import FiniteGroup
from goldstone.groups.integers import is_count
from goldstone.groups.matrix.unit_quaternion import left_multiplication
from goldstone.groups.planar import power_name

DicyclicElement = tuple[int, int]

_QUATERNION_NAMES = {
    (0, 0): "e",
    (0, 1): "i",
    (0, 2): "-1",
    (0, 3): "-i",
    (1, 0): "j",
    (1, 1): "-k",
    (1, 2): "-j",
    (1, 3): "k",
}


@dataclass(frozen=True)
class DicyclicGroup(FiniteGroup[DicyclicElement]):
    """Q_4n, of order 4n: ⟨a, x : a²ⁿ = e, x² = aⁿ, x a x⁻¹ = a⁻¹⟩; the element (m, k) is x^m aᵏ.

    Inside the unit quaternions a = exp(iπ/n) and x = j. Q8 (n = 2) is the quaternion group, with
    a = i and x a = j i = −k; n = 2, 4, 8, … are the generalised quaternion groups.
    """

    n: int

    def __post_init__(self) -> None:
        if not is_count(self.n):
            raise InputError(f"a dicyclic group of order 4n needs n ≥ 1, got {self.n}")

    @property
    def name(self) -> str:
        return f"Q{4 * self.n}"

    @property
    def order(self) -> int:
        return 4 * self.n

    @property
    def degree(self) -> int:
        """4: the group acts on the quaternions ℍ = ℝ⁴."""
        return 4

    def matrices(self, a: Tensor) -> Tensor:
        """Left multiplication by the unit quaternion on (1, i, j, k), (*batch, 4, 4) in float64."""
        # Adding zero makes the −0.0 positive.
        return left_multiplication(self.quaternions(a)) + 0.0

    def quaternions(self, a: Tensor) -> Tensor:
        """The elements as unit quaternions (1, i, j, k), (*batch, 4) in float64."""
        flipped, k = a[..., 0], a[..., 1]
        angle = k.double() * (pi / self.n)
        quarter = 2 * k % self.n == 0
        c = torch.where(quarter, angle.cos().round(), angle.cos())
        s = torch.where(quarter, angle.sin().round(), angle.sin())
        # j (c + s i) = c j − s k.
        zero = torch.zeros_like(c)
        straight, turned = torch.stack((c, s, zero, zero), -1), torch.stack((zero, zero, c, -s), -1)
        return torch.where(flipped[..., None] == 1, turned, straight).add(0.0)

    @property
    def identity(self) -> DicyclicElement:
        return (0, 0)

    @property
    def element_shape(self) -> tuple[int, ...]:
        return (2,)

    def index(self, a: Tensor) -> Tensor:
        return a[..., 0] * (2 * self.n) + a[..., 1]

    def from_index(self, index: Tensor) -> Tensor:
        return torch.stack((index // (2 * self.n), index % (2 * self.n)), -1)

    def _compose(self, a: Tensor, b: Tensor) -> Tensor:
        # xᵐ aᵏ xᵐ′ aᵏ′ = x^(m+m′) a^(±k + k′), and x² = aⁿ.
        turn = (1 - 2 * b[..., 0]) * a[..., 1]
        square = self.n * a[..., 0] * b[..., 0]
        return torch.stack(
            ((a[..., 0] + b[..., 0]) % 2, (turn + b[..., 1] + square) % (2 * self.n)), -1
        )

    def _inverse(self, a: Tensor) -> Tensor:
        # (x aᵏ)⁻¹ = a⁻ᵏ x⁻¹ = a⁻ᵏ x aⁿ = x aᵏ⁺ⁿ.
        turn = torch.where(a[..., 0] == 1, a[..., 1] + self.n, -a[..., 1])
        return torch.stack((a[..., 0], turn % (2 * self.n)), -1)

    def member_mask(self, a: Tensor) -> Tensor:
        return ((a >= 0) & (a < a.new_tensor([2, 2 * self.n]))).all(-1)

    def generators(self) -> tuple[DicyclicElement, ...]:
        return ((0, 1), (1, 0))

    def element_name(self, a: DicyclicElement) -> str:
        if self.n == 2:
            return _QUATERNION_NAMES[a]
        return ("x" if a[0] else "") + power_name("a", a[1]) or "e"


def quaternion_group() -> DicyclicGroup:
    """Q8 = {±1, ±i, ±j, ±k}."""
    return DicyclicGroup(2)
