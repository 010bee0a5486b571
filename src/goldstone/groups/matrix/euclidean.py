"""The Euclidean groups: rigid motions SE(n) and isometries E(n)."""

from dataclasses import dataclass
from math import fsum, pi
from typing import Any

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.integers import is_count
from goldstone.groups.matrix.algebra import axis_names, rotation_generators, rotation_names, unit
from goldstone.groups.matrix.logarithm import phi_functions
from goldstone.groups.matrix.matrix_lie import MatrixLieGroup, numbers_text
from goldstone.groups.matrix.orthogonal import (
    OrthogonalGroup,
    SpecialOrthogonalGroup,
    flip,
)


def _sum_of_powers(s: float, most: float = 1e3) -> float:
    """Σ_{m≥2} m^−s, by Euler and Maclaurin from ``most`` on."""
    rest: float = most ** (1 - s) / (s - 1) + most**-s / 2 + s * most ** (-s - 1) / 12
    return fsum(m**-s for m in range(2, int(most))) + rest


_FURTHER_POLES = tuple(2 * _sum_of_powers(2 * k) / (2 * pi) ** (2 * k) for k in range(14, 0, -1))
"""Of Σ_{m≥2} 2/((2πm)² − q) the coefficients of q¹³, …, 1: to rounding for √q ≤ π."""


def homogeneous(linear: Tensor, shift: Tensor) -> Tensor:
    """The matrix of x ↦ A x + t on (x, 1): (*batch, n, n) and (*batch, n) to (*batch, n+1, n+1)."""
    top = torch.cat((linear, shift[..., None]), -1)
    bottom = torch.zeros_like(top[..., :1, :])
    bottom[..., -1] = 1.0
    return torch.cat((top, bottom), -2)


def _unwound(x: Tensor, shift: Tensor) -> Tensor:
    """φ_1(X)⁻¹ t = t − X t/2 + c(θ²) X² t for a skew matrix X of size up to 3, of angle θ < π.

    c(θ²) = (1 − (θ/2) cot(θ/2))/θ² = Σ_{m≥1} 2/((2πm)² − θ²): the first pole as it is, of the
    others the power series, so that nothing is divided by θ and all derivatives hold at θ = 0.
    """
    squared = x.square().sum((-2, -1), keepdim=True)[..., 0] / 2
    others = torch.zeros_like(squared)
    for coefficient in _FURTHER_POLES:
        others = others * squared + coefficient
    c = 2 / (4 * pi**2 - squared) + others
    once = torch.einsum("...ij,...j->...i", x, shift)
    return shift - once / 2 + c * torch.einsum("...ij,...j->...i", x, once)


@dataclass(frozen=True)
class _Isometries(MatrixLieGroup):
    n: int

    def _check_parameters(self) -> None:
        if not is_count(self.n):
            raise InputError(f"a Euclidean group needs a dimension n ≥ 1, got {self.n}")

    @property
    def degree(self) -> int:
        return self.n + 1

    @property
    def is_compact(self) -> bool:
        return False

    @property
    def log_domain(self) -> str:
        return SpecialOrthogonalGroup(self.n).log_domain

    @property
    def basis_names(self) -> tuple[str, ...]:
        return (*rotation_names(self.n), *axis_names("P", self.n))

    def _make_basis(self) -> Tensor:
        size = self.n + 1
        shifts = [unit(size, axis, self.n) for axis in range(self.n)]
        return torch.stack([*rotation_generators(self.n, size), *shifts])

    def _inverse(self, a: Tensor) -> Tensor:
        back = a[..., :-1, :-1].mT
        return homogeneous(back, -(back @ a[..., :-1, -1:])[..., 0])

    def _defect(self, a: Tensor) -> Tensor:
        linear = OrthogonalGroup(self.n)._defect(a[..., :-1, :-1])
        bottom = a[..., -1, :].clone()
        bottom[..., -1] -= 1.0
        return torch.maximum(linear, bottom.abs().amax(-1))

    def _branch(self, a: Tensor) -> tuple[Tensor, Tensor]:
        # exp of (X, v) is (exp X, φ_1(X) v).
        rotations = SpecialOrthogonalGroup(self.n)
        turn, inside = rotations._branch(a[..., :-1, :-1])
        if self.n <= 3:
            return torch.cat((turn, _unwound(rotations.hat(turn), a[..., :-1, -1])), -1), inside
        v = phi_functions(rotations.hat(turn), 1)[1]
        one = torch.eye(self.n, dtype=a.dtype, device=a.device)
        v = torch.where(inside[..., None, None], v, one)
        return torch.cat((turn, torch.linalg.solve(v, a[..., :-1, -1])), -1), inside

    def _motion(self, generator: torch.Generator, linear: Tensor) -> Tensor:
        return homogeneous(linear, self._normal(generator, linear.shape[:-1]))


@dataclass(frozen=True)
class SpecialEuclideanGroup(_Isometries):
    """SE(n): rigid motions x ↦ R x + t, as matrices on (x, 1).

    The Lie algebra has the basis of so(n) followed by the shifts along each axis. The logarithm is
    defined where that of the rotation in SO(n) is. Samples have Haar rotations and standard normal
    shifts.

    Attributes:
        n: dimension of the space, at least 1.
    """

    @property
    def name(self) -> str:
        return f"SE({self.n})"

    def _defect(self, a: Tensor) -> Tensor:
        return torch.where(torch.linalg.det(a) > 0, super()._defect(a), torch.inf)

    def sample(self, generator: torch.Generator, shape: tuple[int, ...] = ()) -> Tensor:
        """Haar rotations, then standard normal shifts."""
        return self._motion(generator, SpecialOrthogonalGroup(self.n).sample(generator, shape))

    def element_name(self, a: Any) -> str:
        """``shift(…)·rotation``, either left out where it does nothing."""
        return _motion_name(SpecialOrthogonalGroup(self.n), self.tensor((a,))[0])


@dataclass(frozen=True)
class EuclideanGroup(_Isometries):
    """E(n): the isometries x ↦ A x + t of ℝⁿ, A orthogonal, as matrices on (x, 1); two components.

    The Lie algebra and the logarithm are those of SE(n); the other component is that of the
    reflection of the first axis. Samples have Haar orthogonal parts and standard normal shifts.

    Attributes:
        n: dimension of the space, at least 1.
    """

    @property
    def name(self) -> str:
        return f"E({self.n})"

    def component_generators(self) -> tuple[Any, ...]:
        like = torch.empty(0, dtype=torch.float64)
        return (self.value(homogeneous(flip(self.n, like), torch.zeros(self.n).to(like))),)

    def sample(self, generator: torch.Generator, shape: tuple[int, ...] = ()) -> Tensor:
        """Haar orthogonal parts, then standard normal shifts."""
        return self._motion(generator, OrthogonalGroup(self.n).sample(generator, shape))

    def element_name(self, a: Any) -> str:
        """``shift(…)·rotation or reflection``, either left out where it does nothing."""
        return _motion_name(OrthogonalGroup(self.n), self.tensor((a,))[0])


def _motion_name(linear: SpecialOrthogonalGroup | OrthogonalGroup, element: Tensor) -> str:
    turn = linear.element_name(linear.value(element[:-1, :-1]))
    shift = element[:-1, -1]
    if bool((shift.abs() <= linear.tolerance).all()):
        return turn
    text = f"shift({numbers_text(shift)})"
    return text if turn == "e" else f"{text}·{turn}"
