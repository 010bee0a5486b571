"""The representations that come with a group: trivial, standard, determinant, regular."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import FiniteGroup, LieGroup, LinearGroup, MatrixLieGroup
from goldstone.representations.representation import Representation


@dataclass(frozen=True)
class TrivialRepresentation(Representation):
    """ρ(g) = 1: a scalar."""

    @property
    def dimension(self) -> int:
        return 1

    def _matrices(self, g: Tensor) -> Tensor:
        batch = g.shape[: g.dim() - len(self.group.element_shape)]
        return torch.ones((*batch, 1, 1), dtype=torch.float64, device=g.device)

    def _derivatives(self, x: Tensor) -> Tensor:
        return x.new_zeros((*x.shape[:-1], 1, 1))

    @property
    def allows_pointwise(self) -> bool:
        return True


@dataclass(frozen=True)
class StandardRepresentation(Representation):
    """ρ(g) = the matrix of g itself: a vector.

    Raises:
        InputError: the group does not come as a group of matrices.
    """

    def __post_init__(self) -> None:
        _linear(self.group)

    @property
    def dimension(self) -> int:
        return _linear(self.group).degree

    @property
    def dtype(self) -> torch.dtype:
        return _linear_dtype(self.group)

    def _matrices(self, g: Tensor) -> Tensor:
        return _linear(self.group).matrices(g)

    def _derivatives(self, x: Tensor) -> Tensor:
        if isinstance(self.group, MatrixLieGroup):
            return self.group.hat(x)
        return derivative_along(self, x)


@dataclass(frozen=True)
class DeterminantRepresentation(Representation):
    """ρ(g) = det of the matrix of g: a pseudoscalar such as vorticity.

    Raises:
        InputError: the group does not come as a group of matrices.
    """

    def __post_init__(self) -> None:
        _linear(self.group)

    @property
    def dimension(self) -> int:
        return 1

    @property
    def dtype(self) -> torch.dtype:
        return _linear_dtype(self.group)

    def _matrices(self, g: Tensor) -> Tensor:
        determinant: Tensor = torch.linalg.det(_linear(self.group).matrices(g))
        # Those of a finite group of real matrices are ±1.
        exact = not isinstance(self.group, LieGroup) and not determinant.is_complex()
        return (determinant.round() if exact else determinant)[..., None, None]

    def _derivatives(self, x: Tensor) -> Tensor:
        return derivative_along(self, x)


@dataclass(frozen=True)
class RegularRepresentation(Representation):
    """The group permutes its elements, in the order of ``group.elements()``: ρ(g) e_h = e_gh.

    Raises:
        InputError: the group is not finite.
    """

    def __post_init__(self) -> None:
        _finite(self.group)

    @property
    def dimension(self) -> int:
        return _finite(self.group).order

    def _matrices(self, g: Tensor) -> Tensor:
        group = _finite(self.group)
        elements = group.element_tensor().to(g.device)
        rank = len(group.element_shape)
        # Row of the one in each column: the number of g·h.
        moved = group.index(group.compose(g.unsqueeze(g.dim() - rank), elements))
        row = torch.arange(group.order, device=g.device)
        return (moved[..., None, :] == row[:, None]).double()

    def _characters(self, g: Tensor) -> Tensor:
        group = _finite(self.group)
        fixes = group.index(g) == group.index(group.identity_tensor(g))
        return fixes.double() * group.order

    @property
    def allows_pointwise(self) -> bool:
        return True


def derivative_along(representation: Representation, x: Tensor) -> Tensor:
    """dρ(x) by forward-mode differentiation of ρ(exp(t x)) at t = 0.

    For representations whose matrices are smooth functions of the element's entries; one pass per
    basis vector, for dρ is linear.
    """
    group = representation.group
    if not isinstance(group, LieGroup):
        raise InputError(f"{group.name} is not a Lie group: it has no Lie algebra")
    zero = torch.zeros(group.dimension, dtype=torch.float64, device=x.device)
    basis = torch.eye(group.dimension, dtype=torch.float64, device=x.device)

    def along(t: Tensor) -> Tensor:
        return representation.matrix_unchecked(group.exp(t))

    columns = [torch.func.jvp(along, (zero,), (direction,))[1] for direction in basis]
    return torch.einsum("...k,kij->...ij", x.to(columns[0].dtype), torch.stack(columns))


def _linear(group: Any) -> LinearGroup:
    if not isinstance(group, LinearGroup):
        raise InputError(f"{group.name} does not come as a group of matrices")
    return group


def _linear_dtype(group: Any) -> torch.dtype:
    # Not that of the elements, which may be integers where the matrices are complex.
    return _linear(group).matrices(group.tensor((group.identity,))).dtype


def _finite(group: Any) -> FiniteGroup[Any]:
    if not isinstance(group, FiniteGroup):
        raise InputError(f"expected a finite group, got {group.name}")
    return group
