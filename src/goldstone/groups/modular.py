"""Linear algebra modulo a prime, exact in float64 matrix products."""

import numpy as np
from numpy.typing import NDArray

Residues = NDArray[np.int64]


def multiply(a: Residues, b: Residues, prime: int) -> Residues:
    """a·b mod p for entries in [0, p): exact while the inner size times p² is under 2⁵³."""
    product = a.astype(np.float64) @ b.astype(np.float64)
    return np.asarray(product % prime, dtype=np.int64)


def solve(matrix: Residues, right: Residues, prime: int) -> Residues | None:
    """The x with matrix·x = right mod p, by Gauss–Jordan; none if the matrix is singular."""
    work = np.concatenate((matrix, right[:, None]), 1)
    for column in range(len(matrix)):
        pivots = work[column:, column].nonzero()[0]
        if not len(pivots):
            return None
        row = column + int(pivots[0])
        work[[column, row]] = work[[row, column]]
        work[column] = work[column] * pow(int(work[column, column]), -1, prime) % prime
        factors = work[:, column].copy()
        factors[column] = 0
        work[:, column:] = (work[:, column:] - factors[:, None] * work[column, column:]) % prime
    return work[:, -1]


def evaluate(coefficients: Residues, points: Residues, prime: int) -> Residues:
    """The polynomial with these coefficients, highest degree first, at points mod p: Horner."""
    values = np.zeros_like(points)
    for coefficient in coefficients.tolist():
        values = (values * points + coefficient) % prime
    return values


def root_of_unity(order: int, prime: int) -> int:
    """A primitive root of unity of an order that divides p − 1."""
    for base in range(2, prime + 1):
        candidate = pow(base, (prime - 1) // order, prime)
        powers = [candidate]
        while powers[-1] != 1:
            powers.append(powers[-1] * candidate % prime)
        if len(powers) == order:
            return candidate
    raise ValueError(f"{order} does not divide {prime} − 1")
