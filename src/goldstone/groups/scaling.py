"""Positive numbers under multiplication."""

from dataclasses import dataclass

import torch
from torch import Tensor

from goldstone.groups.abelian_lie import AbelianLieGroup


@dataclass(frozen=True)
class ScalingGroup(AbelianLieGroup[float]):
    """ℝ₊ under multiplication: an element is a factor λ > 0, its coordinate is log λ.

    exp and log are those of numbers and defined everywhere. Equality is that of logarithms.
    Samples are exponentials of standard normal numbers. Its matrices are the 1×1 matrices [λ].
    """

    @property
    def name(self) -> str:
        return "scalings ℝ₊"

    @property
    def basis_names(self) -> tuple[str, ...]:
        return ("D",)

    @property
    def dimension(self) -> int:
        return 1

    @property
    def identity(self) -> float:
        return 1.0

    @property
    def element_shape(self) -> tuple[int, ...]:
        return ()

    @property
    def element_dtype(self) -> torch.dtype:
        return torch.float64

    @property
    def is_compact(self) -> bool:
        return False

    @property
    def degree(self) -> int:
        """1."""
        return 1

    def matrices(self, a: Tensor) -> Tensor:
        """The factors as 1×1 matrices, (*batch, 1, 1)."""
        return a[..., None, None]

    def _compose(self, a: Tensor, b: Tensor) -> Tensor:
        return a * b

    def _inverse(self, a: Tensor) -> Tensor:
        return 1.0 / a

    def member_mask(self, a: Tensor) -> Tensor:
        return (a > 0) & a.isfinite()

    def _exp(self, x: Tensor) -> Tensor:
        return x[..., 0].exp()

    def _log(self, a: Tensor) -> Tensor:
        return a.log()[..., None]

    def _difference(self, a: Tensor, b: Tensor) -> Tensor:
        return a.log() - b.log()

    def sample(self, generator: torch.Generator, shape: tuple[int, ...] = ()) -> Tensor:
        """Exponentials of standard normal numbers: the group is not compact."""
        normal = torch.randn(
            shape, generator=generator, dtype=torch.float64, device=generator.device
        )
        return normal.exp()

    def element_name(self, a: float) -> str:
        return "e" if a == 1.0 else f"scale({a:g})"
