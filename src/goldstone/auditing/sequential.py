"""Looks at growing samples, and how sure an answer must be at each of them."""

from dataclasses import dataclass
from functools import cache
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray

from goldstone.core import InputError

FIRST_LOOK = 8
_GROWTH = 1.5
_LEVEL = 0.95
_POINTS = 401


@dataclass(frozen=True)
class Look:
    """One look at the samples taken so far.

    Attributes:
        samples: how many.
        level: of the interval that decides there, two-sided.
    """

    samples: int
    level: float

    @property
    def rarity(self) -> float:
        """How many times rarer than 5 % an error is at this look.

        So many times more replicates resolve its tails as well, and a p-value at this look, times
        this, is one that may be held against 5 % whatever the look.
        """
        return (1 - _LEVEL) / (1 - self.level)


def fixed_look(samples: int, level: float = _LEVEL) -> tuple[Look, ...]:
    """No interim looks: one, at the end."""
    return (Look(samples, level),)


def growing_looks(samples: int, level: float = _LEVEL) -> tuple[Look, ...]:
    """Looks at 8, 12, 18, 27, … and at last all ``samples``.

    The intervals at the looks are repeated confidence intervals (Jennison & Turnbull 1989): all of
    them cover together with probability ``level``, so that one may stop at any look. The error
    1 − level is spent in proportion to the samples (Lan & DeMets 1983; Kim & DeMets 1987, power
    family with exponent 1).
    """
    sizes = [min(FIRST_LOOK, samples)]
    while sizes[-1] < samples:
        sizes.append(min(samples, ceil(_GROWTH * sizes[-1])))
    if len(sizes) > 1 and sizes[-1] < _GROWTH**0.5 * sizes[-2]:
        # A last look that adds little costs more than it tells.
        del sizes[-2]
    levels = spending_levels(tuple(sizes), level)
    return tuple(Look(n, found) for n, found in zip(sizes, levels, strict=True))


@cache
def spending_levels(sizes: tuple[int, ...], level: float = _LEVEL) -> tuple[float, ...]:
    """Nominal levels of two-sided tests at growing sample sizes that err together with 1 − level.

    A mean of n samples is, times n, a Brownian motion at time n. The density of the paths that were
    not stopped is carried from look to look by quadrature (Armitage, McPherson & Rowe 1969), and
    each boundary found such that a share (n_k − n_{k−1})/n_K of the error is spent there.

    Raises:
        InputError: sizes do not grow.
    """
    from scipy.special import ndtr

    steps = np.diff([0, *sizes])
    if not len(sizes) or (steps <= 0).any():
        raise InputError(f"expected growing sample sizes, got {sizes}")
    error = 1 - level
    points: NDArray[np.float64] = np.zeros(1)
    weights: NDArray[np.float64] = np.ones(1)
    levels = []
    for k, step in enumerate(steps):
        scale, spent = sqrt(step), error * step / sizes[-1]
        boundary = _boundary(points, weights, scale, spent, 10 * sqrt(sizes[k]))
        levels.append(1 - 2 * float(ndtr(-boundary / sqrt(sizes[k]))))
        grid = np.linspace(-boundary, boundary, _POINTS)
        density = np.exp(-0.5 * ((grid[:, None] - points) / scale) ** 2) @ weights
        density /= scale * sqrt(2 * np.pi)
        simpson = np.ones(_POINTS)
        simpson[1:-1:2], simpson[2:-1:2] = 4, 2
        points, weights = grid, density * simpson * (grid[1] - grid[0]) / 3
    return tuple(levels)


def _boundary(
    points: NDArray[np.float64],
    weights: NDArray[np.float64],
    scale: float,
    spent: float,
    high: float,
) -> float:
    """C for which paths from ``points`` exceed ±c with probability ``spent``; by bisection."""
    from scipy.special import ndtr

    low = 0.0
    for _ in range(80):
        c = (low + high) / 2
        exceed = ndtr((points - c) / scale) + ndtr((-points - c) / scale)
        low, high = (c, high) if float(weights @ exceed) > spent else (low, c)
    return (low + high) / 2
