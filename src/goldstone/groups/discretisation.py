"""Finite subgroups of Lie groups, as embeddings."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.binary_polyhedral import binary_polyhedral_group
from goldstone.groups.finite import FiniteGroup
from goldstone.groups.group import LinearGroup
from goldstone.groups.homomorphism import Homomorphism
from goldstone.groups.lie import LieGroup
from goldstone.groups.matrix.euclidean import EuclideanGroup, SpecialEuclideanGroup
from goldstone.groups.matrix.matrix_lie import MatrixLieGroup
from goldstone.groups.matrix.orthogonal import OrthogonalGroup, SpecialOrthogonalGroup
from goldstone.groups.matrix.unitary import SpecialUnitaryGroup, quaternion_matrix
from goldstone.groups.planar import CyclicGroup, DihedralGroup
from goldstone.groups.polyhedral import PolyhedralGroup
from goldstone.groups.quaternion import DicyclicGroup
from goldstone.groups.torus import TorusGroup
from goldstone.groups.translations import GridTranslations


def discretise(group: LieGroup[Any], steps: int | tuple[int, int] | str) -> Homomorphism[Any, Any]:
    """A finite subgroup of a Lie group, finer for more ``steps``, as its embedding.

    | group | subgroup |
    |---|---|
    | SO(2), SE(2) | C_n, turns by 2π/n (about the origin) |
    | O(2), E(2) | D_n |
    | torus with one period L | C_n, shifts by L/n |
    | torus with two periods | grid translations of steps[0] × steps[1] cells |
    | SO(3) | D_n: turns by 2π/n about z, half turns about axes across |
    | O(3) | D_n: turns about z and reflections in planes through it (C_nv) |
    | SU(2) | Q_4n, which covers D_n in SO(3) |
    | SO(3), O(3) | by its symbol, a polyhedral group: T, O, I; Td, Th, Oh, Ih in O(3) |
    | SU(2) | by its symbol T, O or I, a binary polyhedral group |

    O(n) has the signed permutations besides, and others have more: see :func:`embedding`.

    Args:
        group: the Lie group.
        steps: n; two numbers for a torus with two periods; or a symbol.

    Returns:
        The embedding: ``.source`` is the finite group, ``.target`` the Lie group.

    Raises:
        InputError: the group has no such family of subgroups, or the steps do not fit it.
    """
    if isinstance(steps, str):
        if isinstance(group, SpecialOrthogonalGroup | OrthogonalGroup) and group.n == 3:
            return embedding(PolyhedralGroup(steps), group)
        if group == SpecialUnitaryGroup(2):
            return embedding(binary_polyhedral_group(steps), group)
        raise InputError(f"polyhedral groups are for SO(3), O(3) and SU(2), not {group.name}")
    if isinstance(steps, tuple):
        if isinstance(group, TorusGroup) and group.dimension == len(steps) == 2:
            return embedding(GridTranslations(steps), group)
        raise InputError(f"two numbers of steps are for a torus with two periods, not {group.name}")
    if isinstance(group, TorusGroup) and group.dimension == 1:
        return embedding(CyclicGroup(steps), group)
    if isinstance(group, SpecialOrthogonalGroup | SpecialEuclideanGroup) and group.n == 2:
        return embedding(CyclicGroup(steps), group)
    if isinstance(group, OrthogonalGroup | EuclideanGroup) and group.n == 2:
        return embedding(DihedralGroup(steps), group)
    if isinstance(group, SpecialOrthogonalGroup | OrthogonalGroup) and group.n == 3:
        return embedding(DihedralGroup(steps), group)
    if group == SpecialUnitaryGroup(2):
        return embedding(DicyclicGroup(steps), group)
    raise InputError(
        f"{group.name} has no family of finite subgroups numbered by {steps!r} steps here; give a "
        "finite subgroup to goldstone.groups.embedding"
    )


def embedding(subgroup: FiniteGroup[Any], group: LieGroup[Any]) -> Homomorphism[Any, Any]:
    """The natural embedding of a finite group in a Lie group, verified on all elements.

    A finite group of matrices goes to the same matrices of SO(n), O(n) and other groups of real
    matrices; where these are larger, the added axes are left alone, but that in SO(n) the first of
    them makes the determinant 1. In SE(n) and E(n) it acts about the origin. Cyclic groups and grid
    translations also embed in a torus; groups of unit quaternions, given by left multiplication on
    ℍ = ℝ⁴ as dicyclic and binary polyhedral groups are, in SU(2).

    Raises:
        InputError: the finite group does not come with such matrices, or these lie outside.
    """
    if isinstance(group, TorusGroup):
        if isinstance(subgroup, CyclicGroup | GridTranslations):
            sizes = (subgroup.n,) if isinstance(subgroup, CyclicGroup) else subgroup.shape
            if len(sizes) == group.dimension:
                return Homomorphism(subgroup, group, _Shifts(sizes, group.periods))
        raise InputError(f"expected cyclic shifts, one for each period; got {subgroup.name}")
    if group == SpecialUnitaryGroup(2):
        if not isinstance(subgroup, LinearGroup) or subgroup.degree != 4:
            raise InputError(f"expected a group of unit quaternions, got {subgroup.name}")
        return Homomorphism(subgroup, group, _Quaternions(subgroup))
    if not isinstance(group, MatrixLieGroup) or group.is_complex:
        raise InputError(f"no natural embedding of {subgroup.name} in {group.name} is known")
    if not isinstance(subgroup, LinearGroup) or subgroup.degree > group.degree:
        raise InputError(
            f"expected a finite group of matrices of size at most {group.degree}, got "
            f"{subgroup.name}"
        )
    return Homomorphism(subgroup, group, _Matrices(subgroup, group))


@dataclass(frozen=True)
class _Shifts:
    sizes: tuple[int, ...]
    periods: tuple[float, ...]

    def __call__(self, a: Tensor) -> Tensor:
        cells = a[..., None] if len(self.sizes) == 1 else a
        sizes = torch.tensor(self.sizes, dtype=torch.float64, device=a.device)
        return cells * torch.tensor(self.periods, dtype=torch.float64, device=a.device) / sizes


@dataclass(frozen=True)
class _Quaternions:
    subgroup: LinearGroup

    def __call__(self, a: Tensor) -> Tensor:
        # The quaternion is what left multiplication makes of 1; i, j, k become −iσ_x, −iσ_y, −iσ_z.
        return quaternion_matrix(self.subgroup.matrices(a)[..., 0])


@dataclass(frozen=True)
class _Matrices:
    subgroup: LinearGroup
    group: MatrixLieGroup

    def __call__(self, a: Tensor) -> Tensor:
        small, size = self.subgroup.matrices(a), self.subgroup.degree
        one = torch.eye(self.group.degree, dtype=small.dtype, device=small.device)
        result = one.repeat(*small.shape[:-2], 1, 1)
        result[..., :size, :size] = small
        if isinstance(self.group, SpecialOrthogonalGroup) and size < self.group.degree:
            result[..., size, size] = torch.linalg.det(small).round()
        return result
