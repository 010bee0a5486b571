"""Haar measure on the orthogonal and unitary groups."""

import torch
from torch import Tensor


def haar_orthogonal(generator: torch.Generator, shape: tuple[int, ...], n: int) -> Tensor:
    """Matrices of O(n), (*shape, n, n), from Haar measure.

    QR of a matrix of normal variables, R's diagonal made positive: without that the distribution
    depends on the routine's choice of signs. Mezzadri, Notices AMS 54 (2007) 592.
    """
    normal = torch.randn(
        (*shape, n, n), generator=generator, dtype=torch.float64, device=generator.device
    )
    return _positive_qr(normal)


def haar_unitary(generator: torch.Generator, shape: tuple[int, ...], n: int) -> Tensor:
    """Matrices of U(n), (*shape, n, n), from Haar measure: as for O(n)."""
    normal = torch.randn(
        (*shape, n, n), generator=generator, dtype=torch.complex128, device=generator.device
    )
    return _positive_qr(normal)


def _positive_qr(normal: Tensor) -> Tensor:
    q, r = torch.linalg.qr(normal)
    diagonal = r.diagonal(dim1=-2, dim2=-1)
    result: Tensor = q * (diagonal / diagonal.abs())[..., None, :]
    return result


def unit_determinant(a: Tensor) -> Tensor:
    """Matrices of O(n) or U(n) with the first column divided by the determinant.

    Left multiplication by a matrix of determinant 1 commutes with it, so that Haar measure goes to
    Haar measure on SO(n) or SU(n).
    """
    column = a[..., :1] / torch.linalg.det(a)[..., None, None]
    return torch.cat((column, a[..., 1:]), -1)
