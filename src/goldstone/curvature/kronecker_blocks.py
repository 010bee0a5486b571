"""What Kronecker-factored curvature is made of: its blocks, and how each parameter is treated."""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from goldstone.curvature.map_uses import LinearMap

WeightSharing = Literal["expand", "reduce"]
Treatment = Literal["kronecker", "scale and shift", "diagonal"]


@dataclass(frozen=True)
class Coverage:
    """How some parameters are treated, and why if not by Kronecker factors."""

    parameters: str
    treatment: Treatment
    reason: str = ""


@dataclass(frozen=True, eq=False)
class KroneckerBlock:
    """η restricted to one linear map ≈ left ⊗ right.

    Attributes:
        map: where it lies; a bias is the last column.
        left: (rows, rows) float64.
        right: (columns, columns) float64.
    """

    map: LinearMap
    left: Tensor
    right: Tensor


@dataclass(frozen=True, eq=False)
class ScaleBlock:
    """η restricted to a norm layer's scales and shifts: a 2 × 2 block a channel, no approximation.

    Attributes:
        name: of the parameters.
        weight, bias: where they lie in the parameter vector.
        blocks: (channels, 2, 2) float64.
    """

    name: str
    weight: tuple[int, int]
    bias: tuple[int, int]
    blocks: Tensor


@dataclass(frozen=True, eq=False)
class KroneckerFactors:
    """Gauss–Newton curvature η = JᵀJ/N_out as blocks.

    Attributes:
        blocks: of linear maps and convolutions.
        scales: of norm layers.
        rest: diag η where neither holds; zero elsewhere, (p,) float64.
        rest_spans: where that is.
        coverage: how every parameter is treated.
        size: p.
        samples, probes: what they were estimated from; ``probes`` None for all outputs.
    """

    blocks: tuple[KroneckerBlock, ...]
    scales: tuple[ScaleBlock, ...]
    rest: Tensor
    rest_spans: tuple[tuple[int, int], ...]
    coverage: tuple[Coverage, ...]
    size: int
    samples: int
    probes: int | None

    @property
    def mean_curvature(self) -> float:
        """Trace over p."""
        total = float(self.rest.sum())
        total += sum(float(b.left.trace() * b.right.trace()) for b in self.blocks)
        total += sum(float(s.blocks.diagonal(dim1=1, dim2=2).sum()) for s in self.scales)
        return total / self.size
