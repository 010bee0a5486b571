"""The general linear group."""

from dataclasses import dataclass

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.integers import is_count
from goldstone.groups.matrix.haar import haar_orthogonal
from goldstone.groups.matrix.matrix_lie import MatrixLieGroup

SPREAD = 0.5


@dataclass(frozen=True)
class GeneralLinearGroup(MatrixLieGroup):
    """GL(n, ℝ): the invertible real n×n matrices.

    Its Lie algebra, all matrices, has the basis E_ij, row by row. Samples are U diag(e^{x/2}) V, U
    and V from Haar measure on O(n) and x standard normal: well conditioned, of either determinant.

    Attributes:
        n: size of the matrices, at least 1.
    """

    n: int

    def _check_parameters(self) -> None:
        if not is_count(self.n):
            raise InputError(f"a general linear group needs n ≥ 1, got {self.n}")

    @property
    def name(self) -> str:
        return f"GL({self.n},ℝ)"

    @property
    def degree(self) -> int:
        return self.n

    @property
    def is_compact(self) -> bool:
        return False

    @property
    def basis_names(self) -> tuple[str, ...]:
        return tuple(f"E{i + 1},{j + 1}" for i in range(self.n) for j in range(self.n))

    def component_generators(self) -> tuple[object, ...]:
        """A reflection: the determinant has two signs."""
        signs = torch.ones(self.n, dtype=torch.float64)
        signs[0] = -1.0
        return (self.value(torch.diag(signs)),)

    def _make_basis(self) -> Tensor:
        return torch.eye(self.n**2, dtype=torch.float64).reshape(-1, self.n, self.n)

    def _defect(self, a: Tensor) -> Tensor:
        regular = torch.linalg.svdvals(a)[..., -1] > 0
        return torch.where(regular, 0.0, torch.inf)

    def sample(self, generator: torch.Generator, shape: tuple[int, ...] = ()) -> Tensor:
        return sample_invertible(generator, shape, self.n)


def sample_invertible(generator: torch.Generator, shape: tuple[int, ...], n: int) -> Tensor:
    """Random invertible matrices (*shape, n, n), as :class:`GeneralLinearGroup` samples them."""
    left, right = (haar_orthogonal(generator, shape, n) for _ in range(2))
    normal = torch.randn(
        (*shape, n), generator=generator, dtype=torch.float64, device=generator.device
    )
    return (left * (SPREAD * normal).exp()[..., None, :]) @ right
