"""Matrices from which bases of Lie algebras are made."""

from collections.abc import Sequence
from itertools import combinations

import torch
from torch import Tensor


def unit(n: int, i: int, j: int) -> Tensor:
    """E_ij: one in row i and column j, zero elsewhere."""
    matrix = torch.zeros((n, n), dtype=torch.float64)
    matrix[i, j] = 1.0
    return matrix


def stacked(matrices: Sequence[Tensor], n: int) -> Tensor:
    """A basis (d, n, n), d = 0 allowed."""
    return torch.stack(list(matrices)) if matrices else torch.zeros((0, n, n), dtype=torch.float64)


def planes(n: int) -> tuple[tuple[int, int], ...]:
    """The planes of the basis of so(n): pairs a < b in order, for n = 3 those of L_x, L_y, L_z."""
    return ((1, 2), (2, 0), (0, 1)) if n == 3 else tuple(combinations(range(n), 2))


def rotation_names(n: int) -> tuple[str, ...]:
    """Names of the basis of so(n): ``J``, ``Jx, Jy, Jz``, or ``J12`` with the plane's axes."""
    if n == 2:
        return ("J",)
    return ("Jx", "Jy", "Jz") if n == 3 else axis_pair_names("J", planes(n), n)


def axis_names(letter: str, n: int) -> tuple[str, ...]:
    """``Px, Py, Pz`` up to three axes, else ``P1``, ``P2``, …."""
    return tuple(letter + ("xyz"[i] if n <= 3 else str(i + 1)) for i in range(n))


def axis_pair_names(letter: str, pairs: Sequence[tuple[int, int]], n: int) -> tuple[str, ...]:
    """``A12`` of the pair (0, 1); from ten axes on ``A1,2``."""
    comma = "," if n > 9 else ""
    return tuple(f"{letter}{i + 1}{comma}{j + 1}" for i, j in pairs)


def rotation_generators(n: int, size: int = 0, first: int = 0) -> list[Tensor]:
    """E_ba − E_ab for each plane (a, b): the turn of axis a towards axis b.

    For n = 3 L_x, L_y, L_z with [L_x, L_y] = L_z. In matrices of a larger ``size``, the axes of
    the rotation are n from ``first`` on.
    """
    size = size or n
    return [
        unit(size, first + b, first + a) - unit(size, first + a, first + b) for a, b in planes(n)
    ]


def gell_mann_matrices(n: int) -> list[Tensor]:
    """λ_1 … λ_{n²−1}: Hermitian, traceless, tr λ_a λ_b = 2 δ_ab.

    For n = 2 the Pauli matrices, for n = 3 those of Gell-Mann, Phys. Rev. 125 (1962) 1067,
    in his order; for each next n those that are new follow.
    """
    found = []
    for k in range(1, n):
        for j in range(k):
            found.append((unit(n, j, k) + unit(n, k, j)).to(torch.complex128))
            found.append(1j * (unit(n, k, j) - unit(n, j, k)))
        diagonal = torch.zeros(n, dtype=torch.complex128)
        diagonal[:k], diagonal[k] = 1.0, -float(k)
        found.append(torch.diag(diagonal) * (2.0 / (k * (k + 1))) ** 0.5)
    return found
