"""Moving the points of a periodic grid, without touching what sits in the fibres."""

from collections.abc import Sequence
from math import pi
from typing import Literal

import torch
from torch import Tensor

from goldstone.actions.checks import check_numbers
from goldstone.core import InputError, check_square_grid

Pivot = Literal["cell", "node"]
"""The fixed point of a point group on a grid: the centre between cells, or the grid point (0, 0).

About ``cell`` the index i goes to N−1−i under a reflection, about ``node`` to −i mod N.
Networks with kernel-2 stride-2 steps keep the cell, those that sample every second point the node.
"""


def move_points(x: Tensor, matrix: Sequence[Sequence[float]], pivot: Pivot = "cell") -> Tensor:
    """f′(p) = f(R⁻¹ p) on the last two axes, R a signed permutation matrix (exact: no arithmetic).

    Raises:
        InputError: R does not map the grid onto itself, or the grid is not square when R
            exchanges its axes.
    """
    (a, b), (c, d) = matrix
    if {abs(a), abs(d)} == {1.0} and b == c == 0:
        signs = (a, d)
    elif {abs(b), abs(c)} == {1.0} and a == d == 0:
        check_square_grid((x.shape[-2], x.shape[-1]), "fields")
        # f′(p₀, p₁) = f(c p₁, b p₀)
        x = x.transpose(-2, -1)
        signs = (b, c)
    else:
        raise InputError(
            f"expected a quarter turn or an axis or diagonal reflection of the grid, got {matrix}"
        )
    reversed_axes = [axis for axis, sign in zip((-2, -1), signs, strict=True) if sign < 0]
    if not reversed_axes:
        return x
    x = x.flip(reversed_axes)
    return x.roll([1] * len(reversed_axes), reversed_axes) if pivot == "node" else x


def fourier_shift(x: Tensor, cells: Sequence[float | Tensor]) -> Tensor:
    """f′(p) = f(p − a) on the last axes by the Fourier interpolant, a = ``cells`` grid cells.

    Exact for band-limited periodic fields. The Nyquist modes, whose shift by part of a cell is
    not defined, are multiplied by cos(πa), which keeps a real field real; there, and only there,
    two shifts in turn differ from their sum. Differentiable in x and in cells that are tensors.

    Args:
        x: real or complex fields; half precisions are computed in single precision.
        cells: a number for each of the last axes.

    Raises:
        InputError: x holds integers or has too few axes.
    """
    check_numbers(x, "fields")
    if x.ndim < len(cells):
        raise InputError(
            f"a shift by {len(cells)} numbers needs as many axes, got a tensor of shape "
            f"{tuple(x.shape)}"
        )
    values = x.to(working_dtype(x))
    for axis, a in zip(range(-len(cells), 0), cells, strict=True):
        if isinstance(a, Tensor) or a != 0.0:
            values = _shifted_along(values, axis, a)
    return values.to(x.dtype)


def _shifted_along(x: Tensor, axis: int, a: float | Tensor) -> Tensor:
    n = x.shape[axis]
    # In double precision whatever x is: the angles grow with a.
    place = torch.as_tensor(a, dtype=torch.float64, device=x.device).reshape(1)
    phase = waves(-place, n)[0].reshape(-1, *[1] * (-1 - axis))
    shifted: Tensor
    if x.is_complex():
        shifted = torch.fft.ifft(torch.fft.fft(x, dim=axis) * phase.to(x.dtype), dim=axis)
    else:
        spectrum = torch.fft.rfft(x, dim=axis)
        shifted = torch.fft.irfft(spectrum * phase[: n // 2 + 1].to(spectrum.dtype), n, axis)
    return shifted


def waves(places: Tensor, n: int) -> Tensor:
    """e^{2πi k q/n} for places q and modes k in FFT order, (P, n); cos(πq) for the Nyquist mode."""
    modes = torch.fft.fftfreq(n, 1 / n, dtype=places.dtype, device=places.device)
    angle = 2 * pi / n * places[:, None] * modes
    found = torch.complex(torch.cos(angle), torch.sin(angle))
    return torch.where(2 * modes.abs() == n, torch.cos(angle).to(found.dtype), found)


def working_dtype(x: Tensor) -> torch.dtype:
    """The dtype of x, but single for half precision."""
    halves = {
        torch.float16: torch.float32,
        torch.bfloat16: torch.float32,
        torch.complex32: torch.complex64,
    }
    return halves.get(x.dtype, x.dtype)
