"""The logarithm of Lorentz transformations in closed form."""

import torch
from torch import Tensor

SMALL = 1e-2


def lorentz_logarithm(a: Tensor) -> tuple[Tensor, Tensor]:
    """Coordinates along J and K of the logarithm, by way of SL(2, ℂ); and the angles of rotation.

    With Λ_ab = ½ tr(σ_a A σ_b A†), σ_0 = 1, the completeness of the σ_a gives
    Σ Λ_ab σ_a σ_b = 2 tr(A†) A =: w + v·σ. Scaled to determinant 1, w = cosh ζ/2 and
    v = n sinh ζ/2 for the complex rapidity ζ = r + iθ, and k − ij = ζ n for the coordinates j, k.
    The error is about e^r rounding errors, where a general logarithm makes e^2r, and near a half
    turn without a boost 1/(π − θ) of them.

    Args:
        a: restricted Lorentz transformations (*batch, 4, 4) on (t, x, y, z).

    Returns:
        (*batch, 6), J_x … K_z, and |θ| ≤ π, (*batch); π where θ is not below it.
    """
    turn = torch.stack([a[..., i, j] - a[..., j, i] for i, j in ((2, 3), (3, 1), (1, 2))], -1)
    v = torch.complex(a[..., 0, 1:] + a[..., 1:, 0], turn)
    w = torch.complex(a.diagonal(dim1=-2, dim2=-1).sum(-1), torch.zeros_like(a[..., 0, 0]))
    determinant = w.square() - v.square().sum(-1)
    # A half turn has none.
    lost = determinant.abs() == 0
    scale = torch.where(lost, 1.0, determinant).sqrt()
    w, v = w / scale, v / scale[..., None]
    square = v.square().sum(-1)
    divisor = torch.where(w.abs() == 0, 1.0, w)
    small = (square.abs() < SMALL * divisor.abs().square()) & ~lost
    t = torch.where(small, square / divisor.square(), 0.0)
    # ar tanh √t / √t
    series = 1 + t * (1 / 3 + t * (1 / 5 + t * (1 / 7 + t * (1 / 9 + t * (1 / 11 + t / 13)))))
    sine = torch.where(small | (square.abs() == 0), 1.0, square).sqrt()
    # Of the two roots that which adds to w without cancellation; the ratio is even in it.
    sine = torch.where((w.conj() * sine).real.detach() < 0, -sine, sine)
    half = torch.where(small, 1.0, w + sine).log()
    ratio = 2 * torch.where(small, series / divisor, half / sine)
    x = ratio[..., None] * v
    rapidity = ratio.detach() * torch.where(small, square, sine.square()).detach().sqrt()
    angle = torch.where(lost, torch.pi, rapidity.imag.abs())
    return torch.cat((-x.imag, x.real), -1), angle
