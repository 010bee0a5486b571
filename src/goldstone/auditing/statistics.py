"""Intervals: the cluster bootstrap by trajectory, and Holm's correction."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite, sqrt

import torch
from torch import Tensor

from goldstone.core import Statistic, generator


@dataclass(frozen=True, eq=False)
class Bootstrap:
    """Resamples of n trajectories with replacement, shared by all statistics of an audit.

    Attributes:
        draws: (replicates, n) indices of trajectories.
        counts: (replicates, n) float64, how often each trajectory is drawn.
    """

    draws: Tensor
    counts: Tensor

    @classmethod
    def draw(cls, n: int, replicates: int, seed: int) -> "Bootstrap":
        """Draw the resamples."""
        draws = torch.randint(n, (replicates, n), generator=generator(seed, "bootstrap", n))
        counts = torch.zeros(replicates, n, dtype=torch.float64)
        counts.scatter_add_(1, draws, torch.ones(replicates, n, dtype=torch.float64))
        return cls(draws, counts)

    @property
    def n(self) -> int:
        """Number of trajectories."""
        return int(self.counts.shape[1])


def interval(replicates: Tensor, n: int, level: float = 0.95) -> tuple[float | None, float | None]:
    """The expanded percentile interval of bootstrap replicates; NaN replicates are left out.

    Quantiles at Φ(±√(n/(n−1)) t_{n−1}) in place of Φ(±z), which mends the percentile interval's
    narrowness in small samples (Hesterberg 2015, "What teachers should know about the
    bootstrap", section 4.3).
    """
    # Here, because it takes as long to import as all of goldstone.
    from scipy.special import ndtr, stdtrit

    finite = replicates[torch.isfinite(replicates)]
    if n < 2 or len(finite) < max(2, len(replicates) // 2):
        return None, None
    quantile = float(stdtrit(n - 1, (1 - level) / 2))
    tail = float(ndtr(sqrt(n / (n - 1)) * quantile))
    low, high = torch.quantile(finite, torch.tensor([tail, 1 - tail], dtype=finite.dtype))
    return float(low), float(high)


def by_trajectory(values: Tensor, trajectory: Tensor) -> Tensor:
    """Mean of ``values`` within each trajectory."""
    n = int(trajectory.max()) + 1
    sums = torch.zeros(n, dtype=torch.float64).index_add_(0, trajectory, values.double())
    return sums / torch.bincount(trajectory, minlength=n)


def mean_statistic(
    values: Tensor, trajectory: Tensor, bootstrap: Bootstrap
) -> tuple[Statistic, Tensor]:
    """Mean over trajectories of per-sample ``values``, quartiles over samples; and replicates.

    A mean that is not finite is None, and so is its interval.
    """
    values = values.double().cpu()
    means = by_trajectory(values, trajectory)
    replicates = bootstrap.counts @ means / bootstrap.n
    q1, median, q3 = quartiles(values)
    estimate = float(means.mean())
    if not isfinite(estimate):
        return Statistic(None, None, None, bootstrap.n, median, q1, q3), replicates
    low, high = interval(replicates, bootstrap.n)
    return Statistic(estimate, low, high, bootstrap.n, median, q1, q3), replicates


def median_statistic(values: Tensor, trajectory: Tensor, bootstrap: Bootstrap) -> Statistic:
    """Median over samples, its interval by resampling trajectories."""
    values = values.double().cpu()
    grouped = torch.stack([values[trajectory == t] for t in range(bootstrap.n)])
    replicates = grouped[bootstrap.draws].flatten(1).nanquantile(0.5, dim=1)
    low, high = interval(replicates, bootstrap.n)
    q1, median, q3 = quartiles(values)
    return Statistic(median, low, high, bootstrap.n, median, q1, q3)


def quartiles(values: Tensor) -> tuple[float | None, float | None, float | None]:
    """First quartile, median and third quartile of the finite values; None if there are none."""
    finite = values[torch.isfinite(values)]
    if len(finite) == 0:
        return None, None, None
    levels = torch.tensor([0.25, 0.5, 0.75], dtype=finite.dtype)
    q1, median, q3 = torch.quantile(finite, levels)
    return float(q1), float(median), float(q3)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Holm's step-down adjusted p-values, max over smaller ones of (m − rank) p, at most 1."""
    adjusted, running = {}, 0.0
    for rank, (name, p) in enumerate(sorted(p_values.items(), key=lambda item: item[1])):
        running = max(running, min(1.0, (len(p_values) - rank) * p))
        adjusted[name] = running
    return {name: adjusted[name] for name in p_values}
