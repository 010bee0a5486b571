"""Symmetric and exterior powers."""

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations, combinations_with_replacement
from math import comb, sqrt

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.representations.checks import check_whole
from goldstone.representations.derived import DerivedRepresentation
from goldstone.representations.tensor_product import kronecker, kronecker_sum


@dataclass(frozen=True)
class _Power(DerivedRepresentation):
    """A power Pⁿ of ρ, by the isometry J: Pⁿ → V ⊗ Pⁿ⁻¹ that splits off one factor.

    J commutes with GL(V), so Pⁿρ = Jᵀ(ρ ⊗ Pⁿ⁻¹ρ)J, and likewise for the derivative.
    """

    power: int

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole("a power", self.power)

    @abstractmethod
    def _splitting(self, power: int) -> Tensor:
        """J for this power, (dim V · dim Pⁿ⁻¹, dim Pⁿ)."""

    def _matrices(self, g: Tensor) -> Tensor:
        one = self.representation.matrix_unchecked(g)
        result = torch.ones_like(one[..., :1, :1]) if not self.power else one
        for power in range(2, self.power + 1):
            result = _compressed(kronecker([one, result]), self._splitting(power))
        return result

    def _derivatives(self, x: Tensor) -> Tensor:
        one = self.representation.derivative(x)
        result = torch.zeros_like(one[..., :1, :1]) if not self.power else one
        for power in range(2, self.power + 1):
            result = _compressed(kronecker_sum([one, result]), self._splitting(power))
        return result


@dataclass(frozen=True)
class SymmetricPower(_Power):
    """Symⁿρ, on the symmetric tensors of degree n (n = ``power``).

    The basis is that of the monomials e_{i₁} … e_{iₙ}, i₁ ≤ … ≤ iₙ in lexicographic order, scaled
    to norm 1 as symmetric tensors, so that Symⁿρ is orthogonal where ρ is. The dimension is
    C(d + n − 1, n).

    Raises:
        InputError: the power is negative.
    """

    @property
    def dimension(self) -> int:
        return comb(self.representation.dimension + self.power - 1, self.power)

    def _splitting(self, power: int) -> Tensor:
        d = self.representation.dimension
        before = _numbered(combinations_with_replacement(range(d), power - 1))
        monomials = list(combinations_with_replacement(range(d), power))
        split = torch.zeros(d, len(before), len(monomials), dtype=torch.float64)
        for column, monomial in enumerate(monomials):
            for i in set(monomial):
                rest = list(monomial)
                rest.remove(i)
                split[i, before[tuple(rest)], column] = sqrt(monomial.count(i) / power)
        return split.flatten(0, 1)

    @property
    def allows_pointwise(self) -> bool:
        return self.representation.allows_pointwise


@dataclass(frozen=True)
class ExteriorPower(_Power):
    """Λⁿρ, on the antisymmetric tensors of degree n (n = ``power``).

    The basis is e_{i₁} ∧ … ∧ e_{iₙ}, i₁ < … < iₙ in lexicographic order; the entries of Λⁿρ(g) are
    the n×n minors of ρ(g). The dimension is C(d, n).

    Raises:
        InputError: the power is negative or exceeds the dimension of ρ.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.power > self.representation.dimension:
            raise InputError(
                f"the exterior power {self.power} of a representation of dimension "
                f"{self.representation.dimension} is zero"
            )

    @property
    def dimension(self) -> int:
        return comb(self.representation.dimension, self.power)

    def _splitting(self, power: int) -> Tensor:
        d = self.representation.dimension
        before = _numbered(combinations(range(d), power - 1))
        forms = list(combinations(range(d), power))
        split = torch.zeros(d, len(before), len(forms), dtype=torch.float64)
        for column, form in enumerate(forms):
            for place, i in enumerate(form):
                rest = before[form[:place] + form[place + 1 :]]
                split[i, rest, column] = (-1) ** place / sqrt(power)
        return split.flatten(0, 1)

    @property
    def allows_pointwise(self) -> bool:
        # From the second power on, signs appear.
        return self.power == 0 or (self.power == 1 and self.representation.allows_pointwise)


def _numbered(tuples: Iterable[tuple[int, ...]]) -> dict[tuple[int, ...], int]:
    return {each: number for number, each in enumerate(tuples)}


def _compressed(a: Tensor, isometry: Tensor) -> Tensor:
    j = isometry.to(a)
    return j.mT @ a @ j
