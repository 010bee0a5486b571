"""Spearman's rank correlation of many weighted resamples at once."""

import numpy as np
from numpy.typing import NDArray

from benchmarks.validity.auroc import tie_starts

Array = NDArray[np.float64]


def rank_correlation(x: Array, y: Array, counts: Array | None = None) -> Array:
    """Pearson's correlation of midranks, for each row of counts.

    Args:
        x: (n,).
        y: (n,); observations where either is not finite are left out.
        counts: (B, n), how often each observation is drawn; each once if None.

    Returns:
        (B,), NaN where fewer than two values are drawn of either.
    """
    counts = np.ones((1, len(x))) if counts is None else counts
    known = np.isfinite(x) & np.isfinite(y)
    if known.sum() < 2:
        return np.full(len(counts), np.nan)
    drawn = counts[:, known]
    a, b = _midranks(x[known], drawn), _midranks(y[known], drawn)

    def covariance(u: Array, v: Array) -> Array:
        return np.asarray((drawn * u * v).sum(1))

    with np.errstate(invalid="ignore", divide="ignore"):
        variance = covariance(a, a) * covariance(b, b)
        found = covariance(a, b) / np.sqrt(variance)
    return np.asarray(np.where(variance > 1e-9, found, np.nan))


def _midranks(values: Array, drawn: Array) -> Array:
    """Midranks in each resample, less their mean there."""
    order = np.argsort(values, kind="stable")
    starts = tie_starts(values[order])
    sizes = np.add.reduceat(drawn[:, order], starts, axis=1)
    ranks = sizes.cumsum(1) - sizes / 2
    runs = np.searchsorted(starts, np.arange(len(values)), side="right") - 1
    found = np.empty_like(drawn)
    found[:, order] = ranks[:, runs]
    mean = (drawn * found).sum(1) / np.maximum(drawn.sum(1), 1)
    return np.asarray(found - mean[:, None])
