"""Random incompressible flows to start from: isotropic and deliberately anisotropic turbulence."""

import math

import torch
from torch import Tensor

from goldstone.core import InputError, generator
from goldstone.systems.flows.ground_truth import check_lengths


def isotropic_turbulence(
    samples: int,
    grid: tuple[int, int],
    seed: int,
    *,
    first: int = 0,
    lengths: tuple[float, float] = (1.0, 1.0),
    peak: float = 4.0,
    rms_velocity: float = 1.0,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Velocities (samples, 2, X, Y) from a Gaussian stream function with isotropic statistics.

    Waves k with 0 < |k| ≤ 2 ``peak`` (a round band, so that no direction is cut differently) get
    independent complex normal amplitudes, with the energy spectrum
    E(k) ∝ (k/k_p)³ exp(−(3/2)(k/k_p)²), which is largest at k_p = ``peak``; |k| counts
    waves per shorter side of the domain. Each sample is scaled to the root mean square speed
    ``rms_velocity`` and has no mean flow.

    Sample i depends on ``seed`` and ``first`` + i alone. Finer grids sample the same flows.

    Raises:
        InputError: the grid is too coarse for the band (see :class:`NavierStokes2d`), or a number
            is out of range.
    """
    return _turbulence(
        "isotropic-turbulence", samples, grid, seed, first, lengths, peak, rms_velocity, 1.0, dtype
    )


def anisotropic_turbulence(
    samples: int,
    grid: tuple[int, int],
    seed: int,
    *,
    first: int = 0,
    lengths: tuple[float, float] = (1.0, 1.0),
    peak: float = 4.0,
    elongation: float = 8.0,
    rms_velocity: float = 1.0,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Velocities (samples, 2, X, Y) from eddies stretched along the second axis.

    As :func:`isotropic_turbulence`, with the spectrum's k replaced by
    (k_x² + ``elongation``² k_y²)^½ within the same round band: wave vectors crowd around the
    first axis, and the flow runs mostly along the second. The statistics keep the half turn
    and the reflections of either axis, and break quarter turns and diagonal reflections.
    """
    if not elongation > 0:
        raise InputError(f"elongation: expected a positive number, got {elongation}")
    return _turbulence(
        "anisotropic-turbulence",
        samples,
        grid,
        seed,
        first,
        lengths,
        peak,
        rms_velocity,
        elongation,
        dtype,
    )


def _turbulence(
    name: str,
    samples: int,
    grid: tuple[int, int],
    seed: int,
    first: int,
    lengths: tuple[float, float],
    peak: float,
    rms_velocity: float,
    elongation: float,
    dtype: torch.dtype,
) -> Tensor:
    check_lengths(lengths)
    if not (peak >= 1 and rms_velocity > 0):
        raise InputError(
            f"turbulence: expected peak ≥ 1 and rms_velocity > 0, got {peak} and {rms_velocity}"
        )
    reach = [2 * peak * size / min(lengths) for size in lengths]
    if any(3 * bound >= n for bound, n in zip(reach, grid, strict=True)):
        needed = [3 * math.floor(bound) + 3 for bound in reach]
        raise InputError(
            f"turbulence: waves up to {2 * peak:g} per side need a grid of at least "
            f"{needed[0]}×{needed[1]} points, got {grid[0]}×{grid[1]}; use a finer grid or a "
            "lower `peak`"
        )
    index_x, index_y = _half_plane(int(reach[0]), int(reach[1]))
    unit = [min(lengths) / size for size in lengths]
    wave_x, wave_y = index_x * unit[0], index_y * unit[1]
    square = wave_x**2 + wave_y**2
    inside = square <= (2 * peak) ** 2
    index_x, index_y, wave_x, wave_y, square = (
        values[inside] for values in (index_x, index_y, wave_x, wave_y, square)
    )
    # E(k) is the energy density per wave times 2πk, and a wave's energy is ½ k²|ψ|².
    stretched = (wave_x**2 + (elongation * wave_y) ** 2) / peak**2
    energy = stretched * torch.exp(-1.5 * stretched)
    amplitude = (energy / square).sqrt()

    stream = torch.zeros(samples, *grid, dtype=torch.complex128)
    for sample in range(samples):
        source = generator(seed, name, first + sample)
        normal = torch.randn(2, len(amplitude), generator=source, dtype=torch.float64)
        stream[sample, index_x % grid[0], index_y % grid[1]] = amplitude * torch.complex(*normal)
    k_x = torch.fft.fftfreq(grid[0], lengths[0] / grid[0], dtype=torch.float64)[:, None]
    k_y = torch.fft.fftfreq(grid[1], lengths[1] / grid[1], dtype=torch.float64)[None, :]
    # One wave of each pair ±k is filled: the real part adds the other.
    velocity: Tensor = torch.fft.ifft2(
        torch.stack((1j * k_y * stream, -1j * k_x * stream), dim=1)
    ).real
    speed = velocity.square().sum(1).mean(dim=(-2, -1)).sqrt()
    return (velocity * (rms_velocity / speed)[:, None, None, None]).to(dtype)


def _half_plane(x_reach: int, y_reach: int) -> tuple[Tensor, Tensor]:
    """One integer wave vector of every pair ±k ≠ 0 of a rectangle, in an order of its own."""
    pairs = [
        (x, y)
        for x in range(-x_reach, x_reach + 1)
        for y in range(-y_reach, y_reach + 1)
        if (x, y) > (0, 0)
    ]
    x, y = torch.tensor(pairs).T
    return x, y
