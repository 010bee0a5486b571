"""Irreps of SU(2) and SU(3)."""

from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from math import inf
from typing import Any

import numpy as np
import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import Group, SpecialUnitaryGroup
from goldstone.representations.checks import check_whole
from goldstone.representations.irrep import FrobeniusSchurType, Irrep
from goldstone.representations.lie.angular_momentum import angular_momentum
from goldstone.representations.lie.cartan_product import cartan_product
from goldstone.representations.lie.gelfand_tsetlin import gelfand_tsetlin
from goldstone.representations.lie.highest_weight import highest_weight_embeddings
from goldstone.representations.lie.stretched_coupling import stretched_coupling


@dataclass(frozen=True)
class SU2Irrep(Irrep):
    """The irrep of SU(2) of spin j, complex unitary of dimension 2j + 1.

    Its basis is |j m⟩, m = j, j − 1, …, −j, in the phases of Condon and Shortley: dρ of the basis
    −iσ_k/2 is −iJ_k with J_± |j m⟩ = √(j(j+1) − m(m±1)) |j m±1⟩. Spin ½ is the standard
    representation. Matrices are polynomials in the entries of g, that of spin j found as the
    highest component of spin ½ with spin j − ½; rounding errors grow as j.

    Attributes:
        spin: j = 0, ½, 1, …, as a number such as 1.5 or Fraction(3, 2).

    Raises:
        InputError: 2j is not an integer ≥ 0.
    """

    group: Group[Any] = field(init=False, repr=False)
    spin: float | Fraction

    def __post_init__(self) -> None:
        if not 0 <= self.spin < inf or 2 * self.spin % 1:
            raise InputError(f"expected a spin 0, 1/2, 1, 3/2, …, got {self.spin}")
        object.__setattr__(self, "group", SpecialUnitaryGroup(2))

    @property
    def twice_spin(self) -> int:
        """2j as an integer."""
        return int(2 * self.spin)

    @property
    def name(self) -> str:
        """``D`` and j as a fraction."""
        return f"D{Fraction(self.twice_spin, 2)}"

    @property
    def frobenius_schur_type(self) -> FrobeniusSchurType:
        return "quaternionic" if self.twice_spin % 2 else "real"

    @property
    def dimension(self) -> int:
        return self.twice_spin + 1

    @property
    def dtype(self) -> torch.dtype:
        return torch.complex128

    def _matrices(self, g: Tensor) -> Tensor:
        result = torch.ones_like(g[..., :1, :1])
        for twice in range(1, self.twice_spin + 1):
            step = torch.from_numpy(stretched_coupling(twice)).to(g)
            result = cartan_product(step, g, result)
        return result

    def _derivatives(self, x: Tensor) -> Tensor:
        generators = torch.from_numpy(-1j * angular_momentum(self.twice_spin)).to(x.device)
        return torch.einsum("...k,kij->...ij", x.to(generators.dtype), generators)


@dataclass(frozen=True)
class SU3Irrep(Irrep):
    """The irrep of SU(3) of highest weight (p, q), complex unitary.

    The dimension is (p+1)(q+1)(p+q+2)/2: (1, 0) is the standard representation 3, (0, 1) its dual,
    (1, 1) the adjoint 8, (3, 0) the decuplet 10. The basis is that of Gelfand and Tsetlin, of
    weight vectors with the highest first, in which E_12 and E_23 have entries ≥ 0; (0, 1) has the
    basis ē_3, −ē_2, ē_1 in terms of the dual basis. dρ(−iλ_a/2) = −(i/2) Σ (λ_a)_ij E_ij.

    Matrices are polynomials in the entries of g and of its conjugate: the highest component of
    tensor products of p times (1, 0) and q times (0, 1), one factor after another.

    Attributes:
        p: at least 0.
        q: at least 0.

    Raises:
        InputError: p or q is negative.
    """

    group: Group[Any] = field(init=False, repr=False)
    p: int
    q: int
    _steps: tuple[Tensor, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for weight in (self.p, self.q):
            check_whole("p, q", weight)
        object.__setattr__(self, "group", SpecialUnitaryGroup(3))
        path = [(a, 0) for a in range(self.p)] + [(self.p, b) for b in range(self.q + 1)]
        steps = []
        for start, end in pairwise(path):
            factor = gelfand_tsetlin(end[0] - start[0], end[1] - start[1])
            small = gelfand_tsetlin(*start)
            found = highest_weight_embeddings(gelfand_tsetlin(*end), factor.tensor_product(small))
            steps.append(torch.from_numpy(found[0].reshape(3, small.dimension, -1)))
        object.__setattr__(self, "_steps", tuple(steps))

    @property
    def name(self) -> str:
        """The highest weight, ``(p,q)``."""
        return f"({self.p},{self.q})"

    @property
    def frobenius_schur_type(self) -> FrobeniusSchurType:
        return "real" if self.p == self.q else "complex"

    @property
    def dimension(self) -> int:
        return (self.p + 1) * (self.q + 1) * (self.p + self.q + 2) // 2

    @property
    def dtype(self) -> torch.dtype:
        return torch.complex128

    @property
    def weights(self) -> Tensor:
        """Eigenvalues of E_11 − E_22 and E_22 − E_33 on each basis vector, (dimension, 2)."""
        return torch.from_numpy(gelfand_tsetlin(self.p, self.q).weights)

    def _matrices(self, g: Tensor) -> Tensor:
        signs = torch.tensor([1.0, -1.0, 1.0]).to(g)
        dual = signs[:, None] * g.conj().flip(-1, -2) * signs
        result = torch.ones_like(g[..., :1, :1])
        for i, step in enumerate(self._steps):
            result = cartan_product(step.to(g), g if i < self.p else dual, result)
        return result

    def _derivatives(self, x: Tensor) -> Tensor:
        basis = SpecialUnitaryGroup(3).basis.numpy()
        elementary = gelfand_tsetlin(self.p, self.q).elementary()
        generators = torch.from_numpy(np.tensordot(basis, elementary, ((1, 2), (0, 1))))
        return torch.einsum("...k,kij->...ij", x.to(generators), generators.to(x.device))
