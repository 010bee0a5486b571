"""A potential of two kinds of atoms with bonds and angles, cheap and exact."""

from dataclasses import dataclass

import torch
from torch import Tensor

from goldstone.core import InputError


@dataclass(frozen=True)
class ClusterPotential:
    """E = Σ_{i<j} D_ab (e^{−2s} − 2e^{−s}) + ½λ Σ_i Σ_{j≠k} (cos θ_jik − c_a)² h(r_ij) h(r_ik).

    Morse bonds with s = α (r_ij − r_ab), a and b the kinds of i and j, and Stillinger and Weber's
    three-body term with the angle θ_jik at atom i and h(r) = exp(−(r/w)²). It is invariant under
    motions, reflections and exchanges of atoms of one kind; the angles make it depend on more than
    distances to the neighbours of one atom.

    Attributes:
        depth: D_00, D_01, D_11.
        distance: r_00, r_01, r_11.
        steepness: α.
        angle: λ.
        cosine: c_0 and c_1, the cosines that atoms of either kind like.
        reach: w.
    """

    depth: tuple[float, float, float] = (1.0, 1.5, 0.7)
    distance: tuple[float, float, float] = (1.1, 1.0, 1.3)
    steepness: float = 2.0
    angle: float = 1.0
    cosine: tuple[float, float] = (-0.5, 0.0)
    reach: float = 1.5

    def energy(self, kinds: Tensor, positions: Tensor) -> Tensor:
        """(batch,) from kinds (batch, atom), 0 or 1, and positions (batch, atom, 3).

        Raises:
            InputError: shapes that do not fit, or another kind.
        """
        if (
            positions.ndim != 3
            or positions.shape[-1] != 3
            or kinds.shape != positions.shape[:2]
            or not bool(((kinds == 0) | (kinds == 1)).all())
        ):
            raise InputError(
                "expected kinds (batch, atom) of 0 and 1 and positions (batch, atom, 3), got "
                f"{tuple(kinds.shape)} and {tuple(positions.shape)}"
            )
        count = positions.shape[1]
        other = ~torch.eye(count, dtype=torch.bool, device=positions.device)
        between = positions[:, None] - positions[:, :, None]
        # An atom's distance to itself has no derivative.
        between = torch.where(other[..., None], between, torch.ones_like(between))
        r = torch.linalg.vector_norm(between, dim=-1)
        pair = kinds[:, None] + kinds[:, :, None]
        s = self.steepness * (r - positions.new_tensor(self.distance)[pair])
        bonds = positions.new_tensor(self.depth)[pair] * ((-2 * s).exp() - 2 * (-s).exp())
        near = (-(r / self.reach).square()).exp() * other
        direction = between / r[..., None]
        cosines = torch.einsum("bija,bika->bijk", direction, direction)
        wanted = positions.new_tensor(self.cosine)[kinds][..., None, None]
        angles = (cosines - wanted).square() * near[..., None] * near[..., None, :] * other
        energy: Tensor = (bonds * other).sum((1, 2)) / 2 + self.angle / 2 * angles.sum((1, 2, 3))
        return energy

    def energy_and_forces(self, kinds: Tensor, positions: Tensor) -> tuple[Tensor, Tensor]:
        """E (batch,) and −∂E/∂r (batch, atom, 3)."""
        with torch.enable_grad():
            at = positions.detach().requires_grad_()
            energy = self.energy(kinds, at)
            (slope,) = torch.autograd.grad(energy.sum(), at)
        return energy.detach(), -slope
