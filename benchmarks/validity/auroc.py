"""Area under the ROC curve of many weighted resamples at once."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def auroc(scores: Array, labels: Array, counts: Array | None = None) -> Array:
    """P(score of a positive > score of a negative) + ½ P(equal), for each row of counts.

    The Mann–Whitney form of the area (Hanley and McNeil 1982). Observations whose score or label
    is not finite are left out.

    Args:
        scores: (n,), higher for positives.
        labels: (n,), 1 or 0.
        counts: (B, n), how often each observation is drawn; each once if None.

    Returns:
        (B,), NaN where one class is missing.
    """
    counts = np.ones((1, len(scores))) if counts is None else counts
    known = np.flatnonzero(np.isfinite(scores) & np.isfinite(labels))
    if not known.size:
        return np.full(len(counts), np.nan)
    order = known[np.argsort(scores[known], kind="stable")]
    starts = tie_starts(scores[order])
    drawn, positive = counts[:, order], labels[order] > 0.5
    positives = np.add.reduceat(drawn * positive, starts, axis=1)
    negatives = np.add.reduceat(drawn * ~positive, starts, axis=1)
    below = negatives.cumsum(1) - negatives / 2
    pairs = positives.sum(1) * negatives.sum(1)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(pairs > 0, (positives * below).sum(1) / pairs, np.nan))


def tie_starts(ordered: Array) -> NDArray[np.int64]:
    """Where runs of equal values begin in sorted ones."""
    return np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
