"""A representation in another basis."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.representations.derived import DerivedRepresentation


@dataclass(frozen=True, eq=False)
class ChangeOfBasis(DerivedRepresentation):
    """Q⁻¹ρ(g)Q: the new basis vectors are the columns of Q, and v = Q v′.

    Args:
        representation: ρ.
        basis: Q, (dimension, dimension), real or complex.

    Raises:
        InputError: Q has another shape, or is singular.
    """

    basis: Tensor
    inverse_basis: Tensor = field(init=False, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        n = self.representation.dimension
        if self.basis.shape != (n, n):
            raise InputError(f"expected a basis of shape ({n}, {n}), got {tuple(self.basis.shape)}")
        exact = torch.complex128 if self.basis.is_complex() else torch.float64
        basis = self.basis.detach().to(exact).clone()
        inverse, failed = torch.linalg.inv_ex(basis)
        if failed or not bool(inverse.isfinite().all()):
            raise InputError("the columns of the new basis are linearly dependent")
        object.__setattr__(self, "basis", basis)
        object.__setattr__(self, "inverse_basis", inverse)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, ChangeOfBasis)
            and self.representation == other.representation
            and self.basis.dtype == other.basis.dtype
            and torch.equal(self.basis, other.basis)
        )

    def __hash__(self) -> int:
        return hash((self.representation, self.basis.is_complex()))

    @property
    def dtype(self) -> torch.dtype:
        return torch.promote_types(self.representation.dtype, self.basis.dtype)

    def _matrices(self, g: Tensor) -> Tensor:
        return self._turned(self.representation.matrix_unchecked(g))

    def _derivatives(self, x: Tensor) -> Tensor:
        return self._turned(self.representation.derivative(x))

    def _characters(self, g: Tensor) -> Tensor:
        return self.representation.character_unchecked(g).to(self.dtype)

    def _turned(self, a: Tensor) -> Tensor:
        into = self.inverse_basis.to(a.device, self.dtype)
        out_of = self.basis.to(a.device, self.dtype)
        return into @ a.to(self.dtype) @ out_of
