"""Vector groups under addition: boosts, sub-pixel translations."""

from dataclasses import dataclass

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.abelian_lie import AbelianLieGroup
from goldstone.groups.integers import is_count

Vector = tuple[float, ...]


@dataclass(frozen=True)
class AdditiveGroup(AbelianLieGroup[Vector]):
    """ℝⁿ under addition, the simplest Lie group: exp and log are the identity map.

    A vector v of the Lie algebra generates the one-parameter subgroup {t v : t real}.

    Attributes:
        label: what an element is, such as ``boost``; used in names.
        dimension: n.
        unit: physical unit of a component, for reports.
    """

    label: str
    dimension: int = 2
    unit: str = ""

    def __post_init__(self) -> None:
        if not is_count(self.dimension):
            raise InputError(f"an additive group needs a dimension ≥ 1, got {self.dimension}")

    @property
    def name(self) -> str:
        power = str(self.dimension).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
        return f"{self.label}s ℝ{'' if self.dimension == 1 else power}"

    @property
    def identity(self) -> Vector:
        return (0.0,) * self.dimension

    @property
    def element_shape(self) -> tuple[int, ...]:
        return (self.dimension,)

    @property
    def element_dtype(self) -> torch.dtype:
        return torch.float64

    @property
    def is_compact(self) -> bool:
        return False

    def _compose(self, a: Tensor, b: Tensor) -> Tensor:
        return a + b

    def _inverse(self, a: Tensor) -> Tensor:
        return 0.0 - a

    def member_mask(self, a: Tensor) -> Tensor:
        return a.isfinite().all(-1)

    def _exp(self, x: Tensor) -> Tensor:
        return x

    def _log(self, a: Tensor) -> Tensor:
        return a

    def sample(self, generator: torch.Generator, shape: tuple[int, ...] = ()) -> Tensor:
        """Standard normal vectors: the group is not compact."""
        return torch.randn(
            (*shape, self.dimension),
            generator=generator,
            dtype=torch.float64,
            device=generator.device,
        )

    def element_name(self, a: Vector) -> str:
        if a == self.identity:
            return "e"
        return f"{self.label}({','.join(f'{x:g}' for x in a)})"
