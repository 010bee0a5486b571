"""Inner products in the Gauss–Newton metric restricted to the span of the gradients."""

import torch
from torch import Tensor

DISCARDED_ENERGY = 1e-4
RELATIVE_DAMPING = 1e-6


def galerkin_gram(
    gram: Tensor,
    output_gram: Tensor,
    discarded_energy: float = DISCARDED_ENERGY,
    relative_damping: float = RELATIVE_DAMPING,
) -> Tensor:
    """Gᵀ Q M⁻¹ Qᵀ G for gradients G (columns), from two small Gram matrices.

    With G = U S Vᵀ, k the smallest rank whose discarded energy Σ_{i>k} s_i²/Σ s_i² is at most
    ``discarded_energy``, and Q = U_k: M = Qᵀ η Q + λ 1, η = JᵀJ/N_out, λ = ``relative_damping`` ·
    tr(Qᵀ η Q)/k. Since Q = G V_k S_k⁻¹, GᵀG and GᵀηG suffice, and no vector of the size of the
    model is touched.

    This inverts η *within the span*: (QᵀηQ + λ)⁻¹ is not Qᵀ(η + λ)⁻¹Q, and it depends on which
    gradients are included. For the unrestricted solve see :func:`gauss_newton_gram`.

    Args:
        gram: GᵀG, (m, m).
        output_gram: GᵀηG = (JG)ᵀ(JG)/N_out, (m, m).
        discarded_energy: share of the gradients' energy that the span may leave out.
        relative_damping: λ as a share of the mean curvature in the span.

    Returns:
        (m, m) in float64.

    Source: Amarel et al., "Loss Landscape Geometry and the Learning of Symmetries", App. D; their
    λ is absolute, 1e-6.
    """
    gram, output_gram = gram.double(), output_gram.double()
    energies, vectors = torch.linalg.eigh((gram + gram.T) / 2)
    energies, vectors = energies.flip(0).clamp_min(0), vectors.flip(1)
    total = energies.sum()
    if total == 0:
        return torch.zeros_like(gram)
    discarded = 1 - energies.cumsum(0) / total
    # Rounding may leave a share that no direction holds: no more of them than the rank.
    rank = int((energies > energies[0] * len(gram) * torch.finfo(energies.dtype).eps).sum())
    k = min(int((discarded > discarded_energy).sum()) + 1, rank)
    s, v = energies[:k].sqrt(), vectors[:, :k]
    restricted = (v.T @ output_gram @ v) / s[:, None] / s[None, :]
    damping = relative_damping * restricted.diagonal().mean()
    metric = (restricted + restricted.T) / 2 + damping * torch.eye(
        k, dtype=s.dtype, device=s.device
    )
    coordinates = s[:, None] * v.T
    return torch.matmul(coordinates.T, torch.linalg.solve(metric, coordinates))
