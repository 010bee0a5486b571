"""The two-to-one coverings of rotation groups and of the Lorentz group."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from goldstone.groups.homomorphism import Homomorphism
from goldstone.groups.matrix.lorentz import LorentzGroup
from goldstone.groups.matrix.orthogonal import SpecialOrthogonalGroup
from goldstone.groups.matrix.special_linear import SpecialLinearGroup
from goldstone.groups.matrix.unit_quaternion import rotation_from_quaternion
from goldstone.groups.matrix.unitary import SpecialUnitaryGroup, matrix_quaternion
from goldstone.groups.spin import SpinGroup


def unitary_covering() -> Homomorphism[Any, Any]:
    """SU(2) → SO(3), R_ab = ½ tr(σ_a g σ_b g†); g and −g go to the same rotation.

    In coordinates its derivative is the identity: exp(x) goes to the rotation by x.
    """
    return Homomorphism(SpecialUnitaryGroup(2), SpecialOrthogonalGroup(3), rotation_of_unitary)


def spin_covering(n: int) -> Homomorphism[Any, Any]:
    """Spin(n) → SO(n), v ↦ g v g̃ in the Clifford algebra; g and −g go to the same rotation.

    In coordinates its derivative is the identity.

    Raises:
        InputError: n is not 2 to 10.
    """
    spin = SpinGroup(n)
    return Homomorphism(spin, SpecialOrthogonalGroup(n), _SpinRotations(spin))


def lorentz_covering() -> Homomorphism[Any, Any]:
    """SL(2, ℂ) → SO⁺(1, 3), Λ_μν = ½ tr(σ_μ g σ_ν g†) with σ_0 = 1; ±g go to the same element.

    That is X ↦ g X g† on the Hermitian matrices X = t + x·σ, whose determinant is t² − x².
    exp(−iσ_k/2) goes to exp(J_k), exp(σ_k/2) to exp(K_k).
    """
    return Homomorphism(SpecialLinearGroup(2, "complex"), LorentzGroup(), lorentz_of_linear)


def rotation_of_unitary(g: Tensor) -> Tensor:
    """SU(2) to SO(3): (*batch, 2, 2) complex to (*batch, 3, 3)."""
    return rotation_from_quaternion(matrix_quaternion(g))


def lorentz_of_linear(g: Tensor) -> Tensor:
    """SL(2, ℂ) to SO⁺(1, 3): (*batch, 2, 2) complex to (*batch, 4, 4)."""
    sigma = torch.tensor(
        [[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]],
        dtype=g.dtype,
        device=g.device,
    )
    return torch.einsum("aij,...jk,bkl,...il->...ab", sigma, g, sigma, g.conj()).real / 2


@dataclass(frozen=True)
class _SpinRotations:
    group: SpinGroup

    def __call__(self, g: Tensor) -> Tensor:
        return self.group.rotations(g)
