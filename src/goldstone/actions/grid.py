"""Moving the points of a periodic grid, without touching what sits in the fibres."""

from collections.abc import Sequence
from math import pi
from typing import Literal

import torch
from torch import Tensor

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
    """f′(p) = f(p − a) on the last two axes by the Fourier interpolant, a = ``cells`` grid cells.

    Exact for band-limited periodic fields. The Nyquist modes, whose shift by part of a cell is
    not defined, are multiplied by cos(πa), which keeps the field real; there, and only there,
    two shifts in turn differ from their sum.
    """
    spectrum = torch.fft.rfft2(x)
    for axis, a in zip((-2, -1), cells, strict=True):
        n = x.shape[axis]
        modes = torch.fft.fftfreq(n, 1 / n, dtype=x.dtype, device=x.device)
        if axis == -1:
            modes = modes[: n // 2 + 1].abs()
        phase = torch.exp(-2j * pi * a / n * modes)
        if n % 2 == 0:
            phase[n // 2] = torch.cos(torch.as_tensor(pi * a, dtype=x.dtype))
        phase = phase.to(spectrum.dtype)
        spectrum = spectrum * (phase[:, None] if axis == -2 else phase)
    shifted: Tensor = torch.fft.irfft2(spectrum, s=x.shape[-2:])
    return shifted
