"""The unitary groups U(n) and SU(n)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.integers import is_count
from goldstone.groups.matrix.algebra import gell_mann_matrices
from goldstone.groups.matrix.haar import haar_unitary, unit_determinant
from goldstone.groups.matrix.matrix_lie import MatrixLieGroup
from goldstone.groups.matrix.norms import matrix_norm, vector_norm
from goldstone.groups.matrix.unit_quaternion import quaternion_exp, quaternion_log

NEAR_MINUS_ONE = 1e-8
"""How near to −1 the closed form of SU(2) goes, as an angle of rotation."""


@dataclass(frozen=True)
class _UnitaryMatrices(MatrixLieGroup):
    n: int

    def _check_parameters(self) -> None:
        if not is_count(self.n):
            raise InputError(f"a unitary group needs a dimension n ≥ 1, got {self.n}")

    @property
    def degree(self) -> int:
        return self.n

    @property
    def is_complex(self) -> bool:
        return True

    @property
    def is_compact(self) -> bool:
        return True

    def _inverse(self, a: Tensor) -> Tensor:
        return a.mH

    def _defect(self, a: Tensor) -> Tensor:
        one = torch.eye(self.n, dtype=a.dtype, device=a.device)
        return matrix_norm(a @ a.mH - one)


@dataclass(frozen=True)
class SpecialUnitaryGroup(_UnitaryMatrices):
    """SU(n): unitary n×n matrices of determinant 1.

    Its Lie algebra has the basis −iλ_a/2, with the Gell-Mann matrices λ_a: [X_a, X_b] = f_abc X_c
    with the physicists' f. For n = 2 they are the Pauli matrices, coordinates are rotation vectors
    and exp(x) covers the rotation by x in SO(3). The norm of coordinates is invariant under Ad.

    The logarithm is defined where no eigenvalue is −1 (to 1e-8 for n = 2, 1e-6 beyond) and the
    principal arguments of the eigenvalues sum to zero; for n ≥ 3 they may sum to ±2π instead, and
    then the principal logarithm of the matrix is not in the algebra.

    Attributes:
        n: size of the matrices, at least 1.
    """

    @property
    def name(self) -> str:
        return f"SU({self.n})"

    @property
    def log_domain(self) -> str:
        sums = "" if self.n <= 2 else " and the arguments of the eigenvalues sum to 0"
        return f"no eigenvalue is −1{sums}"

    @property
    def basis_names(self) -> tuple[str, ...]:
        return tuple(f"T{i + 1}" for i in range(self.dimension))

    def _make_basis(self) -> Tensor:
        matrices = gell_mann_matrices(self.n)
        empty = torch.zeros((0, self.n, self.n), dtype=torch.complex128)
        return -0.5j * torch.stack(matrices) if matrices else empty

    def _defect(self, a: Tensor) -> Tensor:
        return torch.maximum(super()._defect(a), (torch.linalg.det(a) - 1).abs())

    def _exp(self, x: Tensor) -> Tensor:
        return quaternion_matrix(quaternion_exp(x)) if self.n == 2 else super()._exp(x)

    def _branch(self, a: Tensor) -> tuple[Tensor, Tensor]:
        if self.n != 2:
            return super()._branch(a)
        x = quaternion_log(matrix_quaternion(a))
        angle = vector_norm(x.detach())
        return x, angle < 2 * torch.pi - NEAR_MINUS_ONE

    def distance(self, a: Tensor, b: Tensor) -> Tensor:
        if self.n != 2:
            return super().distance(a, b)
        # Defined between opposite elements too, where the geodesic is not unique.
        return vector_norm(self._branch(a.mH @ b)[0])

    def sample(self, generator: torch.Generator, shape: tuple[int, ...] = ()) -> Tensor:
        return unit_determinant(haar_unitary(generator, shape, self.n))


@dataclass(frozen=True)
class UnitaryGroup(_UnitaryMatrices):
    """U(n): unitary n×n matrices.

    Its Lie algebra has the basis X_0 = i·1, the overall phase, followed by that of SU(n); for n = 1
    the coordinate is the angle of e^iφ.

    The logarithm is defined where no eigenvalue is −1 (to 1e-6).

    Attributes:
        n: size of the matrices, at least 1.
    """

    @property
    def name(self) -> str:
        return f"U({self.n})"

    @property
    def log_domain(self) -> str:
        return "no eigenvalue is −1"

    @property
    def basis_names(self) -> tuple[str, ...]:
        return ("I", *(f"T{i}" for i in range(1, self.dimension)))

    def _make_basis(self) -> Tensor:
        phase = 1j * torch.eye(self.n, dtype=torch.complex128)
        return torch.stack([phase, *(-0.5j * matrix for matrix in gell_mann_matrices(self.n))])

    def sample(self, generator: torch.Generator, shape: tuple[int, ...] = ()) -> Tensor:
        return haar_unitary(generator, shape, self.n)


def quaternion_matrix(q: Tensor) -> Tensor:
    """Unit quaternions (*batch, 4) to SU(2): w − i(x σ_x + y σ_y + z σ_z)."""
    w, x, y, z = q.unbind(-1)
    entries = (
        torch.complex(w, -z),
        torch.complex(-y, -x),
        torch.complex(y, -x),
        torch.complex(w, z),
    )
    return torch.stack(entries, -1).reshape(*w.shape, 2, 2)


def matrix_quaternion(a: Tensor) -> Tensor:
    """The inverse of :func:`quaternion_matrix`."""
    w, z = a[..., 0, 0] + a[..., 1, 1], a[..., 1, 1] - a[..., 0, 0]
    x, y = a[..., 0, 1] + a[..., 1, 0], a[..., 1, 0] - a[..., 0, 1]
    return torch.stack((w.real, -x.imag, y.real, z.imag), -1) / 2
