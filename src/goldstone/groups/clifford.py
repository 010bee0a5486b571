"""The even part of the Clifford algebra of Euclidean space, as tables of signs."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class EvenClifford:
    """The even multivectors over ℝⁿ, e_a² = 1, as coefficients (*batch, 2^(n−1)).

    The coefficients belong to the blades e_a e_b … with a < b < …, by grade and then in order:
    1, e_12, e_13, … (:meth:`names`). Lounesto, Clifford Algebras and Spinors (2001), ch. 17.

    Attributes:
        n: dimension of the space.
        blades: the blades as sets of axes, bit a for e_a.
        left_index, left_sign: a·b = L(a) b with L(a)[k, j] = left_sign[k, j] a[left_index[k, j]].
        reversal: the sign of each blade with its factors in reverse order.
    """

    n: int
    blades: tuple[int, ...]
    left_index: Tensor
    left_sign: Tensor
    reversal: Tensor

    @staticmethod
    def build(n: int) -> "EvenClifford":
        """The tables for ℝⁿ."""
        blades = _blades(n, 0)
        place = {blade: i for i, blade in enumerate(blades)}
        index = [[place[k ^ j] for j in blades] for k in blades]
        sign = [[_sign(k ^ j, j) for j in blades] for k in blades]
        grades = [blade.bit_count() for blade in blades]
        reversal = [1.0 - (grade * (grade - 1) // 2) % 2 * 2.0 for grade in grades]
        return EvenClifford(
            n,
            blades,
            torch.tensor(index),
            torch.tensor(sign, dtype=torch.float64),
            torch.tensor(reversal, dtype=torch.float64),
        )

    def left_matrix(self, a: Tensor) -> Tensor:
        """L(a), the matrix of b ↦ a·b: (*batch, N, N)."""
        return self.left_sign.to(a) * a[..., self.left_index.to(a.device)]

    def product(self, a: Tensor, b: Tensor) -> Tensor:
        """The geometric product a·b, batches broadcast."""
        return (self.left_matrix(a) @ b[..., None])[..., 0]

    def reverse(self, a: Tensor) -> Tensor:
        """The factors of each blade in reverse order: the inverse, for an element of Spin(n)."""
        return a * self.reversal.to(a)

    def rotation(self, g: Tensor) -> Tensor:
        """The matrix R[a, b] = ⟨e_a g e_b g̃⟩ of v ↦ g v g̃: (*batch, n, n).

        That is the Euclidean inner product of the odd multivectors e_a g and g e_b.
        """
        odd = _blades(self.n, 1)
        place = {blade: i for i, blade in enumerate(self.blades)}
        axes = [1 << axis for axis in range(self.n)]
        index = torch.tensor([[place[k ^ axis] for axis in axes] for k in odd])
        left = torch.tensor([[_sign(axis, k ^ axis) for axis in axes] for k in odd]).to(g)
        right = torch.tensor([[_sign(k ^ axis, axis) for axis in axes] for k in odd]).to(g)
        parts = g[..., index.to(g.device)]
        return (left * parts).mT @ (right * parts)

    def bivector(self, a: int, b: int) -> Tensor:
        """e_a e_b as coefficients, a ≠ b."""
        coefficients = torch.zeros(len(self.blades), dtype=torch.float64)
        coefficients[self.blades.index(1 << a | 1 << b)] = 1.0 if a < b else -1.0
        return coefficients

    def names(self) -> tuple[str, ...]:
        """``1``, ``e12``, ``e13``, …, axes counted from 1."""
        axes = [[a + 1 for a in range(self.n) if blade >> a & 1] for blade in self.blades]
        separator = "" if self.n < 10 else ","
        return tuple("e" + separator.join(map(str, some)) if some else "1" for some in axes)


def _blades(n: int, parity: int) -> tuple[int, ...]:
    chosen = [blade for blade in range(1 << n) if blade.bit_count() % 2 == parity]
    # By grade; within a grade 12, 13, 14, 23, …
    key = {blade: tuple(a for a in range(n) if blade >> a & 1) for blade in chosen}
    return tuple(sorted(chosen, key=lambda blade: (blade.bit_count(), key[blade])))


def _sign(a: int, b: int) -> float:
    """Of the product of two blades: −1 to the number of exchanges that order its factors."""
    exchanges, a = 0, a >> 1
    while a:
        exchanges += (a & b).bit_count()
        a >>= 1
    return 1.0 - 2.0 * (exchanges % 2)
