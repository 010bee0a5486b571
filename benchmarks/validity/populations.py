"""Synthetic populations of paired gradients and of losses, whose statistics are known."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt

import torch
from torch import Tensor

from goldstone.auditing.coherence import PairProducts
from goldstone.core import generator

DIMENSION = 30
POPULATION, BLOCK = 1_000_000, 50_000


@dataclass(frozen=True)
class Gradients:
    """Pairs a = s (m + z), b = t (m′ + r z + √(1 − r²) z′) with variances of z falling as 1/k.

    Attributes:
        name: in words.
        correlation: r.
        mean: length of m and m′ over the root of the trace of z's covariance.
        tails: degrees of freedom of z's Student t; Gaussian if 0.
        norms: the largest over the smallest of s, and of t; log-uniform, s and t half shared.
    """

    name: str
    correlation: float
    mean: float = 0.7
    tails: int = 0
    norms: float = 1.0

    def draw(self, n: int, source: torch.Generator) -> tuple[Tensor, Tensor]:
        """(n, 30) a and b."""
        spectrum = torch.arange(1, DIMENSION + 1, dtype=torch.float64).rsqrt()
        spectrum /= spectrum.norm()

        def noise() -> Tensor:
            z = torch.randn(n, DIMENSION, generator=source, dtype=torch.float64) * spectrum
            if not self.tails:
                return z
            chi = torch.randn(n, self.tails, generator=source, dtype=torch.float64).square()
            return z / chi.mean(1, keepdim=True).sqrt()

        first, second = noise(), noise()
        r = self.correlation
        second = r * first + sqrt(1 - r * r) * second
        direction = torch.zeros(2, DIMENSION, dtype=torch.float64)
        direction[0, 0], direction[1, 0], direction[1, 1] = 1.0, 0.8, 0.6
        direction[1] = direction[0] if r == 1 else direction[1]
        a, b = first + self.mean * direction[0], second + self.mean * direction[1]
        if self.norms == 1:
            return a, b
        uniform = torch.rand(3, n, 1, generator=source, dtype=torch.float64)
        together = uniform[0] if r == 1 else (uniform[0] + uniform[2]) / 2
        return a * self.norms ** uniform[0], b * self.norms**together

    @lru_cache(maxsize=16)  # noqa: B019 (values are few and small)
    def truth(self) -> dict[str, float]:
        """Of the whole population, from a million pairs: K, null, ρ and μ, unit and raw."""
        found = {}
        for kind in ("unit", "raw"):
            found |= {f"{name}, {kind}": value for name, value in self._truth(kind).items()}
        return found

    def _truth(self, kind: str) -> dict[str, float]:
        totals = torch.zeros(4, dtype=torch.float64)
        sums = torch.zeros(2, DIMENSION, dtype=torch.float64)
        for a, b in self._blocks():
            k = torch.nn.functional.cosine_similarity(a, b)
            if kind == "unit":
                a, b = (v / v.norm(dim=1, keepdim=True) for v in (a, b))
            moments = ((a * b).sum(), a.square().sum(), b.square().sum(), k.sum())
            totals += torch.stack(moments)
            sums += torch.stack([a.sum(0), b.sum(0)])
        (ab, aa, bb, k), (mean_a, mean_b) = totals / POPULATION, sums / POPULATION
        common = mean_a @ mean_b
        variance = (aa - mean_a.square().sum()) * (bb - mean_b.square().sum())
        return {
            "K": float(k),
            "ρ": float((ab - common) / variance.sqrt()),
            "μ": float(common / (mean_a.norm() * mean_b.norm())),
        }

    def _blocks(self) -> Iterator[tuple[Tensor, Tensor]]:
        source = generator(0, "population", self.name)
        for _ in range(POPULATION // BLOCK):
            yield self.draw(BLOCK, source)


SHAPES = {
    "Gaussian": Gradients("Gaussian", 0.0),
    "Student t₃, norms tenfold": Gradients("Student t₃, norms tenfold", 0.0, tails=3, norms=10.0),
}
LAWS = ("Gaussian", "Student t₃", "log-normal")
"""Of log loss ratios."""


def products(a: Tensor, b: Tensor) -> PairProducts:
    """Their inner products."""
    return PairProducts(a @ a.T, a @ b.T, b @ b.T)


def log_ratios(kind: str, n: int, snapshots: int, source: torch.Generator) -> Tensor:
    """(n · snapshots,) log loss ratios of mean zero; half of the variance is the trajectory's."""

    def part(*shape: int) -> Tensor:
        z = torch.randn(*shape, generator=source, dtype=torch.float64)
        if kind == "Student t₃":
            chi = torch.randn(*shape, 3, generator=source, dtype=torch.float64).square()
            return z / chi.mean(-1).sqrt()
        return z.exp() - sqrt(torch.e) if kind == "log-normal" else z

    return ((part(n, 1) + part(n, snapshots)) / sqrt(2)).flatten()
