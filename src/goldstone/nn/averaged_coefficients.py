"""Coefficients of equivariant kernels over harmonics of one frequency, by group averaging."""

import torch
from torch import Tensor

from goldstone.representations import Representation, image_basis


def averaged_coefficients(
    source: Representation, target: Representation, elements: Tensor, action: Tensor
) -> Tensor:
    """An orthonormal basis of Hom_G(source ⊗ H, target).

    It is that of the image of the projector C ↦ mean_g ρ_out C (ρ_in ⊗ H)ᵀ.

    Args:
        source: a real orthogonal representation, ρ_in.
        target: one of the same group, ρ_out.
        elements: those whose mean is the group's.
        action: the matrices of H, (elements, n, n), orthogonal.

    Returns:
        float64 (basis, target dimension, source dimension, n).
    """
    rho_out, rho_in = target.matrix_unchecked(elements), source.matrix_unchecked(elements)
    mean = torch.einsum("goO,giI,gaA->oiaOIA", rho_out, rho_in, action) / len(elements)
    shape = mean.shape[:3]
    return image_basis(mean.reshape(shape.numel(), -1)).reshape(-1, *shape)
