"""How well the features of g·x are a linear map of the features of x, by cross-fitted ridge."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import torch
from torch import Tensor

from goldstone.core import generator

PENALTIES = (1e-9, 1e-6, 1e-4, 1e-2, 1.0, 1e2)
"""Ridge penalties that are tried, in units of the mean variance of a channel."""


@dataclass(frozen=True, eq=False)
class FitError:
    """Squared sizes of each sample, (n,) in float64.

    Attributes:
        residual: ‖y − M z − b‖² summed over points, M and b fitted to other trajectories.
        variation: ‖y − E y‖², E the mean over samples at each point, with the factor N/(N − 1) of N
            trajectories.
    """

    residual: Tensor
    variation: Tensor


def cross_fitted_error(moved: Tensor, expected: Tensor, of: Tensor, seed: int) -> FitError:
    """The error of the best affine map of channels z ↦ M z + b, the same at all points.

    The trajectories are split in two; the map is fitted on either half by ridge regression and
    judged on the other. The penalty is the one of :data:`PENALTIES` that does best within the
    half it is fitted on, between its own two halves. The mean of b is not penalised.

    Source: Lenc & Vedaldi 2015, "Understanding image representations by measuring their
    equivariance and equivalence", section 3.

    Args:
        moved: y, the features of g·x, (sample, point, channel).
        expected: z, those of x with the points moved by g, (sample, point, channel′).
        of: (sample,) the trajectory of each, numbered from 0; two or more.
        seed: of the split.
    """
    quarters = _quarters(of, seed)
    # Less the mean, which the map's shift takes up, so that the sums below lose no digits.
    moved, expected = (t.double() - t.double().mean((0, 1)) for t in (moved, expected))
    residual = moved.new_full((len(moved),), torch.nan)
    if not bool(torch.isfinite(moved).all() and torch.isfinite(expected).all()):
        return FitError(residual, residual)
    blocks = [_Moments.of(moved[quarters == q], expected[quarters == q]) for q in range(4)]
    for fitted, held_out in (((0, 1), (2, 3)), ((2, 3), (0, 1))):
        penalty = _best_penalty([blocks[q] for q in fitted])
        matrix, shift = (blocks[fitted[0]] + blocks[fitted[1]]).fit(penalty)
        for q in held_out:
            there = quarters == q
            gap = moved[there] - expected[there] @ matrix - shift
            residual[there] = gap.square().sum((1, 2))
    trajectories = int(of.max()) + 1
    about = (moved - moved.mean(0)).square().sum((1, 2)) * trajectories / (trajectories - 1)
    return FitError(residual, about)


def _quarters(of: Tensor, seed: int) -> Tensor:
    """(n,) the quarter 0 … 3 of each sample: whole trajectories, at random; halves 01 and 23."""
    n = int(of.max()) + 1
    place = torch.randperm(n, generator=generator(seed, "fitted actions", n))
    return torch.tensor([0, 2, 1, 3])[place % 4][of]


@dataclass(frozen=True, eq=False)
class _Moments:
    """Sums over rows: how many, of z, y, z zᵀ, z yᵀ and ‖y‖²."""

    rows: int
    z: Tensor
    y: Tensor
    zz: Tensor
    zy: Tensor
    yy: Tensor

    @classmethod
    def of(cls, moved: Tensor, expected: Tensor) -> "_Moments":
        y, z = moved.flatten(0, 1), expected.flatten(0, 1)
        return cls(len(y), z.sum(0), y.sum(0), z.T @ z, z.T @ y, y.square().sum())

    def __add__(self, other: "_Moments") -> "_Moments":
        return _Moments(
            self.rows + other.rows, self.z + other.z, self.y + other.y,
            self.zz + other.zz, self.zy + other.zy, self.yy + other.yy,
        )  # fmt: skip

    def fit(self, penalty: float) -> tuple[Tensor, Tensor]:
        """Mᵀ and b of the ridge regression."""
        z, y = self.z / self.rows, self.y / self.rows
        gram = self.zz / self.rows - z[:, None] * z
        cross = self.zy / self.rows - z[:, None] * y
        # A layer that is constant has nothing to fit with; any positive ridge gives M = 0.
        ridge = penalty * float(gram.diagonal().mean()) or 1.0
        gram.diagonal().add_(ridge)
        factor, failed = torch.linalg.cholesky_ex(gram)
        if int(failed):  # rounding: the least eigenvalue lies below zero by more than the ridge
            return self.fit(100 * penalty)
        matrix = torch.cholesky_solve(cross, factor)
        return matrix, y - z @ matrix

    def error(self, matrix: Tensor, shift: Tensor) -> float:
        """Σ ‖y − M z − b‖² over these rows."""
        of_map = ((self.zz @ matrix) * matrix).sum() - 2 * (self.zy * matrix).sum() + self.yy
        of_shift = 2 * (self.z @ matrix) - 2 * self.y + self.rows * shift
        return float(of_map + of_shift @ shift)


def _best_penalty(halves: Sequence[_Moments]) -> float:
    """By fitting either half and judging on the other; the least where there is but one."""
    first, second = halves
    if not first.rows or not second.rows:
        return PENALTIES[0]
    best, least = PENALTIES[0], inf
    for penalty in PENALTIES:
        error = first.error(*second.fit(penalty)) + second.error(*first.fit(penalty))
        if error < least:
            best, least = penalty, error
    return best
