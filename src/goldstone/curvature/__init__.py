"""Floor 3: per-sample gradients and the metrics in which they are compared."""

from goldstone.curvature.galerkin import galerkin_gram
from goldstone.curvature.gauss_newton import GaussNewtonSolve, gauss_newton_gram
from goldstone.curvature.output_jvp import output_jvps
from goldstone.curvature.parameters import trainable_parameters
from goldstone.curvature.per_sample import per_sample_gradients

__all__ = [
    "GaussNewtonSolve",
    "galerkin_gram",
    "gauss_newton_gram",
    "output_jvps",
    "per_sample_gradients",
    "trainable_parameters",
]
