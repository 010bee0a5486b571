"""The Galilei groups."""

from dataclasses import dataclass

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.integers import is_count
from goldstone.groups.matrix.algebra import axis_names, rotation_generators, rotation_names, unit
from goldstone.groups.matrix.logarithm import phi_functions
from goldstone.groups.matrix.matrix_lie import MatrixLieGroup
from goldstone.groups.matrix.norms import matrix_norm
from goldstone.groups.matrix.orthogonal import SpecialOrthogonalGroup


@dataclass(frozen=True)
class GalileiGroup(MatrixLieGroup):
    """SGal(n): (x, t) ↦ (R x + v t + s, t + τ), as matrices on (x, t, 1); connected.

    Its Lie algebra has the basis of so(n), then the boosts G_i (a velocity along axis i), the
    shifts P_i in space and the shift H in time: [H, G_i] = −P_i; boosts commute. The logarithm is
    defined where that of the rotation in SO(n) is. Samples have Haar rotations, all else standard
    normal.

    Attributes:
        space: dimension n ≥ 1 of space.
    """

    space: int = 3

    def _check_parameters(self) -> None:
        if not is_count(self.space):
            raise InputError(f"a Galilei group needs a dimension of space ≥ 1, got {self.space}")

    @property
    def name(self) -> str:
        return f"Gal({self.space})"

    @property
    def degree(self) -> int:
        return self.space + 2

    @property
    def is_compact(self) -> bool:
        return False

    @property
    def log_domain(self) -> str:
        return self._rotations.log_domain

    @property
    def _rotations(self) -> SpecialOrthogonalGroup:
        return SpecialOrthogonalGroup(self.space)

    @property
    def basis_names(self) -> tuple[str, ...]:
        n = self.space
        return (*rotation_names(n), *axis_names("G", n), *axis_names("P", n), "H")

    def _make_basis(self) -> Tensor:
        n, size = self.space, self.space + 2
        columns = [unit(size, axis, column) for column in (n, n + 1) for axis in range(n)]
        return torch.stack([*rotation_generators(n, size), *columns, unit(size, n, n + 1)])

    def _inverse(self, a: Tensor) -> Tensor:
        n = self.space
        back, velocity, shift = a[..., :n, :n].mT, a[..., :n, n], a[..., :n, n + 1]
        time = a[..., n, n + 1]
        columns = torch.stack((velocity, shift - velocity * time[..., None]), -1)
        return self._element(back, -(back @ columns), -time)

    def _branch(self, a: Tensor) -> tuple[Tensor, Tensor]:
        # exp of (X, v, s, τ) is (exp X, φ_1 v, φ_1 s + τ φ_2 v, τ), φ_k of X.
        n = self.space
        turn, inside = self._rotations._branch(a[..., :n, :n])
        _, first, second = phi_functions(self._rotations.hat(turn), 2)
        one = torch.eye(n, dtype=a.dtype, device=a.device)
        first = torch.where(inside[..., None, None], first, one)
        time = a[..., n, n + 1, None]
        velocity = torch.linalg.solve(first, a[..., :n, n])
        rest = a[..., :n, n + 1] - time * (second @ velocity[..., None])[..., 0]
        return torch.cat((turn, velocity, torch.linalg.solve(first, rest), time), -1), inside

    def _defect(self, a: Tensor) -> Tensor:
        n = self.space
        linear = self._rotations._defect(a[..., :n, :n])
        rebuilt = self._element(a[..., :n, :n], a[..., :n, n:], a[..., n, n + 1])
        return torch.maximum(linear, matrix_norm(a - rebuilt))

    def sample(self, generator: torch.Generator, shape: tuple[int, ...] = ()) -> Tensor:
        """Haar rotations, then standard normal velocities, shifts and times."""
        rotations = self._rotations.sample(generator, shape)
        columns = self._normal(generator, (*shape, self.space, 2))
        return self._element(rotations, columns, self._normal(generator, shape))

    def _element(self, rotation: Tensor, columns: Tensor, time: Tensor) -> Tensor:
        """From R, the columns v and s, and τ."""
        n = self.space
        batch = rotation.shape[:-2]
        bottom = torch.eye(2, dtype=rotation.dtype, device=rotation.device).repeat(*batch, 1, 1)
        bottom[..., 0, 1] = time
        lower = torch.cat((rotation.new_zeros((*batch, 2, n)), bottom), -1)
        return torch.cat((torch.cat((rotation, columns), -1), lower), -2)
