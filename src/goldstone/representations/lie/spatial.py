"""Irreps of the rotations and of the orthogonal group of space."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import Group, OrthogonalGroup, SpecialOrthogonalGroup
from goldstone.representations.checks import check_whole
from goldstone.representations.irrep import FrobeniusSchurType, Irrep
from goldstone.representations.lie.angular_momentum import angular_momentum, real_basis
from goldstone.representations.lie.wigner import wigner_matrices


@dataclass(frozen=True)
class SO3Irrep(Irrep):
    """The irrep of SO(3) of degree l, real orthogonal of dimension 2l + 1.

    Its basis is that of the real spherical harmonics, m = −l…l about the z axis:
    ρ(R) Y_l(x) = Y_l(R x) for :func:`spherical_harmonics`. For l = 1 the components are (y, z, x),
    the standard representation with its axes in that order. Matrices come from
    :func:`wigner_matrices`, without Euler angles and differentiable everywhere.

    Attributes:
        degree: l ≥ 0.

    Raises:
        InputError: l is negative.
    """

    group: Group[Any] = field(init=False, repr=False)
    degree: int

    def __post_init__(self) -> None:
        check_whole("a degree l", self.degree)
        object.__setattr__(self, "group", SpecialOrthogonalGroup(3))

    @property
    def name(self) -> str:
        """``D`` and l."""
        return f"D{self.degree}"

    @property
    def frobenius_schur_type(self) -> FrobeniusSchurType:
        return "real"

    @property
    def dimension(self) -> int:
        return 2 * self.degree + 1

    def _matrices(self, g: Tensor) -> Tensor:
        return _last_wigner_matrix(self.degree, g)

    def _derivatives(self, x: Tensor) -> Tensor:
        return _turning(x, self.degree)


@dataclass(frozen=True)
class O3Irrep(Irrep):
    """The irrep of O(3) of degree l and parity p: ρ(−1) = p, and on rotations that of SO(3).

    Scalars are (0, 1), pseudoscalars (0, −1), vectors (1, −1), pseudovectors (1, 1); spherical
    harmonics of degree l have parity (−1)^l. The basis is that of :class:`SO3Irrep`.

    Attributes:
        degree: l ≥ 0.
        parity: 1 (even) or −1 (odd).

    Raises:
        InputError: l is negative or the parity another number.
    """

    group: Group[Any] = field(init=False, repr=False)
    degree: int
    parity: int

    def __post_init__(self) -> None:
        check_whole("a degree l", self.degree)
        if self.parity not in (1, -1):
            raise InputError(f"expected the parity 1 or −1, got {self.parity}")
        object.__setattr__(self, "group", OrthogonalGroup(3))

    @property
    def name(self) -> str:
        """The degree with ``e`` for even or ``o`` for odd, such as ``2e``."""
        return f"{self.degree}{'e' if self.parity == 1 else 'o'}"

    @property
    def frobenius_schur_type(self) -> FrobeniusSchurType:
        return "real"

    @property
    def dimension(self) -> int:
        return 2 * self.degree + 1

    def _matrices(self, g: Tensor) -> Tensor:
        matrices = _last_wigner_matrix(self.degree, g)
        if self.parity == (-1) ** self.degree:
            return matrices
        # Locally constant: ±1 to the last digit.
        sign: Tensor = torch.linalg.det(g.detach()).sign()
        return matrices * sign[..., None, None]

    def _derivatives(self, x: Tensor) -> Tensor:
        return _turning(x, self.degree)


def _last_wigner_matrix(degree: int, rotations: Tensor) -> Tensor:
    for matrices in wigner_matrices(degree, rotations):  # noqa: B007 - the last is wanted
        pass
    return matrices


def _turning(x: Tensor, degree: int) -> Tensor:
    """dρ of rotation vectors (*batch, 3): Σ x_k (−iJ_k) in the real basis."""
    u = real_basis(degree)
    generators = (u.conj() @ (-1j * angular_momentum(2 * degree)) @ u.T).real
    return torch.einsum("...k,kij->...ij", x, torch.from_numpy(generators).to(x))
