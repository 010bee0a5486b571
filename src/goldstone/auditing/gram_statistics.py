"""Statistics of inner products between trajectories, with cluster-bootstrap intervals.

Each takes ``counts`` (replicates, n), how often each trajectory is drawn, and gives a number for
each row; :func:`with_interval` makes a :class:`~goldstone.core.Statistic` of such a function.
"""

from collections.abc import Callable
from math import isfinite

import torch
from torch import Tensor

from goldstone.auditing.statistics import Bootstrap, interval
from goldstone.core import Statistic


def same_mean(matrix: Tensor, counts: Tensor) -> Tensor:
    """Mean of M_ii over the drawn trajectories."""
    return torch.div((counts * matrix.diagonal()).sum(1), counts.sum(1))


def distinct_mean(matrix: Tensor, counts: Tensor) -> Tensor:
    """Mean of M_ij over draws of different trajectories, products of one with itself left out."""
    # As torch.einsum would, which takes longer to plan such a small product than to do it.
    total = ((counts @ matrix) * counts).sum(1)
    same = (counts.square() * matrix.diagonal()).sum(1)
    return torch.div(total - same, counts.sum(1).square() - counts.square().sum(1))


def covariance(matrix: Tensor, counts: Tensor) -> Tensor:
    """Mean of M_ii less the mean of M_ij over different trajectories: ρ's numerator and variances.

    Unbiased. Of the products of vectors with themselves a replicate may be negative.
    """
    return same_mean(matrix, counts) - distinct_mean(matrix, counts)


def centred_mean(matrix: Tensor, counts: Tensor) -> Tensor:
    """½ mean of (M_ii + M_jj − M_ij − M_ji) over draws of different trajectories.

    For all trajectories once it is their :func:`covariance`. It is not negative for the products
    of vectors with themselves, in any replicate, so that parts of it are shares.
    """
    diagonal = matrix.diagonal()
    spread = (diagonal[:, None] + diagonal - matrix - matrix.T) / 2
    return distinct_mean(spread, counts)


def within_classes(
    statistic: Callable[[Tensor, Tensor], Tensor],
    matrix: Tensor,
    counts: Tensor,
    classes: Tensor | None,
) -> Tensor:
    """``statistic`` within each class, averaged over the drawn trajectories; of all if None.

    Classes without two different trajectories, drawn or at all, are left out.
    """
    if classes is None:
        return statistic(matrix, counts)
    total = torch.zeros(len(counts), dtype=matrix.dtype)
    weight = torch.zeros_like(total)
    for name in torch.unique(classes):
        members = (classes == name).nonzero()[:, 0]
        drawn = counts[:, members]
        value = statistic(matrix[members][:, members], drawn)
        known = torch.isfinite(value)
        total += torch.where(known, drawn.sum(1) * value, 0.0)
        weight += torch.where(known, drawn.sum(1), 0.0)
    return total / weight


def with_interval(function: Callable[[Tensor], Tensor], bootstrap: Bootstrap) -> Statistic:
    """The value for every trajectory once, and its interval over the resamples."""
    value = float(function(torch.ones(1, bootstrap.n, dtype=torch.float64))[0])
    if not isfinite(value):
        return Statistic(None, None, None, bootstrap.n)
    return Statistic(value, *interval(function(bootstrap.counts), bootstrap.n), bootstrap.n)
