"""Filters at several scales: derivatives of Gaussians, one function of the plane at each size."""

from dataclasses import dataclass
from math import ceil, pi

import torch
from torch import Tensor

from goldstone.core import InputError

_BAND = pi / 2
"""The frequencies up to which sampled filters are judged: half of what the grid can hold."""


@dataclass(frozen=True)
class ScaleFilters:
    """ψ_mn^s(x, y) = N σ_s⁻² H_m(x/σ_s) H_n(y/σ_s) e^{−(x²+y²)/2σ_s²}, σ_s = sigma·base^s.

    m + n ≤ order, and H are Hermite polynomials (those with H_n e^{−x²/2} a derivative of the
    Gaussian). So ψ^s is one function at the sizes s = 0 … scales − 1, ψ^s(p) = base^{−2s}
    ψ⁰(base^{−s} p), with the same response to an image and to its enlargement one scale further up
    (Sosnovik, Szmaja & Smeulders 2020, "Scale-equivariant steerable networks"). The scalings
    base^s, s ∈ ℤ, are a group; what is kept of it are so many consecutive scales. N makes the mean
    over the scales of Σ_p ψ² one.

    Attributes:
        scales: how many.
        base: the ratio of neighbouring scales, above 1.
        sigma: σ of the smallest, in grid points; below 0.8 the grid no longer holds the filters.
        order: the highest derivative: (order + 1)(order + 2)/2 filters.
        extent: where filters are cut off, in units of σ_s.

    Raises:
        InputError: numbers out of range.
    """

    scales: int = 4
    base: float = 2**0.5
    sigma: float = 1.0
    order: int = 2
    extent: float = 4.0

    def __post_init__(self) -> None:
        positive = self.sigma > 0 and self.extent > 0
        if self.scales < 1 or not self.base > 1 or not positive or self.order < 0:
            raise InputError(
                "expected one scale or more, a base above 1, a positive sigma and extent and an "
                f"order of 0 or more, got {self}"
            )

    @property
    def count(self) -> int:
        """How many filters there are at each scale."""
        return (self.order + 1) * (self.order + 2) // 2

    @property
    def sigmas(self) -> tuple[float, ...]:
        """σ_s."""
        return tuple(self.sigma * self.base**s for s in range(self.scales))

    @property
    def margins(self) -> tuple[int, ...]:
        """Taps on each side of the middle one, at each scale."""
        return tuple(ceil(self.extent * sigma) for sigma in self.sigmas)

    @property
    def orders(self) -> tuple[tuple[int, int], ...]:
        """(m, n) of each filter."""
        total = self.order
        return tuple((m, k - m) for k in range(total + 1) for m in range(k, -1, -1))

    def sampled(self) -> list[Tensor]:
        """The filters of each scale, (count, size, size) in float64, of growing size."""
        plain = [self._products(s) for s in range(self.scales)]
        squares = torch.stack([filters.square().sum((1, 2)) for filters in plain])
        scale = squares.mean(0).rsqrt()
        return [filters * scale[:, None, None] for filters in plain]

    def sampling_error(self) -> float:
        """How far the sampled filters are from one function at several sizes.

        The largest difference between the response of a sampled filter to a wave and that of the
        function itself, (iσω)^m … e^{−σ²|ω|²/2}, over all scales and frequencies up to half of what
        the grid holds, relative to the largest response: what cutting off and sampling cost. For
        such images it bounds the equivariance error of a layer up to a factor of order one.
        """
        omega = torch.linspace(0, _BAND, 33, dtype=torch.float64)
        worst = 0.0
        for s, sigma in enumerate(self.sigmas):
            rows, taps = self._rows(s)
            waves = torch.polar(torch.ones(1, dtype=torch.float64), omega[:, None] * taps)
            found = rows.to(waves.dtype) @ waves.T
            u = sigma * omega
            power = torch.arange(self.order + 1)[:, None]
            exact = (1j * u) ** power * (-u.square() / 2).exp() * (2 * pi) ** 0.5
            for m, n in self.orders:
                response = torch.outer(exact[m], exact[n])
                error = (torch.outer(found[m], found[n]) - response).abs().max()
                worst = max(worst, float(error / self._largest(m) / self._largest(n)))
        return worst

    def _largest(self, order: int) -> float:
        """The maximum over ω of √2π ω^n e^{−ω²/2}, taken at ω = √n."""
        return float((2 * pi) ** 0.5 * (order / torch.e) ** (order / 2))

    def _rows(self, s: int) -> tuple[Tensor, Tensor]:
        """σ⁻¹ H_n(x/σ) e^{−x²/2σ²} for n = 0 … order, (order + 1, size), and the taps."""
        margin, sigma = self.margins[s], self.sigmas[s]
        taps = torch.arange(-margin, margin + 1, dtype=torch.float64)
        x = taps / sigma
        rows = [torch.ones_like(x), x]
        for n in range(1, self.order):
            rows.append(x * rows[n] - n * rows[n - 1])
        return torch.stack(rows[: self.order + 1]) * (-x.square() / 2).exp() / sigma, taps

    def _products(self, s: int) -> Tensor:
        rows, _ = self._rows(s)
        return torch.stack([torch.outer(rows[m], rows[n]) for m, n in self.orders])
