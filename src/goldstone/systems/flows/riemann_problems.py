"""Random compressible flows to start from: four-quadrant Riemann problems, straight and curved."""

import math

import torch
from torch import Tensor

from goldstone.core import InputError, generator

# Cell averages are means over this many points along each axis of a cell.
_SUBCELLS = 4
_CURVE_WAVES = 4


def four_quadrant_riemann(
    samples: int,
    grid: tuple[int, int],
    seed: int,
    *,
    first: int = 0,
    gamma: float = 1.4,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Conserved states (samples, 4, X, Y), constant in each quadrant of the periodic domain.

    In each quadrant ρ and p are uniform in [0.1, 1] and u and v in [−1, 1], as in the CE-RP
    problems of Poseidon (Herde et al., 2024). Interfaces lie at 0 and at half of each axis.
    The statistics have the full symmetry of the square.

    Sample i depends on ``seed`` and ``first`` + i alone.

    Raises:
        InputError: the grid is odd, so that half of it falls within a cell.
    """
    if grid[0] % 2 or grid[1] % 2:
        raise InputError(
            f"four-quadrant problems need even grid sizes, got {grid[0]}×{grid[1]}; "
            "interfaces must lie between cells"
        )
    return _riemann("four-quadrant", samples, grid, seed, first, gamma, 0.0, dtype)


def curved_riemann(
    samples: int,
    grid: tuple[int, int],
    seed: int,
    *,
    first: int = 0,
    gamma: float = 1.4,
    amplitude: float = 0.1,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Conserved states (samples, 4, X, Y) as :func:`four_quadrant_riemann`, with curved interfaces.

    Each of the four interfaces is displaced by its own smooth periodic curve
    Σₖ aₖ sin(2πk s + φₖ), k ≤ 4, with aₖ normal over k and φₖ uniform, scaled so that
    Σₖ |aₖ|, which bounds its displacement, is uniform in [0, ``amplitude``] of the domain, after
    the CE-CRP problems of Poseidon. States are averages over the cells.

    Raises:
        InputError: ``amplitude`` is not within [0, 0.25), where interfaces cannot meet.
    """
    if not 0 <= amplitude < 0.25:
        raise InputError(
            f"amplitude: expected a part of the domain within [0, 0.25), got {amplitude}; "
            "larger curves would let interfaces meet"
        )
    return _riemann("curved", samples, grid, seed, first, gamma, amplitude, dtype)


def _riemann(
    name: str,
    samples: int,
    grid: tuple[int, int],
    seed: int,
    first: int,
    gamma: float,
    amplitude: float,
    dtype: torch.dtype,
) -> Tensor:
    states = torch.empty(samples, 4, *grid, dtype=torch.float64)
    fine = [
        (torch.arange(n * _SUBCELLS, dtype=torch.float64) + 0.5) / (n * _SUBCELLS) for n in grid
    ]
    x, y = torch.meshgrid(*fine, indexing="ij")
    for sample in range(samples):
        source = generator(seed, name, first + sample)
        uniform = torch.rand(4, 2, 2, generator=source, dtype=torch.float64)
        density, pressure = 0.1 + 0.9 * uniform[0], 0.1 + 0.9 * uniform[3]
        u, v = 2 * uniform[1] - 1, 2 * uniform[2] - 1
        energy = pressure / (gamma - 1) + 0.5 * density * (u.square() + v.square())
        conserved = torch.stack((density, density * u, density * v, energy))
        curves = [_curve(source, amplitude) for _ in range(4)]
        lower_x = _within(x, y, curves[0], curves[1])
        lower_y = _within(y, x, curves[2], curves[3])
        points = conserved[:, lower_x.long(), lower_y.long()]
        states[sample] = torch.nn.functional.avg_pool2d(points, _SUBCELLS)
    return states.to(dtype)


def _curve(source: torch.Generator, amplitude: float) -> tuple[Tensor, Tensor]:
    """Amplitudes and phases of a random periodic curve."""
    waves = torch.arange(1, _CURVE_WAVES + 1, dtype=torch.float64)
    sizes = torch.randn(_CURVE_WAVES, generator=source, dtype=torch.float64) / waves
    phases = 2 * math.pi * torch.rand(_CURVE_WAVES, generator=source, dtype=torch.float64)
    largest = amplitude * torch.rand(1, generator=source, dtype=torch.float64)
    return sizes / sizes.abs().sum() * largest, phases


def _within(
    across: Tensor, along: Tensor, low: tuple[Tensor, Tensor], high: tuple[Tensor, Tensor]
) -> Tensor:
    """Whether points lie between the interface near 0 and the one near one half."""

    def displacement(curve: tuple[Tensor, Tensor]) -> Tensor:
        total = torch.zeros_like(along)
        for k, (size, phase) in enumerate(zip(*curve, strict=True), start=1):
            total += size * torch.sin(2 * math.pi * k * along + phase)
        return total

    # Measured from a quarter, neither interface meets the seam of the period.
    place = (across - 0.25 + 0.5) % 1 - 0.5
    return (place > displacement(low) - 0.25) & (place < displacement(high) + 0.25)
