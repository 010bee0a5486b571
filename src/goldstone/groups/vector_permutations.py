"""Finite groups of matrices, exact through the permutations of a finite set of vectors."""

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.permutation_group import PermutationGroup
from goldstone.groups.permutations import Permutation, Permutations


class VectorPermutations(Permutations):
    """A finite group of matrices whose elements are given by how they permute some vectors.

    The vectors v_0 … span ℝⁿ and the group maps their set onto itself, so the element a, with
    M v_i = v_a(i), determines its matrix M; composition is exact, whatever the rounding of M.
    """

    vectors: Tensor
    """The vectors, (points, n) in float64."""

    permutations: PermutationGroup
    """The same group as one of permutations of the vectors' numbers."""

    @property
    def points(self) -> int:
        return len(self.vectors)

    @property
    def degree(self) -> int:
        """n: the matrices act on ℝⁿ."""
        return int(self.vectors.shape[-1])

    def matrices(self, a: Tensor) -> Tensor:
        """The matrices with M v_i = v_a(i), (*batch, n, n) in float64."""
        vectors = self.vectors.to(a.device)
        matrices: Tensor = vectors[a].mT @ torch.linalg.pinv(vectors).mT
        return matrices

    def from_matrices(self, matrices: Tensor, tolerance: float = 1e-6) -> Tensor:
        """The elements, as a tensor of elements, that have these matrices (*batch, n, n).

        Raises:
            InputError: a matrix sends a vector farther than ``tolerance`` from where any of the
                group's matrices does.
        """
        a = match_vectors(matrices, self.vectors, tolerance)
        if a is None or not self.contains(a):
            raise InputError(f"expected matrices of elements of {self.name}, got others among them")
        return a

    @property
    def order(self) -> int:
        return self.permutations.order

    def index(self, a: Tensor) -> Tensor:
        return self.permutations.index(a)

    def from_index(self, index: Tensor) -> Tensor:
        return self.permutations.from_index(index)

    def member_mask(self, a: Tensor) -> Tensor:
        return self.permutations.member_mask(a)

    def generators(self) -> tuple[Permutation, ...]:
        return self.permutations.generators()

    def sample(self, generator: torch.Generator, shape: tuple[int, ...] = ()) -> Tensor:
        return self.permutations.sample(generator, shape)


def match_vectors(matrices: Tensor, vectors: Tensor, tolerance: float) -> Tensor | None:
    """For each matrix and vector the number of the vector it is sent to, (*batch, points).

    None if an image is farther than ``tolerance`` from all vectors.
    """
    vectors = vectors.to(matrices)
    distance = torch.cdist(
        vectors @ matrices.mT, vectors, compute_mode="donot_use_mm_for_euclid_dist"
    )
    nearest = distance.min(-1)
    if not bool((nearest.values <= tolerance).all()):
        return None
    numbers: Tensor = nearest.indices
    return numbers
