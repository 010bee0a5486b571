"""The dual of a representation."""

from dataclasses import dataclass

from torch import Tensor

from goldstone.representations.derived import DerivedRepresentation


@dataclass(frozen=True)
class DualRepresentation(DerivedRepresentation):
    """ρ*(g) = ρ(g⁻¹)ᵀ, on the dual space in the dual basis: a covector. dρ*(x) = −dρ(x)ᵀ.

    It equals ρ where ρ is real orthogonal, and the complex conjugate where ρ is unitary.
    """

    def _matrices(self, g: Tensor) -> Tensor:
        return self.representation.matrix_unchecked(self.group.inverse(g)).mT

    def _derivatives(self, x: Tensor) -> Tensor:
        return -self.representation.derivative(x).mT

    def _characters(self, g: Tensor) -> Tensor:
        return self.representation.character_unchecked(self.group.inverse(g))

    @property
    def allows_pointwise(self) -> bool:
        return self.representation.allows_pointwise
