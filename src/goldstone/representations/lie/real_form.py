"""The real irreps of SU(2) and SU(3)."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import Group
from goldstone.representations.conjugate import ConjugateRepresentation
from goldstone.representations.intertwiners.solve import intertwiner_basis
from goldstone.representations.irrep import FrobeniusSchurType, Irrep
from goldstone.representations.lie.angular_momentum import real_basis
from goldstone.representations.lie.special_unitary import SU2Irrep, SU3Irrep
from goldstone.representations.orthonormal_echelon import image_basis
from goldstone.representations.realification import realify


@dataclass(frozen=True)
class RealIrrep(Irrep):
    """The irrep over ℝ that belongs to one of SU(2) or SU(3) over ℂ.

    Of an irrep σ of real type (integer spin; p = q) it is Uᴴσ(g)U, real and of σ's dimension: for
    SU(2) in the basis of :class:`SO3Irrep`, which it then is of the rotation that g covers; for
    SU(3), where σ(g) S = S conj(σ(g)) with S real, symmetric and S² = 1, in the echelon bases of
    the spaces S = 1 and, times i, S = −1. Of all others it is the realification of σ, real parts
    first, of twice the dimension; (p, q) and (q, p) give the same one but for the basis.

    Attributes:
        irrep: σ; for SU(3) with p ≥ q.

    Raises:
        InputError: σ is another representation, or p < q.
    """

    group: Group[Any] = field(init=False, repr=False)
    irrep: SU2Irrep | SU3Irrep
    _basis: Tensor | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.irrep, SU2Irrep | SU3Irrep):
            raise InputError(f"expected an irrep of SU(2) or SU(3), got {self.irrep!r}")
        if isinstance(self.irrep, SU3Irrep) and self.irrep.p < self.irrep.q:
            raise InputError(f"expected p ≥ q, got {self.irrep.name}; (q,p) gives the same irrep")
        object.__setattr__(self, "group", self.irrep.group)
        is_real = self.frobenius_schur_type == "real"
        object.__setattr__(self, "_basis", _real_basis(self.irrep) if is_real else None)

    @property
    def name(self) -> str:
        """That of σ."""
        return self.irrep.name

    @property
    def frobenius_schur_type(self) -> FrobeniusSchurType:
        return self.irrep.frobenius_schur_type

    @property
    def dimension(self) -> int:
        return self.irrep.dimension * (1 if self._basis is not None else 2)

    def _matrices(self, g: Tensor) -> Tensor:
        return self._made_real(self.irrep.matrix_unchecked(g))

    def _derivatives(self, x: Tensor) -> Tensor:
        return self._made_real(self.irrep.derivative(x))

    def _made_real(self, a: Tensor) -> Tensor:
        if self._basis is None:
            return realify(a)
        u = self._basis.to(a.device)
        return (u.mH @ a @ u).real


def _real_basis(irrep: SU2Irrep | SU3Irrep) -> Tensor:
    """A unitary U, in columns, with Uᴴσ(g)U real: U Uᵀ = S, where σ(g) S = S conj(σ(g))."""
    if isinstance(irrep, SU2Irrep):
        return torch.from_numpy(real_basis(irrep.twice_spin // 2)).mT
    maps = intertwiner_basis(ConjugateRepresentation(irrep), irrep).dense()[0]
    # Real, for so are the generators' matrices E_ij in this basis.
    involution = maps.real * irrep.dimension**0.5
    one = torch.eye(irrep.dimension, dtype=torch.float64)
    even, odd = (image_basis((one + sign * involution) / 2).mT for sign in (1, -1))
    return torch.cat((even + 0j, 1j * odd), 1)
