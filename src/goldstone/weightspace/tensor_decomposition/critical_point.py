"""One critical point: its loss, its index, its symmetry, and the Hessian by isotypic components."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.weightspace.tensor_decomposition.isotropy import (
    IsotropySubgroup,
    isotropy_subgroup,
)
from goldstone.weightspace.tensor_decomposition.objective import SymmetricTensorDecomposition
from goldstone.weightspace.tensor_decomposition.spectrum import (
    IsotypicEigenvalues,
    isotypic_spectrum,
)

NEARLY_STATIONARY = 1e-5


@dataclass(frozen=True)
class CriticalPoint:
    """A critical point of the loss of a symmetric tensor decomposition.

    Attributes:
        weights: W, row by row.
        loss: L(W).
        gradient_norm: ‖∇L‖, to judge how critical it is.
        index: the number of negative eigenvalues of the Hessian.
        nullity: of eigenvalues that vanish (up to 10⁻⁶ times the largest, or times n): a positive
            one says that the point lies on a set of critical points, or is degenerate otherwise.
        isotropy: the subgroup of S_k × S_d that leaves W as it is.
        spectrum: the Hessian's eigenvalues, by irreps of that subgroup.
    """

    weights: tuple[tuple[float, ...], ...] = field(repr=False)
    loss: float
    gradient_norm: float
    index: int
    nullity: int
    isotropy: IsotropySubgroup
    spectrum: tuple[IsotypicEigenvalues, ...]

    @property
    def matrix(self) -> Tensor:
        """W, (k, d) in float64."""
        return torch.tensor(self.weights, dtype=torch.float64)

    @property
    def eigenvalues(self) -> tuple[tuple[float, int], ...]:
        """The different eigenvalues, ascending, with the multiplicities that symmetry forces.

        Where two irreps happen to share an eigenvalue it comes twice.
        """
        pairs = [(value, part.dimension) for part in self.spectrum for value in part.eigenvalues]
        return tuple(sorted(pairs))


def critical_point(
    problem: SymmetricTensorDecomposition, weights: Tensor, tolerance: float = 1e-5
) -> CriticalPoint:
    """What a critical point is.

    Args:
        problem: the loss.
        weights: W, (k, d).
        tolerance: of entries that count as equal in the isotropy subgroup.

    Raises:
        InputError: the gradient does not vanish at W, or W has another shape.
    """
    matrix = weights.detach().double()
    gradient_norm = float(problem.gradient(matrix).norm())
    if not gradient_norm <= NEARLY_STATIONARY:
        raise InputError(
            f"expected a critical point, got a gradient of norm {gradient_norm:.1e}; find_critical_"
            "points searches for them"
        )
    hessian = problem.hessian(matrix)
    isotropy = isotropy_subgroup(matrix, tolerance)
    index, nullity = index_and_nullity(problem, hessian)
    return CriticalPoint(
        weights=tuple(tuple(row) for row in matrix.tolist()),
        loss=float(problem.loss(matrix)),
        gradient_norm=gradient_norm,
        index=index,
        nullity=nullity,
        isotropy=isotropy,
        spectrum=isotypic_spectrum(hessian, isotropy),
    )


def index_and_nullity(problem: SymmetricTensorDecomposition, hessian: Tensor) -> tuple[int, int]:
    """How many eigenvalues are negative, and how many vanish: see :class:`CriticalPoint`."""
    values = torch.linalg.eigvalsh(hessian)
    flat = 1e-6 * max(float(values.abs().max()), float(problem.order))
    return int((values < -flat).sum()), int((values.abs() <= flat).sum())
