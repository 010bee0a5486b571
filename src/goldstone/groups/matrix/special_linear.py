"""The special linear groups."""

from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.integers import is_count
from goldstone.groups.matrix.algebra import axis_pair_names, unit
from goldstone.groups.matrix.matrix_lie import MatrixLieGroup
from goldstone.groups.matrix.norms import matrix_norm


@dataclass(frozen=True)
class SpecialLinearGroup(MatrixLieGroup):
    """SL(n, ℝ) or SL(n, ℂ): n×n matrices of determinant 1.

    Its Lie algebra, the traceless matrices, has the basis H_i = E_ii − E_i+1,i+1, then E_ij for
    i < j, then E_ji: for n = 2 H, E, F with [H, E] = 2E, [H, F] = −2F, [E, F] = H. Over ℂ these
    are followed by i times each.

    The logarithm is the principal one of matrices, where that is traceless; exp is not onto.
    Samples are exponentials of standard normal coordinates.

    Attributes:
        n: size of the matrices, at least 2.
        field: ``real`` or ``complex``.
    """

    n: int
    field: Literal["real", "complex"] = "real"

    def _check_parameters(self) -> None:
        if not is_count(self.n, 2):
            raise InputError(f"a special linear group needs matrices of size n ≥ 2, got {self.n}")
        if self.field not in ("real", "complex"):
            raise InputError(f"expected the field 'real' or 'complex', got {self.field!r}")

    @property
    def name(self) -> str:
        return f"SL({self.n},{'ℂ' if self.is_complex else 'ℝ'})"

    @property
    def degree(self) -> int:
        return self.n

    @property
    def is_complex(self) -> bool:
        return self.field == "complex"

    @property
    def is_compact(self) -> bool:
        return False

    @property
    def log_domain(self) -> str:
        sums = " and the arguments of the eigenvalues sum to 0" if self.is_complex else ""
        return f"no eigenvalue is negative real{sums}"

    @property
    def basis_names(self) -> tuple[str, ...]:
        n = self.n
        if n == 2:
            names: tuple[str, ...] = ("H", "E", "F")
        else:
            pairs = tuple(combinations(range(n), 2))
            units = (*pairs, *((j, i) for i, j in pairs))
            names = (*(f"H{i}" for i in range(1, n)), *axis_pair_names("E", units, n))
        return (*names, *(f"i{name}" for name in names)) if self.is_complex else names

    def _make_basis(self) -> Tensor:
        n = self.n
        above = [unit(n, i, j) for i in range(n) for j in range(i + 1, n)]
        diagonal = [unit(n, i, i) - unit(n, i + 1, i + 1) for i in range(n - 1)]
        basis = torch.stack([*diagonal, *above, *(matrix.T for matrix in above)])
        return torch.cat((basis + 0j, 1j * basis)) if self.is_complex else basis

    def _defect(self, a: Tensor) -> Tensor:
        size = matrix_norm(a).pow(self.n).clamp_min(1.0)
        defect: Tensor = (torch.linalg.det(a) - 1).abs() / size
        return defect
