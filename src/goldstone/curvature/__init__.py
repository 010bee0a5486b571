"""Floor 3: per-sample gradients and the metrics in which they are compared."""

from goldstone.curvature.adam import adam_metric
from goldstone.curvature.block_metric import BlockMetric
from goldstone.curvature.diagonal import (
    DiagonalMetric,
    empirical_fisher_diagonal,
    gauss_newton_diagonal,
)
from goldstone.curvature.ekfac import ekfac
from goldstone.curvature.empirical_fisher import EmpiricalFisherProducts, empirical_fisher_gram
from goldstone.curvature.galerkin import galerkin_gram
from goldstone.curvature.gauss_newton import GaussNewtonSolve, gauss_newton_gram
from goldstone.curvature.inner_products import chunk_rows, inner_products, memory_bytes
from goldstone.curvature.kfac import kfac
from goldstone.curvature.kronecker_factors import Coverage, KroneckerFactors, kronecker_factors
from goldstone.curvature.output_jvp import output_jvps
from goldstone.curvature.output_probes import probe_rows
from goldstone.curvature.parameters import trainable_parameters
from goldstone.curvature.per_sample import per_sample_gradients
from goldstone.curvature.randomised_gauss_newton import (
    RandomisedGaussNewton,
    randomised_gauss_newton_gram,
)

__all__ = [
    "BlockMetric",
    "Coverage",
    "KroneckerFactors",
    "ekfac",
    "kfac",
    "kronecker_factors",
    "DiagonalMetric",
    "EmpiricalFisherProducts",
    "GaussNewtonSolve",
    "RandomisedGaussNewton",
    "adam_metric",
    "chunk_rows",
    "empirical_fisher_diagonal",
    "empirical_fisher_gram",
    "galerkin_gram",
    "gauss_newton_diagonal",
    "gauss_newton_gram",
    "inner_products",
    "memory_bytes",
    "output_jvps",
    "per_sample_gradients",
    "probe_rows",
    "randomised_gauss_newton_gram",
    "trainable_parameters",
]
