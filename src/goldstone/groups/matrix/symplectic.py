"""The real symplectic groups."""

from dataclasses import dataclass

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.integers import is_count
from goldstone.groups.matrix.algebra import axis_pair_names, unit
from goldstone.groups.matrix.matrix_lie import MatrixLieGroup
from goldstone.groups.matrix.norms import matrix_norm


@dataclass(frozen=True)
class SymplecticGroup(MatrixLieGroup):
    """Sp(2n, ℝ): the linear canonical maps of phase space (q_1 … q_n, p_1 … p_n), Mᵀ Ω M = Ω.

    Ω = [[0, 1], [−1, 0]]. Its Lie algebra consists of [[A, B], [C, −Aᵀ]] with B and C symmetric;
    the basis is the A_ij row by row, then B_ij and then C_ij for j ≤ i.

    The logarithm is the principal one of matrices; exp is not onto. Samples are exponentials of
    standard normal coordinates.

    Attributes:
        pairs: n ≥ 1, the number of conjugate pairs.
    """

    pairs: int

    def _check_parameters(self) -> None:
        if not is_count(self.pairs):
            raise InputError(f"a symplectic group needs at least one pair, got {self.pairs}")

    @property
    def name(self) -> str:
        return f"Sp({2 * self.pairs},ℝ)"

    @property
    def degree(self) -> int:
        return 2 * self.pairs

    @property
    def is_compact(self) -> bool:
        return False

    @property
    def form(self) -> Tensor:
        """Ω, (2n, 2n)."""
        return self._form(torch.empty(0, dtype=torch.float64))

    def _form(self, like: Tensor) -> Tensor:
        one = torch.eye(self.pairs, dtype=like.dtype, device=like.device)
        two = torch.tensor([[0.0, 1.0], [-1.0, 0.0]], dtype=like.dtype, device=like.device)
        return torch.kron(two, one)

    @property
    def basis_names(self) -> tuple[str, ...]:
        n = self.pairs
        every = [(i, j) for i in range(n) for j in range(n)]
        lower = [(i, j) for i, j in every if j <= i]
        names = [axis_pair_names(*part, n) for part in (("A", every), ("B", lower), ("C", lower))]
        return tuple(name for part in names for name in part)

    def _make_basis(self) -> Tensor:
        n, size = self.pairs, 2 * self.pairs
        found = [unit(size, i, j) - unit(size, n + j, n + i) for i in range(n) for j in range(n)]
        for row, column in ((0, n), (n, 0)):
            for i in range(n):
                for j in range(i + 1):
                    entry = unit(size, row + i, column + j)
                    found.append(entry if i == j else entry + unit(size, row + j, column + i))
        return torch.stack(found)

    def _inverse(self, a: Tensor) -> Tensor:
        form = self._form(a)
        return -form @ a.mT @ form

    def _defect(self, a: Tensor) -> Tensor:
        form = self._form(a)
        size = matrix_norm(a).square().clamp_min(1.0)
        return matrix_norm(a.mT @ form @ a - form) / size
