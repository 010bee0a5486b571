"""The principal logarithm of a matrix, by inverse scaling and squaring, and the functions φ_k."""

import numpy as np
import torch
from torch import Tensor

from goldstone.groups.matrix.exponential import matrix_exponential
from goldstone.groups.matrix.norms import matrix_norm

NODES = 12
"""Gauss–Legendre nodes; the [12/12] Padé approximant of log(1 + X) is exact to rounding below."""

NEAR = 0.5
"""The norm of X up to which the approximant is used."""

MOST_ITERATIONS = 80
MOST_ROOTS = 60


def matrix_logarithm(a: Tensor) -> Tensor:
    """The principal logarithm: log A = 2^s · log A^(1/2^s), differentiable to any order.

    Square roots are taken until ‖A^(1/2^s) − 1‖ ≤ 1/2, for each matrix as many as it needs; then
    log(1 + X) = ∫₀¹ X (1 + tX)⁻¹ dt by Gauss–Legendre quadrature, which is the diagonal Padé
    approximant. Kenney and Laub, SIAM J. Matrix Anal. Appl. 10 (1989) 191; Dieci, Morini and
    Papini, ibid. 17 (1996) 570, eq. 2.3.

    Args:
        a: matrices (*batch, n, n), real or complex, with no eigenvalue on the closed negative real
            axis; :func:`off_the_cut` says which have none.

    Returns:
        (*batch, n, n), eigenvalues with imaginary parts in (−π, π).
    """
    one = torch.eye(a.shape[-1], dtype=a.dtype, device=a.device)
    root, scale = a, torch.ones(a.shape[:-2], dtype=one.real.dtype, device=a.device)
    for _ in range(MOST_ROOTS):
        far = matrix_norm(root.detach() - one) > NEAR
        if not bool(far.any()):
            break
        root = torch.where(far[..., None, None], matrix_square_root(root), root)
        scale = torch.where(far, 2.0 * scale, scale)
    x = root - one
    on_interval, for_interval = np.polynomial.legendre.leggauss(NODES)
    shape = (NODES, *[1] * a.dim())
    node = torch.tensor((1.0 + on_interval) / 2.0).to(one).reshape(shape)
    weight = torch.tensor(for_interval / 2.0).to(one).reshape(shape)
    terms = torch.linalg.solve(one + node * x, x.expand(NODES, *x.shape))
    integral: Tensor = (weight * terms).sum(0)
    return scale[..., None, None] * integral


def matrix_square_root(a: Tensor) -> Tensor:
    """The principal square root, by the iteration of Denman and Beavers.

    Y ← (Y + Z⁻¹)/2, Z ← (Z + Y⁻¹)/2 from Y = A, Z = 1: Y → A^(1/2), quadratically. Int. J.
    Control 17 (1976) 7; Higham, Functions of Matrices (2008), eq. 6.15.
    """
    y, z = a, torch.eye(a.shape[-1], dtype=a.dtype, device=a.device).expand_as(a)
    # Derivatives converge one step behind the values each: two more steps serve the second ones.
    further = 2
    for _ in range(MOST_ITERATIONS):
        before = y.detach()
        y, z = (y + torch.linalg.inv(z)) / 2, (z + torch.linalg.inv(y)) / 2
        change = matrix_norm(y.detach() - before)
        if bool((change <= 1e-7 * matrix_norm(before)).all()):
            further -= 1
        if further < 0:
            break
    return y


def off_the_cut(a: Tensor, margin: float) -> Tensor:
    """Which matrices have all eigenvalues λ with |arg λ| < π − margin, and none zero."""
    eigenvalues = torch.linalg.eigvals(a.detach())
    away = eigenvalues.angle().abs() < torch.pi - margin
    inside: Tensor = (away & (eigenvalues != 0)).all(-1)
    return inside


def phi_functions(x: Tensor, order: int) -> list[Tensor]:
    """φ_0(X) = exp X, φ_1(X), …, φ_order(X), where φ_k(X) = Σ_j X^j / (j + k)!.

    All at once, as the first row of blocks of the exponential of a block matrix: X and 1 in the
    first row, ones on the superdiagonal below. Al-Mohy and Higham, SIAM J. Sci. Comput. 33 (2011)
    488, theorem 2.1.
    """
    n = x.shape[-1]
    one = torch.eye(n, dtype=x.dtype, device=x.device)
    shift = torch.diag(torch.ones(order, dtype=x.dtype, device=x.device), 1)
    corner = torch.zeros((order + 1, order + 1), dtype=x.dtype, device=x.device)
    corner[0, 0] = 1.0
    blocks = torch.kron(shift, one) + torch.einsum("ab,...ij->...aibj", corner, x).reshape(
        *x.shape[:-2], (order + 1) * n, (order + 1) * n
    )
    row = matrix_exponential(blocks)[..., :n, :]
    return list(torch.split(row, n, -1))
