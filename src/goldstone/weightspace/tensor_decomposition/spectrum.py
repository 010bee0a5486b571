"""The Hessian's spectrum by isotypic components of the isotropy subgroup."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import Group
from goldstone.representations import IsotypicPair, Representation, intertwiner_basis
from goldstone.weightspace.tensor_decomposition.isotropy import IsotropySubgroup


@dataclass(frozen=True)
class EntryPermutations(Representation):
    """The representation on matrices (k, d): (g, h) moves the entry (i, j) to (g(i), h(j)).

    Args:
        group: of permutations of k + d points, the rows and then the columns.
        components: k.
    """

    group: Group[Any]
    components: int

    @property
    def dimension(self) -> int:
        return self.components * (self.group.element_shape[0] - self.components)

    def images_of(self, g: Tensor) -> Tensor:
        """The images of the entries, numbered row by row: int64 (*batch, k·d)."""
        k = self.components
        rows, columns = g[..., :k], g[..., k:] - k
        images: Tensor = rows[..., :, None] * columns.shape[-1] + columns[..., None, :]
        return images.flatten(-2)

    def _matrices(self, g: Tensor) -> Tensor:
        one = torch.eye(self.dimension, dtype=torch.float64, device=g.device)
        return one[self.images_of(g)].mT

    def _characters(self, g: Tensor) -> Tensor:
        still = self.images_of(g) == torch.arange(self.dimension, device=g.device)
        return still.sum(-1).double()

    @property
    def allows_pointwise(self) -> bool:
        return True


@dataclass(frozen=True)
class IsotypicEigenvalues:
    """The Hessian on all copies of one irrep of the isotropy subgroup.

    Attributes:
        dimension: of the irrep: the multiplicity that symmetry forces on each eigenvalue.
        eigenvalues: one for each copy, ascending.
        trivial: whether it is the trivial irrep; then these are the eigenvalues within the
            fixed-point space, of perturbations that keep the symmetry.
    """

    dimension: int
    eigenvalues: tuple[float, ...]
    trivial: bool


def isotypic_spectrum(
    hessian: Tensor, subgroup: IsotropySubgroup
) -> tuple[IsotypicEigenvalues, ...]:
    """Eigenvalues of an operator that commutes with a subgroup of S_k × S_d, by irreps.

    ℝ^{k×d} = ⊕ of m copies of irreps of dimension q, in aligned bases S (k·d, q, m); by Schur's
    lemma the operator is C ⊗ 1 on them, C = Σ_i S_iᵀ H S_i/q of shape (m, m), and each of its m
    eigenvalues is an eigenvalue of H of multiplicity q.

    Args:
        hessian: (k·d, k·d), symmetric, entries of W numbered row by row.
        subgroup: of permutations of rows and columns.

    Returns:
        The trivial irrep first, then by dimension. Irreps over ℝ that are not of real type come as
        the two complex ones that they are made of.

    Raises:
        InputError: the matrix has another shape or does not commute with the group.
    """
    matrix = hessian.detach().double().cpu()
    group = subgroup.group
    space = EntryPermutations(group, subgroup.components)
    n = space.dimension
    if matrix.shape != (n, n):
        raise InputError(f"expected a matrix ({n}, {n}), got {tuple(matrix.shape)}")
    if not group.generators():
        values = torch.linalg.eigvalsh(matrix).tolist()
        return (IsotypicEigenvalues(1, tuple(values), trivial=True),)
    generators = group.tensor(group.generators())
    moved = space.images_of(generators)
    error = max(float((matrix[m][:, m] - matrix).abs().max()) for m in moved)
    if error > 1e-6 * max(float(matrix.abs().max()), 1e-300):
        raise InputError(
            f"the matrix does not commute with {subgroup.name}: moving its entries changes them by "
            f"{error:.1e}; is this the isotropy subgroup of the point?"
        )
    pairs = intertwiner_basis(space, space, method="isotypic").factorised()
    found = [_eigenvalues(matrix, pair, moved) for pair in pairs]
    return tuple(sorted(found, key=lambda part: (not part.trivial, part.dimension)))


def _eigenvalues(matrix: Tensor, pair: IsotypicPair, moved: Tensor) -> IsotypicEigenvalues:
    basis = pair.source
    q = basis.shape[1]
    block = torch.einsum("nqp,nm,mqr->pr", basis.conj(), matrix.to(basis.dtype), basis) / q
    values = torch.linalg.eigvalsh(0.5 * (block + block.mH)).tolist()
    fixed = q == 1 and all(torch.allclose(basis[m], basis, atol=1e-8) for m in moved)
    return IsotypicEigenvalues(q, tuple(values), trivial=fixed)
