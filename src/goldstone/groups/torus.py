"""Translations of a circle or torus."""

from dataclasses import dataclass

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.abelian_lie import AbelianLieGroup

NEAR_HALF = 1e-12
"""How near to half a period the logarithm goes, as a part of the period."""


@dataclass(frozen=True)
class TorusGroup(AbelianLieGroup[tuple[float, ...]]):
    """ℝⁿ modulo periods L_1 … L_n: the translations of a periodic box; for n = 1 of a circle.

    An element is a shift with 0 ≤ a_i < L_i; equality, differences and distances go across the
    wrap. Coordinates are shifts, exp is reduction modulo the periods, and log gives −L_i/2 < x_i <
    L_i/2, raising for a shift by half a period. Its matrices, of size 2n, turn the i-th plane by
    2π a_i / L_i.

    Attributes:
        periods: L_1 … L_n, positive.
        label: what an element is; used in names.
    """

    periods: tuple[float, ...]
    label: str = "shift"

    def __post_init__(self) -> None:
        periods = self.periods if isinstance(self.periods, tuple) else ()
        if not periods or not all(0 < period < float("inf") for period in periods):
            raise InputError(
                f"a torus needs positive finite periods as a tuple, got {self.periods!r}"
            )

    @property
    def name(self) -> str:
        return f"{self.label}s modulo {'×'.join(f'{period:g}' for period in self.periods)}"

    @property
    def dimension(self) -> int:
        return len(self.periods)

    @property
    def identity(self) -> tuple[float, ...]:
        return (0.0,) * len(self.periods)

    @property
    def element_shape(self) -> tuple[int, ...]:
        return (len(self.periods),)

    @property
    def element_dtype(self) -> torch.dtype:
        return torch.float64

    @property
    def is_compact(self) -> bool:
        return True

    @property
    def log_domain(self) -> str:
        return "no component is half a period"

    @property
    def degree(self) -> int:
        """2n: one plane for each period."""
        return 2 * len(self.periods)

    def matrices(self, a: Tensor) -> Tensor:
        """Rotations of each plane, block-diagonal: (*batch, 2n, 2n)."""
        angle = 2 * torch.pi * a / self._periods(a)
        cosine, sine = torch.diag_embed(angle.cos()), torch.diag_embed(angle.sin())
        blocks = torch.stack(
            (torch.stack((cosine, -sine), -1), torch.stack((sine, cosine), -1)), -2
        )
        # From plane, plane, row, column to plane and row, plane and column.
        return blocks.transpose(-3, -2).reshape(*a.shape[:-1], self.degree, self.degree)

    def _compose(self, a: Tensor, b: Tensor) -> Tensor:
        return self._reduced(a + b)

    def _inverse(self, a: Tensor) -> Tensor:
        return self._reduced(-a)

    def member_mask(self, a: Tensor) -> Tensor:
        return ((a >= 0) & (a < self._periods(a))).all(-1)

    def _exp(self, x: Tensor) -> Tensor:
        return self._reduced(x)

    def _log(self, a: Tensor) -> Tensor:
        x = self._wrapped(a)
        half = (0.5 - NEAR_HALF) * self._periods(a)
        return self._defined(x, (x.detach().abs() < half).all(-1))

    def _difference(self, a: Tensor, b: Tensor) -> Tensor:
        return self._wrapped(a - b)

    def distance(self, a: Tensor, b: Tensor) -> Tensor:
        """The length of the shortest way around, for shifts by half a period too."""
        length: Tensor = torch.linalg.vector_norm(self._wrapped(b - a), dim=-1)
        return length

    def sample(self, generator: torch.Generator, shape: tuple[int, ...] = ()) -> Tensor:
        uniform = torch.rand(
            (*shape, self.dimension),
            generator=generator,
            dtype=torch.float64,
            device=generator.device,
        )
        return self._reduced(uniform * self._periods(uniform))

    def element_name(self, a: tuple[float, ...]) -> str:
        return "e" if a == self.identity else f"{self.label}({','.join(f'{x:g}' for x in a)})"

    def _periods(self, like: Tensor) -> Tensor:
        return torch.tensor(self.periods, dtype=like.dtype, device=like.device)

    def _reduced(self, a: Tensor) -> Tensor:
        remainder = torch.remainder(a, self._periods(a))
        # A tiny negative number leaves the period itself, by rounding.
        return torch.where(remainder >= self._periods(a), 0.0, remainder)

    def _wrapped(self, a: Tensor) -> Tensor:
        period = self._periods(a)
        return a - period * (a / period).round()
