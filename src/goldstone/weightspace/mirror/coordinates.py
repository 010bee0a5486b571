"""Orthonormal coordinates z = Oᵀθ of a weight, the ones that a constraint sends to zero."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from goldstone.core import InputError

ORTHONORMAL = 1e-5


class Coordinates(nn.Module, ABC):
    """The map θ ↦ z = Oᵀθ with its adjoint z ↦ Oz, and which coordinates share a gate.

    Laws: ``analyse(synthesise(z)) == z``, and ``synthesise(analyse(θ))`` is the orthogonal
    projection OOᵀθ.
    """

    spans_all: bool = False
    """Whether O is square, so that OOᵀ = 1 and nothing of the weight is left over."""

    @abstractmethod
    def analyse(self, weight: Tensor) -> Tensor:
        """The coordinates z = Oᵀθ."""

    @abstractmethod
    def synthesise(self, z: Tensor) -> Tensor:
        """The weight Oz, of its shape."""

    @abstractmethod
    def group_norms(self, z: Tensor) -> Tensor:
        """‖z_g‖ of the coordinates that share the gate g; its shape is that of the gates."""

    @abstractmethod
    def spread(self, gate: Tensor) -> Tensor:
        """The gates at their coordinates, in a shape that broadcasts to z."""


class EntryCoordinates(Coordinates):
    """O = 1: the entries themselves, a gate for each slice along ``axes``, or for each entry.

    Args:
        axes: axes that index the gates; the entries along all others share one. None: an own gate
            for each entry.
    """

    spans_all = True

    def __init__(self, axes: Sequence[int] | None = None) -> None:
        super().__init__()
        self.axes = None if axes is None else tuple(axes)

    def analyse(self, weight: Tensor) -> Tensor:
        return weight

    def synthesise(self, z: Tensor) -> Tensor:
        return z

    def group_norms(self, z: Tensor) -> Tensor:
        if self.axes is None:
            return z.abs()
        kept = {axis % z.ndim for axis in self.axes}
        others = [axis for axis in range(z.ndim) if axis not in kept]
        return z.square().sum(others, keepdim=True).sqrt() if others else z.abs()

    def spread(self, gate: Tensor) -> Tensor:
        return gate

    def extra_repr(self) -> str:
        return f"axes={self.axes}"


class ColumnCoordinates(Coordinates):
    """Any orthonormal O, acting on one axis of the weight or on all of it flattened.

    Args:
        columns: O, (n, k).
        groups: for each column the number of its gate, 0 … G − 1; by default each its own.
        axis: O acts on this axis, of n entries, and z is (k, *other axes). None: on the weight's
            n entries, row by row, and z is (k).
        shape: of the weight.

    Raises:
        InputError: the columns are not orthonormal, or do not fit the weight or the groups.
    """

    columns: Tensor
    gate_of: Tensor

    def __init__(
        self,
        columns: Tensor,
        shape: Sequence[int],
        groups: Sequence[int] | None = None,
        axis: int | None = None,
    ) -> None:
        super().__init__()
        n = torch.Size(shape).numel() if axis is None else shape[axis]
        if columns.ndim != 2 or columns.shape[0] != n or not 0 < columns.shape[1] <= n:
            raise InputError(
                f"expected orthonormal columns of shape ({n}, k ≤ {n}) for a weight of shape "
                f"{tuple(shape)}, got {tuple(columns.shape)}"
            )
        k = columns.shape[1]
        overlap = columns.mT.double() @ columns.double()
        error = float((overlap - torch.eye(k, dtype=overlap.dtype, device=overlap.device)).norm())
        if not error <= ORTHONORMAL * k:
            raise InputError(
                f"expected orthonormal columns, got OᵀO − 1 of norm {error:.1e}; "
                "torch.linalg.qr(O).Q spans the same space"
            )
        numbers = list(range(k)) if groups is None else [int(group) for group in groups]
        if len(numbers) != k or set(numbers) != set(range(max(numbers) + 1)):
            raise InputError(
                f"expected for each of the {k} columns the number of its gate, all of 0 … G − 1 "
                f"used, got {numbers}"
            )
        self.register_buffer("columns", columns.detach().clone())
        self.register_buffer("gate_of", torch.tensor(numbers, device=columns.device))
        self.shape, self.axis, self.gates = torch.Size(shape), axis, max(numbers) + 1
        self.spans_all = k == n

    def analyse(self, weight: Tensor) -> Tensor:
        if self.axis is None:
            return torch.mv(self.columns.mT, weight.flatten())
        z: Tensor = torch.tensordot(self.columns, weight, ([0], [self.axis]))
        return z

    def synthesise(self, z: Tensor) -> Tensor:
        if self.axis is None:
            return torch.mv(self.columns, z).reshape(self.shape)
        weight: Tensor = torch.tensordot(self.columns, z, ([1], [0])).movedim(0, self.axis)
        return weight

    def group_norms(self, z: Tensor) -> Tensor:
        squares = z.square().flatten(1).sum(1) if z.ndim > 1 else z.square()
        return squares.new_zeros(self.gates).index_add(0, self.gate_of, squares).sqrt()

    def spread(self, gate: Tensor) -> Tensor:
        others = 0 if self.axis is None else len(self.shape) - 1
        return gate[self.gate_of].reshape(-1, *[1] * others)

    def extra_repr(self) -> str:
        n, k = self.columns.shape
        return f"O of {n}×{k}, gates={self.gates}, axis={self.axis}"


def contrasts(groups: Sequence[Sequence[int]], units: int) -> tuple[Tensor, list[int]]:
    """Orthonormal differences within groups of units (Helmert contrasts), and their groups.

    The space that they span holds all vectors that vanish outside the groups and sum to zero in
    each: Oᵀx = 0 exactly where x is constant on every group.

    Returns:
        O, (units, Σ(m_g − 1)) in float64, and for each column its group.

    Raises:
        InputError: a group has fewer than two units, or units repeat or lie outside.
    """
    members = [unit for group in groups for unit in group]
    inside = all(0 <= unit < units for unit in members)
    if not groups or not inside or len(set(members)) < len(members) or min(map(len, groups)) < 2:
        raise InputError(
            f"expected groups of two or more of the units 0 … {units - 1}, no unit in two of "
            f"them, got {[list(group) for group in groups]}"
        )
    columns, numbers = [], []
    for number, group in enumerate(groups):
        for k in range(1, len(group)):
            column = torch.zeros(units, dtype=torch.float64)
            column[list(group[:k])] = 1.0
            column[group[k]] = -k
            columns.append(column / column.norm())
            numbers.append(number)
    return torch.stack(columns, 1), numbers
