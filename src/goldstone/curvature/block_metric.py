"""A metric that is diagonal in a known basis of each of its blocks."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.curvature.inner_products import inner_products
from goldstone.curvature.kronecker_blocks import Coverage, KroneckerFactors
from goldstone.curvature.map_uses import LinearMap


class Block(Protocol):
    """Orthonormal coordinates of some of the parameters, and the eigenvalues along them."""

    @property
    def values(self) -> Tensor:
        """(k,) float64, not negative."""
        ...

    def coordinates(self, rows: Tensor) -> Tensor:
        """(m, k) of rows (m, p)."""
        ...

    def write(self, coordinates: Tensor, out: Tensor) -> None:
        """The inverse: from (m, k) into the block's columns of ``out`` (m, p)."""
        ...


@dataclass(frozen=True, eq=False)
class KroneckerBasis:
    """Eigenvectors of the two factors of a linear map's block: V ↦ left ᵀ V right."""

    map: LinearMap
    left: Tensor
    right: Tensor
    values: Tensor

    def coordinates(self, rows: Tensor) -> Tensor:
        """LᵀVR of each row's matrix V."""
        left, right = self.left.to(rows.dtype), self.right.to(rows.dtype)
        return torch.matmul(left.T, torch.matmul(self._matrix(rows), right)).flatten(1)

    def write(self, coordinates: Tensor, out: Tensor) -> None:
        """L C Rᵀ."""
        left, right = self.left.to(out.dtype), self.right.to(out.dtype)
        c = coordinates.reshape(len(coordinates), len(left), len(right))
        matrix = torch.matmul(left, torch.matmul(c, right.T))
        if self.map.weight is not None:
            out[:, slice(*self.map.weight)] = matrix[:, :, : self.map.columns].flatten(1)
        if self.map.bias is not None:
            out[:, slice(*self.map.bias)] = matrix[:, :, -1]

    def _matrix(self, rows: Tensor) -> Tensor:
        parts = []
        if self.map.weight is not None:
            weight = rows[:, slice(*self.map.weight)]
            parts.append(weight.reshape(len(rows), self.map.rows, self.map.columns))
        if self.map.bias is not None:
            parts.append(rows[:, slice(*self.map.bias)][:, :, None])
        return parts[0] if len(parts) == 1 else torch.cat(parts, 2)


@dataclass(frozen=True, eq=False)
class ScaleBasis:
    """Eigenvectors (channels, 2, 2) of a norm layer's 2 × 2 blocks."""

    weight: tuple[int, int]
    bias: tuple[int, int]
    vectors: Tensor
    values: Tensor

    def coordinates(self, rows: Tensor) -> Tensor:
        """Of (scale, shift) of each channel."""
        pairs = torch.stack([rows[:, slice(*self.weight)], rows[:, slice(*self.bias)]], 2)
        return torch.einsum("mci,cij->mcj", pairs, self.vectors.to(rows.dtype)).flatten(1)

    def write(self, coordinates: Tensor, out: Tensor) -> None:
        """Back to scales and shifts."""
        c = coordinates.reshape(len(coordinates), -1, 2)
        pairs = torch.einsum("mcj,cij->mci", c, self.vectors.to(out.dtype))
        out[:, slice(*self.weight)], out[:, slice(*self.bias)] = pairs.unbind(2)


@dataclass(frozen=True, eq=False)
class PlainBasis:
    """Parameters in coordinates of their own."""

    span: tuple[int, int]
    values: Tensor

    def coordinates(self, rows: Tensor) -> Tensor:
        """The columns themselves."""
        return rows[:, slice(*self.span)]

    def write(self, coordinates: Tensor, out: Tensor) -> None:
        """Into the columns."""
        out[:, slice(*self.span)] = coordinates


@dataclass(frozen=True, eq=False)
class BlockMetric:
    """A block-diagonal metric + λ, inverted in the eigenbasis of each block.

    Attributes:
        name: ``"k-fac"`` or ``"ek-fac"``.
        blocks: they cover every parameter once.
        damping: λ, absolute.
        mean_curvature: mean eigenvalue.
        coverage: how each parameter is treated.
        size: p.
    """

    name: str
    blocks: tuple[Block, ...]
    damping: float
    mean_curvature: float
    coverage: tuple[Coverage, ...]
    size: int

    def solve(self, rows: Tensor) -> Tensor:
        """(metric + λ)⁻¹ of each row, (m, p) in the rows' dtype."""
        self._check(rows)
        out = torch.zeros_like(rows)
        for block in self.blocks:
            scale = (block.values + self.damping).to(rows)
            block.write(block.coordinates(rows) / scale, out)
        return out

    def gram(self, rows: Tensor) -> Tensor:
        """Products rows (metric + λ)⁻¹ rowsᵀ, (m, m) float64, positive semi-definite.

        The rows are turned in their own dtype, and multiplied in float64.
        """
        self._check(rows)
        total = torch.zeros(len(rows), len(rows), dtype=torch.float64, device=rows.device)
        for block in self.blocks:
            scale = (block.values + self.damping).rsqrt().to(rows)
            total += inner_products(block.coordinates(rows) * scale)
        return total

    def _check(self, rows: Tensor) -> None:
        if rows.ndim != 2 or rows.shape[1] != self.size:
            raise InputError(
                f"{self.name}: expected rows of {self.size} numbers, got a tensor of shape "
                f"{tuple(rows.shape)}; take the gradients in the same parameters"
            )


def eigenbases(factors: KroneckerFactors) -> Iterator[Block]:
    """The eigenbasis of every block, with its own eigenvalues."""
    for block in factors.blocks:
        left_values, left = torch.linalg.eigh((block.left + block.left.T) / 2)
        right_values, right = torch.linalg.eigh((block.right + block.right.T) / 2)
        values = torch.outer(left_values.clamp_min(0), right_values.clamp_min(0))
        yield KroneckerBasis(block.map, left, right, values.flatten())
    for scale in factors.scales:
        values, vectors = torch.linalg.eigh(scale.blocks)
        yield ScaleBasis(scale.weight, scale.bias, vectors, values.clamp_min(0).flatten())
    for span in factors.rest_spans:
        yield PlainBasis(span, factors.rest[slice(*span)])


def damped_metric(
    name: str, blocks: Iterable[Block], factors: KroneckerFactors, relative_damping: float
) -> BlockMetric:
    """The metric with λ = ``relative_damping`` · mean eigenvalue.

    Raises:
        InputError: λ is not positive, as when the output depends on no parameter at all.
    """
    parts = tuple(blocks)
    mean = sum(float(block.values.sum()) for block in parts) / factors.size
    damping = relative_damping * mean
    if not 0 < damping < float("inf"):
        raise InputError(
            f"{name}: expected a positive damping, got {relative_damping} times the mean curvature "
            f"{mean}"
        )
    return BlockMetric(name, parts, damping, mean, factors.coverage, factors.size)
