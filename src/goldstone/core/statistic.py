"""One measured number with its uncertainty."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Statistic:
    """An estimate with its interval.

    Attributes:
        estimate: the point estimate, None when it is not defined.
        low, high: 95 % interval; None when there is none.
        n: number of independent samples (trajectories) behind it.
        median, q1, q3: over samples, where the statistic is a mean over samples.
    """

    estimate: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    median: float | None = None
    q1: float | None = None
    q3: float | None = None
