"""Fields on a grid, read off between the grid points."""

from collections.abc import Sequence
from itertools import product
from math import pi
from typing import Literal, get_args

import torch
from torch import Tensor

from goldstone.actions.grid import fourier_shift, waves, working_dtype
from goldstone.core import InputError

Mode = Literal["spline", "fourier", "bilinear"]
"""How a field is continued between the grid points.

============  =====================================================================================
mode          continuation
============  =====================================================================================
``spline``    cubic B-spline through the values: twice continuously differentiable
``fourier``   trigonometric polynomial through the values, for periodic fields only: smooth, and
              exact for band-limited ones. A rotation costs N⁴ for a grid of N² points (three shears
              would cost less, but a shear by part of a cell tears a periodic field at its seam).
``bilinear``  piecewise (multi)linear, as in published Lie derivatives, for comparison with them
              only: at the grid points, and so at the identity, it has a kink. Its derivative there
              is the one-sided difference towards larger indices, and finite differences of the
              transform converge to it from one side only.
============  =====================================================================================
"""

Boundary = Literal["zero", "reflect", "periodic"]
"""How a field goes on beyond the grid: by zeros, mirrored about the outermost grid points (which
are not repeated), or periodically."""

ZEROS = 16
"""Zeros kept around a field of boundary ``zero``: spline coefficients there fall by 3.7 a cell."""

MOST_NUMBERS = 1 << 22
"""The largest table that Fourier resampling makes at a time."""

LAW_TOLERANCE = 0.3
"""Of a state's norm, what resampled actions may miss of the laws of an action in an audit. An
equivariance error below the law error that was measured says nothing."""


def resample(
    x: Tensor,
    matrix: Tensor,
    offset: Tensor,
    mode: Mode = "spline",
    boundary: Boundary = "zero",
) -> Tensor:
    """f′(p) = f(M p + b), p in cells from the centre of the grid.

    Differentiable in x, M and b, also in forward mode.

    Args:
        x: real or complex fields (batch, channel, X, Y, …) in d dimensions; half precisions are
            computed in single precision.
        matrix: M, (d, d), real.
        offset: b, (d,), real.
        mode: how the field is continued between grid points (:data:`Mode`).
        boundary: how it goes on beyond the grid (:data:`Boundary`).

    Returns:
        The new fields, of the shape and dtype of x.

    Raises:
        InputError: unknown mode or boundary, a shape that does not fit, or mode ``fourier`` with
            another boundary than ``periodic``.

    References:
        Unser, Aldroubi and Eden (1993), B-spline signal processing, IEEE Trans. Signal Process. 41,
        for the prefilter.
    """
    d = x.ndim - 2
    check_mode(mode, boundary)
    if d < 1 or matrix.shape != (d, d) or offset.shape != (d,):
        raise InputError(
            "expected fields (batch, channel, X, Y, …) with a d×d matrix and an offset of d "
            f"numbers, got shapes {tuple(x.shape)}, {tuple(matrix.shape)} and {tuple(offset.shape)}"
        )
    grid = x.shape[2:]
    centre = torch.tensor([(n - 1) / 2 for n in grid], dtype=matrix.dtype, device=matrix.device)
    axes = [torch.arange(n, dtype=matrix.dtype, device=matrix.device) for n in grid]
    points = torch.stack(torch.meshgrid(*axes, indexing="ij"), -1).flatten(0, -2) - centre
    places = points @ matrix.T + (offset + centre)
    values = x.to(working_dtype(x))
    if mode == "fourier":
        moved = _trigonometric(values, places)
    else:
        moved = _piecewise(values, places, mode, boundary)
    return moved.reshape(x.shape).to(x.dtype)


def translate(x: Tensor, offset: Tensor, mode: Mode, boundary: Boundary) -> Tensor:
    """f′(p) = f(p − a), a in cells: :func:`resample`, but in mode ``fourier`` by one FFT an axis.

    Raises:
        InputError: as :func:`resample`.
    """
    d = x.ndim - 2
    if mode != "fourier" or offset.shape != (d,):
        one = torch.eye(d, dtype=offset.dtype, device=offset.device)
        return resample(x, one, -offset, mode, boundary)
    check_mode(mode, boundary)
    return fourier_shift(x, offset.unbind())


def check_mode(mode: str, boundary: str) -> None:
    """Raise unless the two are known and go together.

    Raises:
        InputError: they are not.
    """
    for found, kind, known in (
        (mode, "resampling mode", get_args(Mode)),
        (boundary, "boundary", get_args(Boundary)),
    ):
        if found not in known:
            raise InputError(f"unknown {kind} {found!r}; expected one of {', '.join(known)}")
    if mode == "fourier" and boundary != "periodic":
        raise InputError(
            f"mode 'fourier' is for periodic fields, got boundary {boundary!r}; use mode 'spline'"
        )


