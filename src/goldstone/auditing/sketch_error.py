"""The chance in statistics of sketched gradients: a jackknife over the sketches."""

from collections.abc import Sequence

import torch
from torch import Tensor

from goldstone.core import generator


def jackknife_error(leaves: Sequence[float]) -> float:
    """√((R − 1)/R Σ (θ_(r) − mean)²): the standard error of θ from R estimates that leave one out.

    0 without any: nothing was estimated. Source: Efron & Stein 1981, "The Jackknife Estimate of
    Variance"; it is conservative in the mean for smooth statistics.
    """
    count = len(leaves)
    if not count:
        return 0.0
    values = torch.tensor(leaves, dtype=torch.float64)
    return float(((count - 1) / count * (values - values.mean()).square().sum()).sqrt())


def blurred(replicates: Tensor, error: float, sketches: int, seed: int) -> Tensor:
    """Replicates each moved by ``error`` times a Student t of ``sketches`` − 1 degrees of freedom.

    Their quantiles are those of the sum of both kinds of chance, which are independent.
    """
    if not sketches:
        return replicates
    source = generator(seed, "sketch error")
    freedom = sketches - 1
    normal = torch.randn(freedom + 1, len(replicates), generator=source, dtype=torch.float64)
    student = normal[0] / normal[1:].square().mean(0).sqrt()
    return torch.add(replicates, student, alpha=error)
