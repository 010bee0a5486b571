"""The Heisenberg groups."""

from dataclasses import dataclass

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.integers import is_count
from goldstone.groups.matrix.algebra import unit
from goldstone.groups.matrix.matrix_lie import MatrixLieGroup
from goldstone.groups.matrix.norms import matrix_norm


@dataclass(frozen=True)
class HeisenbergGroup(MatrixLieGroup):
    """H_{2n+1}: the matrices [[1, a, c], [0, 1, b], [0, 0, 1]] with a row a and a column b in ℝⁿ.

    Its Lie algebra has the basis X_1 … X_n (along a), Y_1 … Y_n (along b) and the central Z (along
    c), with [X_i, Y_j] = δ_ij Z. exp and log are polynomials and defined everywhere. Samples are
    exponentials of standard normal coordinates.

    Attributes:
        pairs: n ≥ 1.
    """

    pairs: int = 1

    def _check_parameters(self) -> None:
        if not is_count(self.pairs):
            raise InputError(f"a Heisenberg group needs at least one pair, got {self.pairs}")

    @property
    def name(self) -> str:
        return f"Heis({2 * self.pairs + 1})"

    @property
    def degree(self) -> int:
        return self.pairs + 2

    @property
    def is_compact(self) -> bool:
        return False

    @property
    def log_domain(self) -> str:
        return "everywhere"

    @property
    def basis_names(self) -> tuple[str, ...]:
        numbers = [""] if self.pairs == 1 else range(1, self.pairs + 1)
        return (*(f"X{i}" for i in numbers), *(f"Y{i}" for i in numbers), "Z")

    def _make_basis(self) -> Tensor:
        size, last, middle = self.degree, self.degree - 1, range(1, self.degree - 1)
        rows, columns = [unit(size, 0, i) for i in middle], [unit(size, i, last) for i in middle]
        return torch.stack([*rows, *columns, unit(size, 0, last)])

    def _inverse(self, a: Tensor) -> Tensor:
        n = a - self._one(a)
        return self._one(a) - n + n @ n

    def _exp(self, x: Tensor) -> Tensor:
        n = self.hat(x)
        return self._one(n) + n + n @ n / 2

    def _branch(self, a: Tensor) -> tuple[Tensor, Tensor]:
        n = a - self._one(a)
        return self.vee(n - n @ n / 2), torch.ones(a.shape[:-2], dtype=torch.bool, device=a.device)

    def _defect(self, a: Tensor) -> Tensor:
        n = a - self._one(a)
        return matrix_norm(n - self.hat(self.vee(n)))

    def _one(self, like: Tensor) -> Tensor:
        return torch.eye(self.degree, dtype=like.dtype, device=like.device)
