"""Where a curve falls below a threshold, and how sure that is."""

from collections.abc import Sequence
from math import exp, inf, isfinite, log, sqrt

import torch
from torch import Tensor

from goldstone.core import Statistic

Z = 1.96


def crossing(places: Sequence[float], values: Sequence[float], threshold: float) -> float:
    """The place from which two values in a row are below the threshold; infinity if there is none.

    Between places by interpolation along their logarithm.
    """
    below = [value < threshold for value in values]
    last = len(places) - 1
    for k in range(len(places)):
        if below[k] and below[min(k + 1, last)]:
            if k == 0 or places[k - 1] <= 0:
                return places[k]
            share = (values[k - 1] - threshold) / (values[k - 1] - values[k])
            return float(places[k - 1] * (places[k] / places[k - 1]) ** share)
    return inf


def crossing_statistic(
    places: Sequence[float],
    estimate: Sequence[float],
    replicates: Tensor,
    threshold: float,
    model_error: float,
    n: int,
) -> Statistic:
    """The crossing with an interval in its logarithm.

    The bootstrap's spread and the error of the forecast itself, a standard deviation of the log,
    add in squares. An end that lies beyond the places is None.

    Args:
        places: positive, increasing.
        estimate: the curve.
        replicates: (r, places) curves of resampled data.
        threshold: to fall below.
        model_error: standard deviation of log(forecast/true).
        n: of independent samples.
    """
    value = crossing(places, estimate, threshold)
    found = torch.tensor(
        [crossing(places, row, threshold) for row in replicates.tolist()], dtype=torch.float64
    )
    low, high = (float(torch.quantile(found, p, interpolation="nearest")) for p in (0.025, 0.975))
    if not isfinite(value):
        return Statistic(None, low * exp(-Z * model_error) if isfinite(low) else None, None, n)

    def end(bound: float, sign: int) -> float | None:
        if not isfinite(bound):
            return None
        return value * exp(sign * sqrt(log(bound / value) ** 2 + (Z * model_error) ** 2))

    upper = end(high, 1)
    return Statistic(value, end(low, -1), upper if (upper or inf) <= 3 * places[-1] else None, n)
