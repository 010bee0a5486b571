"""The Lorentz groups."""

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.integers import is_count
from goldstone.groups.matrix.algebra import axis_names, rotation_generators, rotation_names, unit
from goldstone.groups.matrix.lorentz_logarithm import lorentz_logarithm
from goldstone.groups.matrix.matrix_lie import CUT, MatrixLieGroup
from goldstone.groups.matrix.norms import matrix_norm


@dataclass(frozen=True)
class LorentzGroup(MatrixLieGroup):
    """The linear maps of (t, x_1, …, x_n) that keep −t² + x_1² + … + x_n².

    The metric is η = diag(−1, 1, …, 1): Λᵀ η Λ = η; with the opposite signature the group is the
    same. Its Lie algebra has the basis of the rotations, J, as in so(n), followed by the boosts
    K_i = E_0i + E_i0: for n = 3 [J_x, J_y] = J_z, [J_x, K_y] = K_z, [K_x, K_y] = −J_z. A coordinate
    along K_i is a rapidity.

    The logarithm is defined for restricted elements whose rotation is by less than 180° (to 1e-6);
    for n = 3 it is a closed form.
    Samples are exponentials of standard normal coordinates, times a random component.

    Attributes:
        space: number n ≥ 1 of dimensions of space.
        part: ``restricted``, SO⁺(1, n), connected; ``proper``, SO(1, n), determinant 1, two
            components; ``full``, O(1, n), four. (``proper`` adds the reversal of t and x_1,
            ``full`` the reversals of t and of x_1.)
    """

    space: int = 3
    part: Literal["restricted", "proper", "full"] = "restricted"

    def _check_parameters(self) -> None:
        if not is_count(self.space):
            raise InputError(
                f"a Lorentz group needs at least one dimension of space, got {self.space}"
            )
        if self.part not in ("restricted", "proper", "full"):
            raise InputError(
                "expected part 'restricted', 'proper' or 'full' of a Lorentz group, got "
                f"{self.part!r}"
            )

    @property
    def name(self) -> str:
        return {"restricted": "SO⁺", "proper": "SO", "full": "O"}[self.part] + f"(1,{self.space})"

    @property
    def degree(self) -> int:
        return self.space + 1

    @property
    def is_compact(self) -> bool:
        return False

    @property
    def log_domain(self) -> str:
        return "the element is restricted and turns by less than 180°"

    @property
    def metric(self) -> Tensor:
        """η = diag(−1, 1, …, 1)."""
        return torch.diag(self._signs(torch.empty(0, dtype=torch.float64)))

    @property
    def basis_names(self) -> tuple[str, ...]:
        return (*rotation_names(self.space), *axis_names("K", self.space))

    def _make_basis(self) -> Tensor:
        size = self.space + 1
        boosts = [unit(size, 0, i) + unit(size, i, 0) for i in range(1, size)]
        return torch.stack([*rotation_generators(self.space, size, 1), *boosts])

    def _inverse(self, a: Tensor) -> Tensor:
        signs = self._signs(a)
        return signs[:, None] * a.mT * signs

    def _defect(self, a: Tensor) -> Tensor:
        signs = self._signs(a)
        residual = a.mT @ (signs[:, None] * a) - torch.diag(signs)
        size = matrix_norm(a).square().clamp_min(1.0)
        defect = matrix_norm(residual) / size
        if self.part != "full":
            defect = torch.where(torch.linalg.det(a) > 0, defect, torch.inf)
        if self.part == "restricted":
            defect = torch.where(a[..., 0, 0] > 0, defect, torch.inf)
        return defect

    def _branch(self, a: Tensor) -> tuple[Tensor, Tensor]:
        if self.space != 3:
            return super()._branch(a)
        x, angle = lorentz_logarithm(a)
        restricted = (a[..., 0, 0].detach() > 0) & (torch.linalg.det(a.detach()) > 0)
        return x, restricted & (angle < torch.pi - CUT)

    def component_generators(self) -> tuple[Any, ...]:
        return self.values(self._reversals())

    def sample(self, generator: torch.Generator, shape: tuple[int, ...] = ()) -> Tensor:
        """exp(x) of standard normal coordinates, times each component's element or not."""
        result = super().sample(generator, shape)
        for reversal in self._reversals().to(result.device):
            chosen = torch.randint(2, shape, generator=generator, device=generator.device) == 1
            result = torch.where(chosen[..., None, None], result @ reversal, result)
        return result

    def _reversals(self) -> Tensor:
        size = self.space + 1
        reversed_axes: dict[str, list[list[int]]] = {
            "restricted": [],
            "proper": [[0, 1]],
            "full": [[0], [1]],
        }
        signs = torch.ones((len(reversed_axes[self.part]), size), dtype=torch.float64)
        for row, axes in zip(signs, reversed_axes[self.part], strict=True):
            row[axes] = -1.0
        return torch.diag_embed(signs)

    def _signs(self, like: Tensor) -> Tensor:
        signs = torch.ones(self.space + 1, dtype=like.dtype, device=like.device)
        signs[0] = -1.0
        return signs
