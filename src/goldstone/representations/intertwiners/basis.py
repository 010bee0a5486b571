"""A basis of intertwiners and the forms it takes."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.representations.intertwiners.constraints import intertwiner_constraints
from goldstone.representations.intertwiners.isotypic_splitting import (
    IsotypicPair,
    isotypic_splitting,
)
from goldstone.representations.orthonormal_echelon import orthonormal_echelon
from goldstone.representations.representation import Representation

Method = Literal["direct", "isotypic", "reduced", "unitary", "krylov", "orbits", "blocks"]

_MOST_ENTRIES = 2**30


class Maps(ABC):
    """The maps of a basis in the form in which they were found."""

    @abstractmethod
    def dense(self) -> Tensor:
        """(k, m, n), in the canonical order."""

    def sparse(self) -> Tensor:
        """The same as a sparse COO tensor."""
        return _sparse(self.dense())


@dataclass(frozen=True, eq=False)
class DenseMaps(Maps):
    """Maps as they are, (k, m, n)."""

    maps: Tensor = field(repr=False)

    def dense(self) -> Tensor:
        return self.maps


@dataclass(frozen=True, eq=False)
class OrbitMaps(Maps):
    """The normalised indicators of the orbits of pairs (i, j): labels (m, n)."""

    labels: Tensor = field(repr=False)
    count: int

    def dense(self) -> Tensor:
        return self.sparse().to_dense()

    def sparse(self) -> Tensor:
        flat = self.labels.flatten()
        sizes = torch.bincount(flat, minlength=self.count).to(torch.float64)
        order = flat.argsort(stable=True)
        columns = self.labels.shape[1]
        place = torch.stack((flat[order], order // columns, order % columns))
        values = sizes.rsqrt()[flat[order]]
        return torch.sparse_coo_tensor(
            place,
            values,
            (self.count, *self.labels.shape),
            check_invariants=False,
            is_coalesced=True,
        )


@dataclass(frozen=True, eq=False)
class IsotypicMaps(Maps):
    """The maps between the copies of each irrep that source and target share."""

    pairs: tuple[IsotypicPair, ...]
    shape: tuple[int, int]
    dtype: torch.dtype

    def dense(self) -> Tensor:
        m, n = self.shape
        if not self.pairs:
            return torch.zeros(0, m, n, dtype=self.dtype)
        rows = torch.cat([pair.rows() for pair in self.pairs])
        basis = orthonormal_echelon(rows, real=not self.dtype.is_complex)
        return basis.reshape(-1, m, n)


@dataclass(frozen=True, eq=False)
class BlockMaps(Maps):
    """The maps between the parts of direct sums: (first row, first column, basis) of each block."""

    blocks: tuple[tuple[int, int, "IntertwinerBasis"], ...]
    shape: tuple[int, int]
    dtype: torch.dtype

    def dense(self) -> Tensor:
        return self.sparse().to_dense()

    def sparse(self) -> Tensor:
        n = self.shape[1]
        known: dict[int, tuple[Tensor, Tensor]] = {}
        places, values, leading = [], [], []
        count = 0
        for row, column, basis in self.blocks:
            if id(basis) not in known:
                maps = basis.sparse().coalesce()
                width = basis.source.dimension
                known[id(basis)] = maps, _leading_of_sparse(maps, width)
            maps, first = known[id(basis)]
            shift = torch.tensor([[count], [row], [column]])
            places.append(maps.indices() + shift)
            values.append(maps.values().to(self.dtype))
            width = basis.source.dimension
            leading.append((first // width + row) * n + first % width + column)
            count += len(first)
        if not count:
            return _sparse(torch.zeros(0, *self.shape, dtype=self.dtype))
        # The union of the blocks' echelon forms is one, once in order of leading entries.
        rank = torch.empty(count, dtype=torch.int64)
        rank[torch.cat(leading).argsort()] = torch.arange(count)
        place = torch.cat(places, 1)
        place[0] = rank[place[0]]
        shape = (count, *self.shape)
        return torch.sparse_coo_tensor(
            place, torch.cat(values), shape, check_invariants=False
        ).coalesce()


def _sparse(maps: Tensor) -> Tensor:
    place = maps.nonzero().mT
    values = maps[tuple(place)]
    return torch.sparse_coo_tensor(
        place, values, maps.shape, check_invariants=False, is_coalesced=True
    )


def _leading_of_sparse(maps: Tensor, width: int) -> Tensor:
    place, values = maps.indices(), maps.values()
    flat = place[1] * width + place[2]
    big = values.abs() > 1e-10
    first = torch.full((maps.shape[0],), torch.iinfo(torch.int64).max)
    return first.scatter_reduce(0, place[0][big], flat[big], "amin")


@dataclass(frozen=True, eq=False)
class IntertwinerBasis:
    """An orthonormal basis of Hom_G(V, W) = {A : ρ_W(g) A = A ρ_V(g) for all g}.

    Orthonormal for the inner product tr AᴴB. The basis is the row echelon form with positive
    leading entries (entries of A taken row by row), which is unique: whatever method found it, and
    on whatever machine, coefficients in it mean the same maps.

    Attributes:
        source, target: V and W.
        dimension: k, the number of maps.
        method: how they were found: ``orbits``, ``direct``, ``isotypic``, ``reduced``,
            ``unitary``, ``krylov``, or ``blocks`` for direct sums.
        residual: max over generators and maps of ‖ρ_W A − A ρ_V‖ (dρ for the Lie algebra), or a
            bound on it; 0 where it is exact.
        largest_zero, smallest_nonzero: the numbers (singular values of the equations or
            differences of eigenvalues, relative to the largest) on either side of the gap that
            decided the dimension; None where nothing was rounded.
        completeness: how it is known that no map is missing.
        character_dimension: mean conj(χ_W) χ_V over a finite group, which is dim Hom; None where
            the group is infinite or too large to sum over. It was checked against ``dimension``.
    """

    source: Representation
    target: Representation
    dimension: int
    method: Method
    residual: float
    largest_zero: float | None
    smallest_nonzero: float | None
    completeness: str
    character_dimension: int | None
    maps: Maps = field(repr=False)

    def __len__(self) -> int:
        return self.dimension

    def dense(self) -> Tensor:
        """The basis, (k, dim W, dim V), float64 or complex128.

        Raises:
            InputError: it has more than 2³⁰ entries.
        """
        entries = self.dimension * self.source.dimension * self.target.dimension
        if entries > _MOST_ENTRIES:
            raise InputError(
                f"the dense basis has {entries:.2g} entries, more than {_MOST_ENTRIES:.2g}; use "
                "sparse() or factorised()"
            )
        return self.maps.dense()

    def sparse(self) -> Tensor:
        """The basis as a sparse COO tensor of the same shape.

        For permutation representations and direct sums it is made without the dense form.
        """
        return self.maps.sparse()

    def orbits(self) -> Tensor:
        """For permutation representations: the number of the map that is nonzero at each entry.

        Returns:
            int64, (dim W, dim V); the maps' entries are constant on the orbits.

        Raises:
            InputError: the basis was not found as orbits.
        """
        if not isinstance(self.maps, OrbitMaps):
            raise InputError("only intertwiners of permutation representations are orbits")
        return self.maps.labels

    def factorised(self) -> tuple[IsotypicPair, ...]:
        """The maps as sums over irreps, (m + n)·rank numbers in place of k·m·n.

        One pair of matched bases for each irrep that V and W share: every intertwiner is
        Σ pair.map(C) with matrices C of the pairs' multiplicities. Complex where an irrep over ℝ
        is not of real type. The bases inside a pair are not unique.

        Raises:
            InputError: the representations are not unitary or closed under adjoints.
        """
        if isinstance(self.maps, IsotypicMaps):
            return self.maps.pairs
        return isotypic_splitting(intertwiner_constraints(self.source, self.target)).pairs

    def combine(self, coefficients: Tensor) -> Tensor:
        """Σ_k c_k A_k for coefficients (*batch, k): (*batch, dim W, dim V).

        In the coefficients' precision; complex if they or the representations are.

        Raises:
            InputError: there are not k coefficients.
        """
        if coefficients.shape[-1:] != (self.dimension,):
            raise InputError(
                f"expected coefficients (*batch, {self.dimension}), got {tuple(coefficients.shape)}"
            )
        if isinstance(self.maps, OrbitMaps):
            labels = self.maps.labels
            sizes = torch.bincount(labels.flatten(), minlength=self.dimension)
            return (coefficients * sizes.to(coefficients.dtype).rsqrt())[..., labels]
        maps = self.dense()
        if maps.is_complex():
            coefficients = coefficients.to(torch.promote_types(coefficients.dtype, torch.complex64))
        return torch.einsum("...k,kmn->...mn", coefficients, maps.to(coefficients))

    def project(self, maps: Tensor) -> Tensor:
        """The orthogonal projections of matrices (*batch, dim W, dim V) on Hom_G(V, W).

        Raises:
            InputError: the matrices have another shape.
        """
        shape = (self.target.dimension, self.source.dimension)
        if maps.shape[-2:] != shape:
            raise InputError(
                f"expected maps (*batch, {shape[0]}, {shape[1]}), got {tuple(maps.shape)}"
            )
        flat = self.dense().flatten(1)
        dtype = torch.promote_types(flat.dtype, maps.dtype)
        flat, rows = flat.to(dtype), maps.flatten(-2).to(dtype)
        return (rows @ flat.mH @ flat).reshape(maps.shape)
