"""The irreps of SU(3) in the basis of Gelfand and Tsetlin."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]
Weights = NDArray[np.int64]
Pattern = tuple[int, int, int]


@dataclass(frozen=True)
class WeightModule:
    """A representation of sl(3) in an orthonormal basis of weight vectors, by its raising part.

    Attributes:
        raising: E_12 and E_23 as real matrices (2, n, n); E_21 and E_32 are their transposes.
        weights: eigenvalues of E_11 − E_22 and of E_22 − E_33 on each basis vector, (n, 2).
    """

    raising: Real
    weights: Weights

    @property
    def dimension(self) -> int:
        return len(self.weights)

    def elementary(self) -> Real:
        """E_ij, (3, 3, n, n), the diagonal ones made traceless in i: Σ_i E_ii = 0."""
        e = np.zeros((3, 3, self.dimension, self.dimension))
        e[0, 1], e[1, 2] = self.raising
        e[0, 2] = e[0, 1] @ e[1, 2] - e[1, 2] @ e[0, 1]
        for i, j in ((0, 1), (1, 2), (0, 2)):
            e[j, i] = e[i, j].T
        first, second = self.weights.T
        diagonals = ((2 * first + second) / 3, (second - first) / 3, -(first + 2 * second) / 3)
        for i, diagonal in enumerate(diagonals):
            e[i, i] = np.diag(diagonal)
        return e

    def tensor_product(self, other: "WeightModule") -> "WeightModule":
        """The tensor product, the other's index running fastest."""
        here, there = np.eye(self.dimension), np.eye(other.dimension)
        raising = [
            np.kron(a, there) + np.kron(here, b)
            for a, b in zip(self.raising, other.raising, strict=True)
        ]
        weights = self.weights[:, None] + other.weights[None]
        return WeightModule(np.stack(raising), weights.reshape(-1, 2))


def gelfand_tsetlin(p: int, q: int) -> WeightModule:
    """The irrep (p, q) of highest weight p·ω_1 + q·ω_2, of dimension (p+1)(q+1)(p+q+2)/2.

    Basis vectors are the patterns (p+q, q, 0) over (a, b) over c with p+q ≥ a ≥ q ≥ b ≥ 0 and
    a ≥ c ≥ b, in decreasing order, so that the highest weight comes first and (1, 0) is ℂ³ with its
    own basis. E_12 and E_23 have entries ≥ 0 (G. E. Baird and L. C. Biedenharn, J. Math. Phys. 4,
    1449 (1963), eqs. 6–8).
    """
    top = (p + q, q, 0)
    patterns: list[Pattern] = [
        (a, b, c)
        for a in range(p + q, q - 1, -1)
        for b in range(q, -1, -1)
        for c in range(a, b - 1, -1)
    ]
    place = {pattern: i for i, pattern in enumerate(patterns)}
    raising = np.zeros((2, len(patterns), len(patterns)))
    for (a, b, c), column in place.items():
        if (a, b, c + 1) in place:
            raising[0, place[a, b, c + 1], column] = sqrt((a - c) * (c - b + 1))
        if (a + 1, b, c) in place:
            raising[1, place[a + 1, b, c], column] = _step(top, a, b - 1, c)
        if (a, b + 1, c) in place:
            raising[1, place[a, b + 1, c], column] = _step(top, b - 1, a, c)
    weights = [(2 * c - a - b, 2 * (a + b) - c - p - 2 * q) for a, b, c in patterns]
    return WeightModule(raising, np.array(weights, dtype=np.int64))


def _step(top: Pattern, raised: int, other: int, c: int) -> float:
    """The entry of E_23 that raises one of the second row's partial hooks l_i = m_i − i + 1."""
    over = abs((top[0] - raised) * (top[1] - 1 - raised) * (top[2] - 2 - raised))
    under = abs((other - raised) * (other - raised - 1))
    return sqrt(over * abs(c - raised - 1) / under)