def spline_coefficients(x: Tensor, axis: int, boundary: Boundary) -> Tensor:
    """The c with Σ_k c_k β³(i − k) = x_i along an axis, β³ the cubic B-spline.

    For ``zero`` the axis gains :data:`ZEROS` entries at both ends.
    """
    n = x.shape[axis]
    if boundary == "zero":
        gap = x.new_zeros((*x.shape[:axis], ZEROS, *x.shape[axis + 1 :]))
        x = torch.cat((gap, x, gap), axis)
    elif boundary == "reflect" and n > 2:
        x = torch.cat((x, x.narrow(axis, 1, n - 2).flip(axis)), axis)
    size = x.shape[axis]
    modes = size if x.is_complex() else size // 2 + 1
    frequency = torch.arange(modes, dtype=x.real.dtype, device=x.device) / size
    gain = 3 / (2 + torch.cos(2 * pi * frequency))
    gain = gain[(...,) + (None,) * (x.ndim - 1 - axis)]
    filtered: Tensor
    if x.is_complex():
        filtered = torch.fft.ifft(torch.fft.fft(x, dim=axis) * gain, dim=axis)
    else:
        filtered = torch.fft.irfft(torch.fft.rfft(x, dim=axis) * gain, size, axis)
    return filtered.narrow(axis, 0, n) if boundary == "reflect" else filtered


def _piecewise(x: Tensor, places: Tensor, mode: Mode, boundary: Boundary) -> Tensor:
    """The piecewise polynomial at places (P, d), in cells from the first grid point."""
    d, grid = x.ndim - 2, x.shape[2:]
    margin = 0
    if mode == "spline":
        margin = ZEROS if boundary == "zero" else 0
        for axis in range(2, x.ndim):
            x = spline_coefficients(x, axis, boundary)
    whole = places.detach().floor()
    part = (places - whole).to(x.real.dtype)
    steps, weights = _cubic(part) if mode == "spline" else ((0, 1), (1 - part, part))
    rows, factors = [], []
    for axis in range(d):
        start = whole[:, axis].long()
        found = [_inside(start + k, grid[axis], boundary, margin) for k in steps]
        rows.append([row for row, _ in found])
        factors.append([w[:, axis] * ok for w, (_, ok) in zip(weights, found, strict=True)])
    sizes = x.shape[2:]
    # Points first: what is gathered for a point lies in one row.
    flat = x.flatten(2).flatten(0, 1).T.contiguous()
    result = flat.new_zeros((len(places), flat.shape[1]))
    for choice in product(range(len(steps)), repeat=d):
        number, weight = rows[0][choice[0]], factors[0][choice[0]]
        for axis in range(1, d):
            number = number * sizes[axis] + rows[axis][choice[axis]]
            weight = weight * factors[axis][choice[axis]]
        result = torch.addcmul(result, flat.index_select(0, number), weight[:, None].to(x.dtype))
    return result.T.reshape(*x.shape[:2], len(places))


def _cubic(t: Tensor) -> tuple[Sequence[int], Sequence[Tensor]]:
    """The cubic B-spline at t + 1, t, t − 1 and t − 2, 0 ≤ t < 1."""
    s = 1 - t
    weights = (s**3, 4 - 3 * t**2 * (1 + s), 4 - 3 * s**2 * (1 + t), t**3)
    return (-1, 0, 1, 2), [w / 6 for w in weights]


def _inside(k: Tensor, n: int, boundary: Boundary, margin: int) -> tuple[Tensor, Tensor]:
    """The stored place of the point k, and whether there is one."""
    if boundary == "zero":
        k = k + margin
        last = n + 2 * margin - 1
        return k.clamp(0, last), (k >= 0) & (k <= last)
    if boundary == "reflect":
        period = max(2 * (n - 1), 1)
        k = k % period
        k = torch.where(k < n, k, period - k)
    else:
        k = k % n
    return k, torch.ones_like(k, dtype=torch.bool)


def _trigonometric(x: Tensor, places: Tensor) -> Tensor:
    """The trigonometric polynomial at places (P, d), in cells from the first grid point."""
    grid = x.shape[2:]
    axes = tuple(range(2, x.ndim))
    spectrum = torch.fft.fftn(x, dim=axes, norm="forward").flatten(2)
    parts = []
    for some in torch.split(places, max(1, MOST_NUMBERS // spectrum.shape[-1])):
        table = torch.ones((len(some), 1), dtype=spectrum.dtype, device=x.device)
        for axis, n in enumerate(grid):
            along = waves(some[:, axis], n).to(spectrum.dtype)
            table = (table[:, :, None] * along[:, None, :]).flatten(1)
        parts.append(spectrum @ table.T)
    moved = torch.cat(parts, -1)
    return moved if x.is_complex() else moved.real
