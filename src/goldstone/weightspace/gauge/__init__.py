"""Implicit bias as a gauge correction: effective losses, samplers, inverse design."""

from goldstone.weightspace.gauge.effective_loss import EffectiveLoss, gauge_correction
from goldstone.weightspace.gauge.marginals import hadamard_marginal
from goldstone.weightspace.gauge.potentials import (
    Bias,
    EffectivePotential,
    effective_potentials,
    gradient_noise_temperature,
    parametrisation_for,
)
from goldstone.weightspace.gauge.samplers import langevin_samples, sgd_samples
from goldstone.weightspace.gauge.slices import (
    column_ratios,
    column_slice,
    factor_slice,
    norm_ratios,
    norm_slice,
)

__all__ = [
    "Bias",
    "EffectiveLoss",
    "EffectivePotential",
    "column_ratios",
    "column_slice",
    "effective_potentials",
    "factor_slice",
    "gauge_correction",
    "gradient_noise_temperature",
    "hadamard_marginal",
    "langevin_samples",
    "norm_ratios",
    "norm_slice",
    "parametrisation_for",
    "sgd_samples",
]
