"""Inner products in a metric of low rank plus damping, from Gram matrices alone."""

import torch
from torch import Tensor

from goldstone.core import InputError


def woodbury_products(gram: Tensor, cross: Tensor, span_gram: Tensor, damping: float) -> Tensor:
    """Gᵀ(SᵀS + λ)⁻¹G = (1/λ)[GᵀG − GᵀSᵀ(λ + SSᵀ)⁻¹SG], symmetric.

    Args:
        gram: GᵀG, (m, m).
        cross: GᵀSᵀ, (m, r): inner products of the gradients with the rows of S.
        span_gram: SSᵀ, (r, r).
        damping: λ > 0, in units of the metric's eigenvalues.

    Returns:
        (m, m) in float64. About log₁₀(‖SᵀS‖/λ) digits of the products are lost by cancellation, so
        they should come from :func:`inner_products`.

    Raises:
        InputError: λ is not positive, or the shapes do not fit.
    """
    check_damping(damping)
    gram, cross, span_gram = gram.double(), cross.double(), span_gram.double()
    if cross.shape != (len(gram), len(span_gram)):
        raise InputError(
            f"expected products of {len(gram)} gradients with {len(span_gram)} rows, got a matrix "
            f"of shape {tuple(cross.shape)}"
        )
    # In the eigenbasis of SSᵀ the two terms are subtracted weight by weight where they can be.
    weights, vectors = torch.linalg.eigh((span_gram + span_gram.T) / 2)
    coordinates = cross @ vectors
    result = (gram - (coordinates / (damping + weights.clamp_min(0))) @ coordinates.T) / damping
    return torch.div(result + result.T, 2)


def span_products(gram: Tensor, weight: float, damping: float) -> Tensor:
    """Gᵀ(w GGᵀ + λ)⁻¹G = K(wK + λ)⁻¹ with K = GᵀG: the gradients span the metric themselves.

    No cancellation, unlike :func:`woodbury_products` for the same.
    """
    check_damping(damping)
    gram = gram.double()
    energies, vectors = torch.linalg.eigh((gram + gram.T) / 2)
    energies = energies.clamp_min(0)
    return torch.matmul(vectors * (energies / (weight * energies + damping)), vectors.T)


def check_damping(damping: float) -> None:
    """Raise unless λ is a positive number."""
    if not 0 < damping < float("inf"):
        raise InputError(f"expected a positive damping, got {damping}")
