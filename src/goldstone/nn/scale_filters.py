"""Filters at several scales: derivatives of Gaussians, one function of the plane at each size."""

from dataclasses import dataclass
from math import ceil, pi
from typing import Any

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import FiniteGroup
from goldstone.nn.planar_elements import check_planar

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

    With a ``group`` layers take each filter in all its turns and reflections as well, ψ^s(g⁻¹p).
    Turned derivatives are sums of derivatives of the same order, so that a turn costs no more than
    sampling does, and quarter turns nothing.

    Attributes:
        scales: how many.
        base: the ratio of neighbouring scales, above 1.
        sigma: σ of the smallest, in grid points; below 0.8 the grid no longer holds the filters.
        order: the highest derivative: (order + 1)(order + 2)/2 filters.
        extent: where filters are cut off, in units of σ_s.
        group: C_n or D_n, for networks equivariant to its turns and reflections too; None for
            scales alone.

    Raises:
        InputError: numbers out of range, or a group that is not a finite one of the plane.
    """

    scales: int = 4
    base: float = 2**0.5
    sigma: float = 1.0
    order: int = 2
    extent: float = 4.0
    group: FiniteGroup[Any] | None = None

    def __post_init__(self) -> None:
        positive = self.sigma > 0 and self.extent > 0
        if self.scales < 1 or not self.base > 1 or not positive or self.order < 0:
            raise InputError(
                "expected one scale or more, a base above 1, a positive sigma and extent and an "
                f"order of 0 or more, got {self}"
            )
        if self.group is not None:
            check_planar(self.group)
            if not isinstance(self.group, FiniteGroup):
                raise InputError(
                    f"filters are turned by a finite group such as CyclicGroup(8), got {self.group}"
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

    def turned(self, scale: int, matrices: Tensor) -> Tensor:
        """ψ(g⁻¹p) at one scale, (element, count, size, size), for orthogonal matrices of g."""
        taps = self._taps(scale)
        places = torch.stack(torch.meshgrid(taps, taps, indexing="ij")) / self.sigmas[scale]
        x, y = torch.einsum("gba,bxy->agxy", matrices.double(), places)
        window = (-(x.square() + y.square()) / 2).exp() / self.sigmas[scale] ** 2
        along, across = self._polynomials(x), self._polynomials(y)
        functions = torch.stack([along[m] * across[n] * window for m, n in self.orders], 1)
        return functions * self._heights()[:, None, None]

    def powers(self) -> Tensor:
        """Σ_b |ψ_b^s(ω)|²/count, the mean over the group's turns, (scale, frequencies) in float64.

        The frequencies are those of a grid twice as long as the largest filter, so that the mean
        over them is that of Σ_p ψ², and products of two are those of one filter after the other.
        """
        size = 2 * (2 * self.margins[-1] + 1)
        matrices = torch.eye(2, dtype=torch.float64)[None]
        if self.group is not None:
            group: Any = self.group
            matrices = group.matrices(group.element_tensor())
        found = []
        for s in range(self.scales):
            spectrum = torch.fft.fft2(self.turned(s, matrices), s=(size, size))
            found.append(spectrum.abs().square().mean((0, 1)).flatten())
        return torch.stack(found)

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
        taps, sigma = self._taps(s), self.sigmas[s]
        x = taps / sigma
        return self._polynomials(x) * (-x.square() / 2).exp() / sigma, taps

    def _taps(self, s: int) -> Tensor:
        margin = self.margins[s]
        return torch.arange(-margin, margin + 1, dtype=torch.float64)

    def _polynomials(self, x: Tensor) -> Tensor:
        """H_0 … H_order, (order + 1, *shape of x)."""
        rows = [torch.ones_like(x), x]
        for n in range(1, self.order):
            rows.append(x * rows[n] - n * rows[n - 1])
        return torch.stack(rows[: self.order + 1])

    def _heights(self) -> Tensor:
        """N of each filter."""
        squares = []
        for s in range(self.scales):
            norms = self._rows(s)[0].square().sum(1)
            squares.append(torch.stack([norms[m] * norms[n] for m, n in self.orders]))
        return torch.stack(squares).mean(0).rsqrt()
