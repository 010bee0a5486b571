"""The complex conjugate of a representation."""

from dataclasses import dataclass

from torch import Tensor

from goldstone.representations.derived import DerivedRepresentation


@dataclass(frozen=True)
class ConjugateRepresentation(DerivedRepresentation):
    """ρ̄(g), the matrices' complex conjugates; dρ̄(x) is the conjugate of dρ(x)."""

    def _matrices(self, g: Tensor) -> Tensor:
        return self.representation.matrix_unchecked(g).conj().resolve_conj()

    def _derivatives(self, x: Tensor) -> Tensor:
        return self.representation.derivative(x).conj().resolve_conj()

    def _characters(self, g: Tensor) -> Tensor:
        return self.representation.character_unchecked(g).conj().resolve_conj()

    @property
    def allows_pointwise(self) -> bool:
        return self.representation.allows_pointwise
