"""The Kronecker-factored approximation of the Gauss–Newton metric."""

from goldstone.curvature.block_metric import BlockMetric, damped_metric, eigenbases
from goldstone.curvature.kronecker_blocks import KroneckerFactors


def kfac(factors: KroneckerFactors, relative_damping: float) -> BlockMetric:
    """The metric left ⊗ right + λ of every linear map, exactly inverted in its eigenbasis.

    λ = ``relative_damping`` · mean curvature is added to the product of the factors and not to each
    of them, so the metric is damped as the full one would be (Martens & Grosse 2015, sec. 6.3, do
    the latter).
    """
    return damped_metric("k-fac", eigenbases(factors), factors, relative_damping)
