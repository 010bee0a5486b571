"""Floor 3: per-sample gradients and the metrics in which they are compared."""

from goldstone.curvature.adam import adam_metric
from goldstone.curvature.batched_gradients import BatchedGradients, batched_gradients
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
from goldstone.curvature.hutchpp import TraceEstimate, deflated_trace, hutchpp
from goldstone.curvature.inner_products import chunk_rows, inner_products, memory_bytes
from goldstone.curvature.kfac import kfac
from goldstone.curvature.kronecker_blocks import Coverage, KroneckerFactors
from goldstone.curvature.kronecker_factors import kronecker_factors
from goldstone.curvature.lanczos import Eigenpairs, lanczos
from goldstone.curvature.operators import (
    CurvatureOperator,
    dense_operator,
    gauss_newton_operator,
    hessian_operator,
)
from goldstone.curvature.output_jvp import output_jvps
from goldstone.curvature.output_probes import probe_rows
from goldstone.curvature.parameters import trainable_parameters
from goldstone.curvature.per_sample import per_sample_gradients
from goldstone.curvature.randomised_gauss_newton import (
    RandomisedGaussNewton,
    randomised_gauss_newton_gram,
)
from goldstone.curvature.sketch import (
    CountSketch,
    GradientSketch,
    SketchedGram,
    sketch_gradients,
)
from goldstone.curvature.tree_batches import TreeBatch, TreeModel
from goldstone.curvature.woodbury import woodbury_products

__all__ = [
    "BatchedGradients",
    "BlockMetric",
    "CountSketch",
    "Coverage",
    "CurvatureOperator",
    "DiagonalMetric",
    "Eigenpairs",
    "EmpiricalFisherProducts",
    "GaussNewtonSolve",
    "GradientSketch",
    "KroneckerFactors",
    "RandomisedGaussNewton",
    "SketchedGram",
    "TraceEstimate",
    "TreeBatch",
    "TreeModel",
    "adam_metric",
    "batched_gradients",
    "chunk_rows",
    "deflated_trace",
    "dense_operator",
    "ekfac",
    "empirical_fisher_diagonal",
    "empirical_fisher_gram",
    "galerkin_gram",
    "gauss_newton_diagonal",
    "gauss_newton_gram",
    "gauss_newton_operator",
    "hessian_operator",
    "hutchpp",
    "inner_products",
    "kfac",
    "kronecker_factors",
    "lanczos",
    "memory_bytes",
    "output_jvps",
    "per_sample_gradients",
    "probe_rows",
    "randomised_gauss_newton_gram",
    "sketch_gradients",
    "trainable_parameters",
    "woodbury_products",
]
