"""The gauge correction of a loss: what noise adds to it on a gauge slice."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from goldstone.core import InputError

Slice = Callable[..., Tensor]
"""χ of the factors, a vector (c): zero on the gauge slice."""


def gauge_correction(chi: Slice, *factors: Tensor) -> Tensor:
    """½ log det(∇χ∇χᵀ), ∇χ the Jacobian (c, p) of all factors' entries together; a number.

    Differentiable, and batched by ``torch.func.vmap``.

    Args:
        chi: the gauge slice, of independent components.
        factors: tensors, the point.

    Raises:
        InputError: χ is no vector, or has more components than there are entries.
    """
    parts = torch.func.jacrev(chi, argnums=tuple(range(len(factors))))(*factors)
    if any(part.ndim != 1 + factor.ndim for part, factor in zip(parts, factors, strict=True)):
        raise InputError("expected a gauge slice χ that is a vector; unsqueeze a single number")
    jacobian = torch.cat([part.flatten(1) for part in parts], 1)
    if jacobian.shape[0] > jacobian.shape[1]:
        raise InputError(
            f"expected at most as many gauge conditions as parameters, got {jacobian.shape[0]} "
            f"for {jacobian.shape[1]}"
        )
    gram = jacobian @ jacobian.mT
    result: Tensor = 0.5 * torch.linalg.slogdet(gram).logabsdet
    return result


@dataclass(frozen=True)
class EffectiveLoss:
    """L_eff = L + (T/2) log det(∇χ∇χᵀ) on a gauge slice χ = 0.

    The stationary measure e^{−L/T} *conditioned* on |χ| < ε, ε → 0, has the density e^{−L_eff/T} on
    the slice, with respect to its own (Hausdorff) measure: by the coarea formula the layer |χ| < ε
    is thick as det(∇χ∇χᵀ)^{−1/2}. It is not the *marginal* density of the predictor, in which every
    orbit counts with all its points.

    Attributes:
        loss: L of the factors, a number.
        chi: the gauge slice.
        temperature: T ≥ 0.

    References:
        arXiv 2601.06597.
    """

    loss: Callable[..., Tensor]
    chi: Slice
    temperature: float

    def __post_init__(self) -> None:
        if not self.temperature >= 0:
            raise InputError(f"expected a temperature ≥ 0, got {self.temperature}")

    def __call__(self, *factors: Tensor) -> Tensor:
        """L_eff at a point of the slice, a number."""
        correction = gauge_correction(self.chi, *factors)
        return self.loss(*factors) + self.temperature * correction
