"""Rotations as unit quaternions (w, x, y, z): closed forms that are stable at every angle."""

import torch
from torch import Tensor

SMALL = 1e-2
"""Squares of angles below which the power series serve."""


def sine_ratio(square: Tensor) -> Tensor:
    """The ratio sin θ / θ as a smooth function of θ²."""
    small = square < SMALL
    angle = torch.where(small, 1.0, square).sqrt()
    t = torch.where(small, square, 0.0)
    series = 1 + t * (-1 / 6 + t * (1 / 120 + t * (-1 / 5040 + t * (1 / 362880))))
    return torch.where(small, series, angle.sin() / angle)


def quaternion_exp(x: Tensor) -> Tensor:
    """Rotation vectors (*batch, 3) to unit quaternions: (cos θ/2, sin(θ/2) x/θ), θ = ‖x‖."""
    square = x.square().sum(-1, keepdim=True)
    half = sine_ratio(square / 4) / 2
    # cos θ/2 = 1 − 2 sin² θ/4, smooth in θ².
    cosine = 1 - square / 8 * sine_ratio(square / 16).square()
    return torch.cat((cosine, half * x), -1)


def quaternion_log(q: Tensor) -> Tensor:
    """Unit quaternions (*batch, 4) to rotation vectors of length below 2π.

    At q = −1, where the axis is undetermined, a vector of length 2π.
    """
    w, v = q[..., :1], q[..., 1:]
    square = v.square().sum(-1, keepdim=True)
    small = (square < SMALL) & (w > 0)
    t = torch.where(small, square / torch.where(small, w, 1.0).square(), 0.0)
    series = 1 - t * (1 / 3 - t * (1 / 5 - t * (1 / 7 - t * (1 / 9 - t * (1 / 11 - t / 13)))))
    lost = (square == 0) & ~small
    length = torch.where(small | lost, 1.0, square).sqrt()
    ratio = torch.where(
        small,
        2 * series / torch.where(small, w, 1.0),
        2 * torch.atan2(torch.where(lost, 0.0, length), w) / length,
    )
    axis = torch.where(lost, torch.tensor([1.0, 0.0, 0.0], dtype=v.dtype, device=v.device), v)
    return ratio * axis


def quaternion_from_rotation(r: Tensor) -> Tensor:
    """Rotation matrices (*batch, 3, 3) to unit quaternions with w ≥ 0.

    From the largest row of 4qqᵀ, which is linear in the matrix: no cancellation at any angle.
    Shepperd, J. Guidance and Control 1 (1978) 223.
    """
    a, b, c = r[..., 0, 0], r[..., 1, 1], r[..., 2, 2]
    x, y, z = (r[..., i, j] - r[..., j, i] for i, j in ((2, 1), (0, 2), (1, 0)))
    xy, xz, yz = (r[..., i, j] + r[..., j, i] for i, j in ((0, 1), (0, 2), (1, 2)))
    outer = torch.stack(
        (
            torch.stack((1 + a + b + c, x, y, z), -1),
            torch.stack((x, 1 + a - b - c, xy, xz), -1),
            torch.stack((y, xy, 1 - a + b - c, yz), -1),
            torch.stack((z, xz, yz, 1 - a - b + c), -1),
        ),
        -2,
    )
    largest = outer.detach().diagonal(dim1=-2, dim2=-1).argmax(-1)
    row = outer.gather(-2, largest[..., None, None].expand(*largest.shape, 1, 4))[..., 0, :]
    q = row / torch.linalg.vector_norm(row, dim=-1, keepdim=True)
    return torch.where(q[..., :1] < 0, -q, q)


def rotation_from_quaternion(q: Tensor) -> Tensor:
    """Unit quaternions (*batch, 4) to rotation matrices (*batch, 3, 3)."""
    w, v = q[..., 0, None, None], q[..., 1:]
    one = torch.eye(3, dtype=q.dtype, device=q.device)
    cross = cross_matrix(v)
    return one + 2 * w * cross + 2 * cross @ cross


def cross_matrix(v: Tensor) -> Tensor:
    """The matrix of u ↦ v × u."""
    x, y, z = v.unbind(-1)
    zero = torch.zeros_like(x)
    entries = (zero, -z, y, z, zero, -x, -y, x, zero)
    return torch.stack(entries, -1).reshape(*x.shape, 3, 3)


def left_multiplication(q: Tensor) -> Tensor:
    """The matrix of p ↦ q·p on (1, i, j, k): (*batch, 4) to (*batch, 4, 4)."""
    w, x, y, z = q.unbind(-1)
    entries = (w, -x, -y, -z, x, w, -z, y, y, z, w, -x, z, -y, x, w)
    return torch.stack(entries, -1).reshape(*w.shape, 4, 4)
