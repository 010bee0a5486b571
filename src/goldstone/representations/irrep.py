"""The contract of an irreducible representation."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Literal

from goldstone.representations.representation import Representation

Field = Literal["real", "complex"]
FrobeniusSchurType = Literal["real", "complex", "quaternionic"]


@dataclass(frozen=True)
class Irrep(Representation):
    """A representation without invariant subspaces, over the field of its dtype.

    Its matrices are orthogonal (float64) or unitary (complex128). Irreps of one group over one
    field have different names, and no two of them are isomorphic.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """A short name in the field's habit, such as ``A1`` or ``E2``."""

    @property
    @abstractmethod
    def frobenius_schur_type(self) -> FrobeniusSchurType:
        """Over ℝ: the algebra of the matrices that commute with it, ℝ, ℂ or ℍ.

        Over ℂ: ``"real"`` if it is isomorphic to one with real matrices; ``"quaternionic"`` if only
        its character is real; ``"complex"`` if its character is not real. The Frobenius–Schur
        indicator mean χ(g²) is then 1, −1 and 0.
        """

    @property
    def endomorphism_dimension(self) -> int:
        """The dimension of End_G, mean |χ|²: over ℝ 1, 2 or 4 by type, over ℂ 1 (Schur's lemma).

        A representation contains the irrep ⟨χ, χ_irrep⟩ / endomorphism_dimension times; the regular
        one of a compact or finite group, dimension / endomorphism_dimension times.
        """
        if self.dtype.is_complex:
            return 1
        return {"real": 1, "complex": 2, "quaternionic": 4}[self.frobenius_schur_type]
