"""Inverse design: a redundant parametrisation for a wanted bias, and what it will do."""

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from goldstone.core import InputError
from goldstone.weightspace.mirror.constraints import (
    Constraint,
    LowRank,
    PiecewiseConstant,
    Sparsity,
    redundant_parametrisations,
)

Bias = Literal["sparsity", "group sparsity", "low rank", "total variation"]


def parametrisation_for(bias: Bias, axis: int = 0) -> Constraint:
    """The redundant parametrisation whose effective potential has a wanted bias.

    ============== ============================ ============== ==========================
    bias           parametrisation              weight decay λ noise T, on the gauge slice
    ============== ============================ ============== ==========================
    sparsity       w = u ⊙ v                    λ Σ|wᵢ|        (T/2) Σ log|wᵢ|
    group sparsity w_g = u_g v_g                λ Σ‖w_g‖       (T/2) Σ log‖w_g‖
    low rank       W = PQ                       λ Σσᵢ          (T/2) Σ_{i≤j} log(σᵢ + σⱼ)
    total variation Dw = u ⊙ v (running sums)   λ Σ|Dw|        (T/2) Σ log|Dw|
    ============== ============================ ============== ==========================

    Args:
        bias: what is wanted.
        axis: of the groups, or along which neighbours are compared.

    Returns:
        For :func:`goldstone.weightspace.constrain_by_symmetry`.

    Raises:
        InputError: there is none for such a bias.
    """
    if bias not in get_args(Bias):
        raise InputError(f"expected a bias among {', '.join(get_args(Bias))}, got {bias!r}")
    if bias == "sparsity":
        return Sparsity()
    if bias == "group sparsity":
        return Sparsity(axes=(axis,))
    return LowRank() if bias == "low rank" else PiecewiseConstant(axis)


@dataclass(frozen=True)
class EffectivePotential:
    """What weight decay and noise add to the loss of one redundant weight.

    Attributes:
        weight: its full name.
        decay: λ of the factors, as the gradient sees it.
        temperature: T of the noise.
        decay_formula: of ``decay_term/λ``.
        gauge_formula: of ``gauge_term/T``.
        decay_term: λ times the least ½Σ‖factor‖².
        gauge_term: T·½ log det(∇χ∇χᵀ), of the measure conditioned on the gauge slice where factors
            are balanced.
    """

    weight: str
    decay: float
    temperature: float
    decay_formula: str
    gauge_formula: str
    decay_term: float
    gauge_term: float

    def __str__(self) -> str:
        return (
            f"{self.weight}: {self.decay:g} · {self.decay_formula} + {self.temperature:g} · "
            f"{self.gauge_formula} = {self.decay_term:.4g} + {self.gauge_term:.4g}"
        )


def effective_potentials(
    model: nn.Module, decay: float, temperature: float
) -> tuple[EffectivePotential, ...]:
    """The predicted effective potential of each redundant weight of a model.

    Args:
        model: with weights that :func:`goldstone.weightspace.constrain_by_symmetry` has changed.
        decay: λ, ``weight_decay`` of the factors.
        temperature: T. Of SGD about lr·(variance of the gradient's noise)/2, where it is isotropic.

    Raises:
        InputError: there is no such weight, or a number is negative.
    """
    if decay < 0 or temperature < 0:
        raise InputError(f"expected decay and temperature ≥ 0, got {decay} and {temperature}")
    found = []
    with torch.no_grad():
        for name, parametrisation, _, weight in redundant_parametrisations(model):
            norm, correction = (
                float(term)
                for term in (
                    parametrisation.induced_norm(weight),
                    parametrisation.gauge_potential(weight),
                )
            )
            found.append(
                EffectivePotential(
                    weight=name,
                    decay=decay,
                    temperature=temperature,
                    decay_formula=parametrisation.decay_formula,
                    gauge_formula=parametrisation.gauge_formula,
                    decay_term=decay * norm,
                    gauge_term=temperature * correction if temperature else 0.0,
                )
            )
    if not found:
        raise InputError(
            f"no weight of this {type(model).__name__} is redundant; call constrain_by_symmetry "
            "with parametrisation_for(…) first"
        )
    return tuple(found)


def gradient_noise_temperature(gradients: Tensor, batch: int, learning_rate: float) -> float:
    """T = lr·σ²/2, σ² the mean variance of a mini-batch gradient's entries.

    So SGD with isotropic noise is, to first order in the learning rate, a Langevin equation
    θ' = −∇L + √(2T) ξ in the time lr·steps. Noise of networks is far from isotropic: T is then no
    more than a scale.

    Args:
        gradients: of single samples, (n, p), n ≥ 2.
        batch: samples in a mini-batch, drawn with replacement.
        learning_rate: of SGD without momentum; divide it by 1 − μ with momentum μ.

    Raises:
        InputError: there are fewer than two samples, or a number is not positive.
    """
    if gradients.ndim != 2 or len(gradients) < 2 or batch < 1 or not learning_rate > 0:
        raise InputError(
            "expected gradients (n ≥ 2, p), a batch ≥ 1 and a learning rate > 0, got "
            f"{tuple(gradients.shape)}, {batch} and {learning_rate}"
        )
    variance = float(gradients.double().var(0).mean()) / batch
    return learning_rate * variance / 2
