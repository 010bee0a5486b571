"""Functions of a distance, and a smooth end to them."""

from math import pi, sqrt

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.nn.constants import Constants, computed_on_cpu

_POWER = 6
_SERIES = 0.01
"""Below it the series is exact to 2·10⁻¹⁶."""


class RadialBasis(Constants):
    """b_n(r) = √(2/c) sin(nπ r/c)/r for n = 1 … count: spherical Bessel functions of degree 0.

    They are orthonormal on the interval, ∫₀ᶜ b_m b_n r² dr = δ_mn (Gasteiger, Groß & Günnemann
    2020, "Directional message passing for molecular graphs").

    (*batch) distances → (*batch, count).

    Args:
        count: of functions.
        cutoff: c, in the units of the distances.

    Raises:
        InputError: no function, or a cutoff that is not positive.
    """

    _orders: Tensor

    @computed_on_cpu
    def __init__(
        self,
        count: int,
        cutoff: float,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if count < 1 or not 0 < cutoff < float("inf"):
            raise InputError(
                f"expected one function or more and a positive cutoff, got {count} and {cutoff}"
            )
        self.cutoff = cutoff
        orders = torch.arange(1, count + 1, dtype=torch.float64)
        self.register_constant("_orders", orders)
        self.cast(device, dtype or torch.get_default_dtype())

    def forward(self, distances: Tensor) -> Tensor:
        """All functions of each distance."""
        waves = _sine_ratio(pi * self._orders * (distances / self.cutoff)[..., None])
        return sqrt(2 / self.cutoff) * pi / self.cutoff * self._orders * waves

    def extra_repr(self) -> str:
        """Shown by print."""
        return f"{len(self._orders)}, cutoff={self.cutoff:g}"


def _sine_ratio(x: Tensor) -> Tensor:
    """sin(x)/x with all derivatives; those of torch.sinc are not finite at and next to 0."""
    is_small = x.abs() < _SERIES
    series = 1 - x.square() / 6 + x.square().square() / 120
    away = x.masked_fill(is_small, 1)
    return torch.where(is_small, series, away.sin() / away)


def smooth_cutoff(distances: Tensor, cutoff: float) -> Tensor:
    """u(r/c) = 1 − (p+1)(p+2)/2 xᵖ + p(p+2) xᵖ⁺¹ − p(p+1)/2 xᵖ⁺², p = 6, and 0 from x = 1 on.

    It and its first two derivatives are continuous, so that forces and their derivatives are when
    a neighbour leaves (Gasteiger et al. 2020).
    """
    # Exactly 0 at 1; powers of what lies far away would overflow, and their derivatives with them.
    p, x = _POWER, (distances / cutoff).clamp(max=1)
    return (
        1
        - (p + 1) * (p + 2) / 2 * x**p
        + p * (p + 2) * x ** (p + 1)
        - p * (p + 1) / 2 * x ** (p + 2)
    )
