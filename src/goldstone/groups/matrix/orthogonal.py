"""The rotation groups SO(n) and the orthogonal groups O(n)."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.integers import is_count
from goldstone.groups.matrix.algebra import rotation_generators, rotation_names, stacked
from goldstone.groups.matrix.haar import haar_orthogonal, unit_determinant
from goldstone.groups.matrix.matrix_lie import MatrixLieGroup, numbers_text
from goldstone.groups.matrix.norms import matrix_norm, vector_norm
from goldstone.groups.matrix.unit_quaternion import (
    quaternion_exp,
    quaternion_from_rotation,
    quaternion_log,
    rotation_from_quaternion,
)

NEAR_HALF_TURN = 1e-8
"""How near to a half turn the closed forms of SO(2) and SO(3) go, as an angle."""


def flip(n: int, like: Tensor) -> Tensor:
    """diag(−1, 1, …, 1): the reflection of the first axis."""
    signs = torch.ones(n, dtype=like.dtype, device=like.device)
    signs[0] = -1.0
    return torch.diag(signs)


@dataclass(frozen=True)
class _OrthogonalMatrices(MatrixLieGroup):
    n: int

    def _check_parameters(self) -> None:
        if not is_count(self.n):
            raise InputError(f"a group of rotations needs a dimension n ≥ 1, got {self.n}")

    @property
    def degree(self) -> int:
        return self.n

    @property
    def is_compact(self) -> bool:
        return True

    @property
    def log_domain(self) -> str:
        return "the determinant is 1 and no plane turns by 180°"

    @property
    def basis_names(self) -> tuple[str, ...]:
        return rotation_names(self.n)

    def _make_basis(self) -> Tensor:
        return stacked(rotation_generators(self.n), self.n)

    def _inverse(self, a: Tensor) -> Tensor:
        return a.mT

    def _defect(self, a: Tensor) -> Tensor:
        one = torch.eye(self.n, dtype=a.dtype, device=a.device)
        return matrix_norm(a @ a.mT - one)

    def _exp(self, x: Tensor) -> Tensor:
        if self.n == 2:
            cosine, sine = x.cos(), x.sin()
            return torch.stack((torch.cat((cosine, -sine), -1), torch.cat((sine, cosine), -1)), -2)
        if self.n == 3:
            return rotation_from_quaternion(quaternion_exp(x))
        return super()._exp(x)

    def _branch(self, a: Tensor) -> tuple[Tensor, Tensor]:
        if self.n not in (2, 3):
            return super()._branch(a)
        if self.n == 2:
            x = torch.atan2(a[..., 1, 0] - a[..., 0, 1], a[..., 0, 0] + a[..., 1, 1])[..., None]
        else:
            x = quaternion_log(quaternion_from_rotation(a))
        angle = vector_norm(x.detach())
        return x, (torch.linalg.det(a.detach()) > 0) & (angle < torch.pi - NEAR_HALF_TURN)

    def distance(self, a: Tensor, b: Tensor) -> Tensor:
        """The length of the shortest geodesic, √(Σ θ²) over the planes' angles θ of a⁻¹b.

        It is defined for half turns too, where the geodesic is not unique and the logarithm raises.

        Raises:
            InputError: a and b lie in different components.
        """
        step = self._compose(self._inverse(a), b)
        proper = torch.linalg.det(step.detach()) > 0
        x, inside = self._branch(self._defined(step, proper))
        length = vector_norm(x)
        if bool(inside.all()):
            return length
        # Each angle comes twice among the eigenvalues e^±iθ.
        angles = torch.linalg.eigvals(step.detach()).angle()
        return torch.where(inside, length, (angles.square().sum(-1) / 2).sqrt())


@dataclass(frozen=True)
class SpecialOrthogonalGroup(_OrthogonalMatrices):
    """SO(n): the rotations of ℝⁿ.

    Its Lie algebra so(n) has the basis E_ba − E_ab, the turn of axis a towards axis b, for a < b in
    order; for n = 3 that is L_x, L_y, L_z with [L_x, L_y] = L_z, so that coordinates are rotation
    vectors, and for n = 2 the angle. The norm of coordinates is invariant under Ad.

    The logarithm is defined unless a plane turns by 180°; within 1e-8 of that for n ≤ 3 (closed
    forms), 1e-6 for larger n.

    Attributes:
        n: dimension of the space, at least 1.
    """

    @property
    def name(self) -> str:
        return f"SO({self.n})"

    def _defect(self, a: Tensor) -> Tensor:
        defect = super()._defect(a)
        return torch.where(torch.linalg.det(a) > 0, defect, torch.inf)

    def sample(self, generator: torch.Generator, shape: tuple[int, ...] = ()) -> Tensor:
        return unit_determinant(haar_orthogonal(generator, shape, self.n))

    def element_name(self, a: Any) -> str:
        """``rot(30°)`` for n = 2; else ``exp(…)`` or the rows of the matrix."""
        return _rotation_name(self, a) if self.n == 2 else super().element_name(a)


@dataclass(frozen=True)
class OrthogonalGroup(_OrthogonalMatrices):
    """O(n): rotations and reflections of ℝⁿ, two components.

    The Lie algebra, its basis and the logarithm are those of SO(n). The other component is that of
    s = diag(−1, 1, …, 1), which reverses the first axis as s in the dihedral groups does.

    Attributes:
        n: dimension of the space, at least 1.
    """

    @property
    def name(self) -> str:
        return f"O({self.n})"

    def component_generators(self) -> tuple[Any, ...]:
        return (self.value(flip(self.n, torch.empty(0, dtype=torch.float64))),)

    def sample(self, generator: torch.Generator, shape: tuple[int, ...] = ()) -> Tensor:
        return haar_orthogonal(generator, shape, self.n)

    def element_name(self, a: Any) -> str:
        """The name of a rotation as in SO(n); ``s·…`` for a reflection followed by s."""
        element = self.tensor((a,))[0]
        rotations = SpecialOrthogonalGroup(self.n)
        if bool(torch.linalg.det(element) > 0):
            return rotations.element_name(a)
        rest = rotations.element_name(self.value(flip(self.n, element) @ element))
        return "s" if rest == "e" else f"s·{rest}"


def _rotation_name(group: SpecialOrthogonalGroup, a: Any) -> str:
    element = group.tensor((a,))[0]
    angle = torch.atan2(element[1, 0], element[0, 0]).rad2deg()
    text = numbers_text(angle[None])
    return "e" if text == "0" else f"rot({text}°)"
