"""Finite groups from generating matrices."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.permutation_group import PermutationGroup
from goldstone.groups.vector_permutations import VectorPermutations, match_vectors

RealMatrix = tuple[tuple[float, ...], ...]

MOST_VECTORS = 2_000
TOLERANCE = 1e-6


@dataclass(frozen=True)
class MatrixGroup(VectorPermutations):
    """The finite group that real n×n matrices generate.

    Its elements are permutations of the images of the basis vectors e_1 … e_n under the group
    (the vectors 0 … n − 1 are the basis), so composition is exact although the matrices are
    rounded; vectors closer than 1e-6 count as equal. Complex matrices enter as real
    ones of twice the size. Two groups are equal when their generating matrices and labels are.

    Attributes:
        given: the generating matrices, rows first.
        label: a name; by default ``matrix group``.

    Raises:
        InputError: the matrices are not square of one size and of determinant ±1, or generate a
            group that takes the basis to more than 2,000 vectors, as infinite groups do.
    """

    given: tuple[RealMatrix, ...]
    label: str = ""
    vectors: Tensor = field(init=False, compare=False, repr=False)
    permutations: PermutationGroup = field(init=False, compare=False, repr=False)

    def __init__(
        self, generators: Tensor | Sequence[Sequence[Sequence[float]]], label: str = ""
    ) -> None:
        try:
            matrices = torch.as_tensor(generators, dtype=torch.float64)
        except (TypeError, ValueError) as error:
            raise InputError(f"expected real square matrices as generators: {error}") from error
        if matrices.dim() != 3 or matrices.shape[1] != matrices.shape[2] or not matrices.numel():
            raise InputError(
                "expected generators of shape (number, n, n), at least the unit matrix, got "
                f"{tuple(matrices.shape)}"
            )
        if not bool(matrices.isfinite().all()):
            raise InputError("expected generators without NaN and infinite entries")
        determinants = torch.linalg.det(matrices)
        if bool(((determinants.abs() - 1).abs() > TOLERANCE).any()):
            raise InputError(
                "expected matrices of determinant ±1, as all in finite groups are, got "
                f"determinants {', '.join(f'{x:.6g}' for x in determinants.tolist())}"
            )
        given = tuple(tuple(tuple(row) for row in matrix) for matrix in matrices.tolist())
        object.__setattr__(self, "given", given)
        object.__setattr__(self, "label", label)
        vectors = _orbit(matrices)
        images = match_vectors(matrices, vectors, TOLERANCE)
        if images is None or bool((images.sort(-1).values.diff() != 1).any()):
            raise InputError(
                "expected invertible matrices that generate a finite group, to an accuracy of "
                f"{TOLERANCE}; got one that does not permute the images of the basis vectors"
            )
        object.__setattr__(self, "vectors", vectors)
        object.__setattr__(self, "permutations", PermutationGroup(images.tolist(), self.name))

    @property
    def name(self) -> str:
        return self.label or "matrix group"

    def matrices(self, a: Tensor) -> Tensor:
        """The matrices, their columns the images of the basis vectors; float64."""
        return self.vectors.to(a.device)[a[..., : self.degree]].mT


def _orbit(generators: Tensor) -> Tensor:
    """The images of the basis vectors under the group, breadth first, the basis in front."""
    vectors = frontier = torch.eye(generators.shape[-1], dtype=torch.float64)
    while len(frontier):
        before = len(vectors)
        for matrix in generators:
            # The images under one invertible matrix differ from one another.
            images = frontier @ matrix.T
            distance = torch.cdist(
                images, vectors, compute_mode="donot_use_mm_for_euclid_dist"
            ).amin(-1)
            fresh = distance > TOLERANCE
            vectors = torch.cat((vectors, images[fresh]))
            if len(vectors) > MOST_VECTORS:
                raise InputError(
                    f"the matrices take the basis vectors to more than {MOST_VECTORS} others: the "
                    "group is infinite, too large, or its matrices are not accurate to "
                    f"{TOLERANCE}"
                )
        frontier = vectors[before:]
    return vectors
