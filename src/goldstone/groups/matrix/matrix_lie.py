"""Lie groups whose elements are matrices."""

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from goldstone.groups.lie import LieGroup
from goldstone.groups.matrix.exponential import matrix_exponential
from goldstone.groups.matrix.logarithm import matrix_logarithm, off_the_cut
from goldstone.groups.matrix.norms import matrix_norm

CUT = 1e-6
"""How near an eigenvalue may come to the cut of the logarithm, as an angle."""


@dataclass(frozen=True)
class MatrixLieGroup(LieGroup[Any]):
    """A closed group of real or complex n×n matrices.

    An element is its matrix: a tensor of elements is (*batch, n, n), float64 or complex128. The Lie
    algebra consists of matrices as well, with a fixed basis over ℝ; :meth:`hat` and :meth:`vee` go
    between coordinates and matrices. Implementers give name, degree, the basis, the inverse and the
    membership test; exp and log are those of matrices, and may be overridden by closed forms.

    The logarithm is the principal one, raising outside its domain: no eigenvalue within 1e-6 (as an
    angle) of the negative real axis, and the result in the Lie algebra.
    """

    _basis: Tensor = field(init=False, repr=False, compare=False)
    _dual: Tensor = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._check_parameters()
        basis = self._make_basis()
        rows = torch.view_as_real(basis) if basis.is_complex() else basis
        gram = rows.flatten(1) @ rows.flatten(1).T
        dual = torch.einsum("kl,lij->kij", torch.linalg.inv(gram).to(basis.dtype), basis)
        object.__setattr__(self, "_basis", basis)
        object.__setattr__(self, "_dual", dual.conj().resolve_conj())

    @property
    @abstractmethod
    def degree(self) -> int:
        """n, the size of the matrices."""

    @property
    def is_complex(self) -> bool:
        """Whether the matrices are complex128, and else float64."""
        return False

    @abstractmethod
    def _make_basis(self) -> Tensor:
        """The basis of the Lie algebra, (d, n, n)."""

    @abstractmethod
    def _defect(self, a: Tensor) -> Tensor:
        """How far matrices are from the group, (*batch), relative to their size; 0 inside.

        The larger of the residuals of the defining equations; infinite where an inequality fails.
        """

    def _check_parameters(self) -> None:
        """Raise InputError unless the fields make sense."""

    @property
    def log_domain(self) -> str:
        """Where :meth:`log` is defined, in words."""
        return "no eigenvalue is zero or negative real"

    @property
    def basis(self) -> Tensor:
        """X_1 … X_d as matrices, (d, n, n)."""
        return self._basis.clone()

    @property
    def dimension(self) -> int:
        return len(self._basis)

    @property
    def element_shape(self) -> tuple[int, ...]:
        return (self.degree, self.degree)

    @property
    def element_dtype(self) -> torch.dtype:
        return torch.complex128 if self.is_complex else torch.float64

    @property
    def identity(self) -> Any:
        return self.value(torch.eye(self.degree, dtype=self.element_dtype))

    def matrices(self, a: Tensor) -> Tensor:
        """The elements themselves: (*batch, n, n)."""
        return a

    def hat(self, x: Tensor) -> Tensor:
        """Σ x_k X_k: coordinates (*batch, d) to matrices of the Lie algebra."""
        dtype = x.dtype.to_complex() if self.is_complex else x.dtype
        basis = self._basis.to(x.device, dtype)
        return torch.einsum("...k,kij->...ij", x.to(dtype), basis)

    def vee(self, matrix: Tensor) -> Tensor:
        """The inverse of :meth:`hat`; of other matrices, the orthogonal projection."""
        x = torch.einsum("...ij,kij->...k", matrix, self._dual.to(matrix))
        return x.real if x.is_complex() else x

    def _compose(self, a: Tensor, b: Tensor) -> Tensor:
        return a @ b

    def _inverse(self, a: Tensor) -> Tensor:
        inverse: Tensor = torch.linalg.inv(a)
        return inverse

    def _exp(self, x: Tensor) -> Tensor:
        return matrix_exponential(self.hat(x))

    def _log(self, a: Tensor) -> Tensor:
        return self._defined(*self._branch(a))

    def _branch(self, a: Tensor) -> tuple[Tensor, Tensor]:
        """The principal logarithm, (*batch, d), and where it is defined, (*batch)."""
        inside = off_the_cut(a, CUT)
        one = torch.eye(self.degree, dtype=a.dtype, device=a.device)
        matrix = matrix_logarithm(torch.where(inside[..., None, None], a, one))
        x = self.vee(matrix)
        # Of an element of another component the logarithm exists but is not in the algebra.
        rest = matrix_norm((matrix - self.hat(x)).detach())
        return x, inside & (rest <= 1e-5 * (1 + matrix_norm(matrix.detach())))

    def adjoint(self, a: Tensor) -> Tensor:
        basis = self._basis.to(a)
        g, back = a[..., None, :, :], self._inverse(a)[..., None, :, :]
        return self.vee(g @ basis @ back).mT

    def structure_constants(self) -> Tensor:
        products = torch.einsum("aij,bjk->abik", self._basis, self._basis)
        return self.vee(products - products.transpose(0, 1))

    def member_mask(self, a: Tensor) -> Tensor:
        if not (a.is_floating_point() or a.is_complex()):
            a = a.to(self.element_dtype)
        coarse = 64 * self.degree * torch.finfo(a.dtype).eps
        finite = (a.real.isfinite() & a.imag.isfinite()) if a.is_complex() else a.isfinite()
        finite = finite.flatten(-2).all(-1)
        one = torch.eye(self.degree, dtype=a.dtype, device=a.device)
        defect = self._defect(torch.where(finite[..., None, None], a, one))
        return finite & (defect <= max(10 * self.tolerance, coarse))

    def _difference(self, a: Tensor, b: Tensor) -> Tensor:
        # Relative to the larger entries: those of a boost grow without bound.
        size = torch.maximum(a.abs().flatten(-2).amax(-1), b.abs().flatten(-2).amax(-1))
        return (a - b) / size.clamp_min(1.0)[..., None, None]

    def sample(self, generator: torch.Generator, shape: tuple[int, ...] = ()) -> Tensor:
        """exp(x) of standard normal coordinates x: for a group that is not compact."""
        return self._exp(self._normal(generator, (*shape, self.dimension)))

    def _normal(self, generator: torch.Generator, shape: tuple[int, ...]) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64, device=generator.device)

    def element_name(self, a: Any) -> str:
        """``e``, ``exp(…)`` with the coordinates of the logarithm, or the rows of the matrix."""
        element = self.tensor((a,))[0]
        if bool(self.equal(element, self.identity_tensor(element))):
            return "e"
        x, inside = self._branch(element)
        if bool(inside):
            return f"exp({numbers_text(x)})"
        return "[" + "; ".join(numbers_text(row) for row in element) + "]"


def numbers_text(numbers: Tensor) -> str:
    """Numbers to six digits, joined by commas, noise left out."""
    return ",".join(_number_text(number) for number in numbers.detach().tolist())


def _number_text(number: float | complex) -> str:
    if isinstance(number, complex):
        real, imaginary = round(number.real, 9) + 0.0, round(number.imag, 9) + 0.0
        return f"{real:g}" if imaginary == 0 else f"{real:g}{imaginary:+g}i"
    return f"{round(number, 9) + 0.0:g}"
