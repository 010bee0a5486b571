"""Irreps of the symmetric groups: Young's orthogonal form."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import SymmetricGroup
from goldstone.representations.irrep import Field, FrobeniusSchurType, Irrep

Partition = tuple[int, ...]


@dataclass(frozen=True)
class SymmetricGroupIrrep(Irrep):
    """The Specht module of a partition λ of n, in Young's orthogonal form.

    The basis is that of the standard tableaux t of shape λ. With r = c(k + 1) − c(k), where the
    content c(k) is column minus row of the box that holds k, the adjacent transposition
    s_k = (k k+1) acts by s_k·t = t/r + √(1 − 1/r²) t′, where t′ has k and k + 1 exchanged.
    (A. Young 1931; G. James, A. Kerber, *The Representation Theory of the Symmetric Group*, 1981,
    theorem 3.3.8.) Elements are written as products of adjacent transpositions, so that no table
    is needed. All irreps are of real type; over ℂ the matrices are the same.

    Args:
        group: the symmetric group S_n.
        partition: λ, non-increasing and of sum n; (n,) is trivial, (1, …, 1) the sign.
        over: the field.

    Raises:
        InputError: the group is no symmetric group, or λ no partition of n.
    """

    partition: Partition
    over: Field = "real"
    diagonal: Tensor = field(init=False, repr=False, compare=False)
    exchanged: Tensor = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.group, SymmetricGroup):
            raise InputError(f"expected a symmetric group, got {self.group.name}")
        parts = self.partition
        if sum(parts) != self.group.n or list(parts) != sorted(parts, reverse=True) or 0 in parts:
            raise InputError(f"expected a partition of {self.group.n}, got {parts}")
        tableaux = list(_standard_tableaux(parts))
        number = {tableau: i for i, tableau in enumerate(tableaux)}
        diagonal, exchanged = [], []
        for k in range(self.group.n - 1):
            for i, tableau in enumerate(tableaux):
                (row, column), (next_row, next_column) = tableau[k], tableau[k + 1]
                diagonal.append(1 / ((next_column - next_row) - (column - row)))
                swapped = (*tableau[:k], tableau[k + 1], tableau[k], *tableau[k + 2 :])
                exchanged.append(number.get(swapped, i))
        shape = (self.group.n - 1, len(tableaux))
        entries = torch.tensor(diagonal, dtype=torch.float64).reshape(shape)
        object.__setattr__(self, "diagonal", entries)
        object.__setattr__(self, "exchanged", torch.tensor(exchanged).long().reshape(shape))

    @property
    def name(self) -> str:
        """The partition, such as ``[3,1]``."""
        return f"[{','.join(map(str, self.partition))}]"

    @property
    def frobenius_schur_type(self) -> FrobeniusSchurType:
        return "real"

    @property
    def dimension(self) -> int:
        return self.diagonal.shape[-1]

    @property
    def dtype(self) -> torch.dtype:
        return torch.complex128 if self.over == "complex" else torch.float64

    def _matrices(self, g: Tensor) -> Tensor:
        # Bubble sort a: a·s_k₁ ⋯ s_kₘ = e, hence ρ(a) = ρ(s_kₘ) ⋯ ρ(s_k₁).
        n, d = g.shape[-1], self.dimension
        images = g.clone()
        result = torch.eye(d, dtype=torch.float64, device=g.device).repeat(*g.shape[:-1], 1, 1)
        diagonal, exchanged = self.diagonal.to(g.device), self.exchanged.to(g.device)
        off = (1 - diagonal.square()).clamp(min=0).sqrt()
        for last in range(n - 1, 0, -1):
            for k in range(last):
                wrong = images[..., k] > images[..., k + 1]
                pair = images[..., k : k + 2]
                images[..., k : k + 2] = torch.where(wrong[..., None], pair.flip(-1), pair)
                moved = diagonal[k, :, None] * result
                moved = moved + off[k, :, None] * result[..., exchanged[k], :]
                result = torch.where(wrong[..., None, None], moved, result)
        return result.to(self.dtype)

    @property
    def allows_pointwise(self) -> bool:
        return len(self.partition) == 1


def symmetric_group_irreps(group: SymmetricGroup, over: Field) -> tuple[SymmetricGroupIrrep, ...]:
    """All irreps of S_n: the trivial one, then by dimension, then by falling partition."""
    found = [SymmetricGroupIrrep(group, p, over) for p in _partitions(group.n, group.n)]
    trivial, rest = found[0], found[1:]
    return (trivial, *sorted(rest, key=lambda irrep: irrep.dimension))


def _partitions(n: int, largest: int) -> Iterator[Partition]:
    """The partitions of n into parts up to ``largest``, in falling lexicographic order."""
    if n == 0:
        yield ()
    for first in range(min(n, largest), 0, -1):
        for rest in _partitions(n - first, first):
            yield (first, *rest)


def _standard_tableaux(partition: Partition) -> Iterator[tuple[tuple[int, int], ...]]:
    """Standard tableaux as the (row, column) of each of the numbers 1 … n."""
    if not partition:
        yield ()
        return
    for row, length in enumerate(partition):
        below = partition[row + 1] if row + 1 < len(partition) else 0
        if length > below:
            # The largest number sits at the end of this row.
            rest = (*partition[:row], length - 1, *partition[row + 1 :])
            shorter = rest[:-1] if rest[-1] == 0 else rest
            for tableau in _standard_tableaux(shorter):
                yield (*tableau, (row, length - 1))
