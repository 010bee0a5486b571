"""Which unit of a narrow layer each unit of a wider one copies: assignment and local search."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Array = NDArray[np.float64]
Pair = tuple[Array, Array]

GAIN = 1e-12
"""An exchange that gains less of the squared distance is not made."""

FARTHEST = 1e4
"""No factor of a unit that has no copies leaves [1/FARTHEST, FARTHEST]."""

SILENT = 1e-12
"""Copies whose factors have no larger squares in sum write nothing."""

SWEEPS = 100


@dataclass(frozen=True, eq=False)
class SplitUnits:
    """The squared distance of a layer whose n units copy the m ≤ n units of another.

    Unit i is p_i times unit s(i), every unit of the m has a copy, and readers v_i with
    Σ_{s(i)=j} p_i v_i = r_j are as near as they can be: v_i = a_i + p_i (r_j − Σp_k a_k)/Σp_k².
    That leaves Σ_i ‖a_i − p_i w_{s(i)}‖² + Σ_j ‖r_j − Σp_k a_k‖²/Σp_k².

    Attributes:
        fixed: the weights (n, d), (m, d) that write the units of both layers and keep their size.
        writing: those that grow with p.
        reading: those that read the units.
        scaled: whether factors p may differ from 1.
    """

    fixed: Pair
    writing: Pair
    reading: Pair
    scaled: bool

    def solved(self) -> tuple[NDArray[np.int64], Array]:
        """Sources (n,) and factors (n,) that no move of a unit and no exchange of two improves.

        At first m units take a distinct source each, by linear assignment, the others that whose
        weights to it are nearest.
        """
        search = _Search(self)
        return search.run()

    def copy_factors(self) -> Array:
        """The factor of i as one of many copies of j, from what writes it: ⟨a, w⟩₊/‖w‖², (n, m)."""
        a, w = self.writing
        if not self.scaled:
            return np.ones((len(a), len(w)))
        squares = np.maximum(np.square(w).sum(1), np.finfo(float).tiny)
        return np.asarray(np.maximum(a @ w.T, 0.0) / squares)

    def lone_factors(self) -> Array:
        """The factor of i as the only copy of j, (n, m): the best root of a quartic.

        d/dp (‖a − pw‖² + ‖a′ − r/p‖²) = 0, times p³/2‖w‖²: p⁴ − αp³ + βp − γ = 0.
        """
        a, w = self.writing
        b, r = self.reading
        if not self.scaled:
            return np.ones((len(a), len(w)))
        squares = np.maximum(np.square(w).sum(1), np.finfo(float).tiny)
        alpha, beta = a @ w.T / squares, b @ r.T / squares
        gamma = np.broadcast_to(np.square(r).sum(1) / squares, alpha.shape)
        companion = np.zeros((*alpha.shape, 4, 4))
        companion[..., [1, 2, 3], [0, 1, 2]] = 1.0
        companion[..., 0, 0], companion[..., 0, 2], companion[..., 0, 3] = alpha, -beta, gamma
        roots = np.linalg.eigvals(companion).real.clip(1.0 / FARTHEST, FARTHEST)
        # Any positive number may be tried: what is no root is not the best.
        x = np.concatenate([roots, np.ones_like(roots[..., :1])], -1)
        costs = x**2 - 2 * alpha[..., None] * x
        costs = costs + gamma[..., None] / x**2 - 2 * beta[..., None] / x
        best = costs.argmin(-1)
        return np.asarray(np.take_along_axis(x, best[..., None], -1)[..., 0])

    def writing_costs(self, factors: Array) -> Array:
        """‖a_i − p_ij w_j‖² over all that writes, (n, m)."""
        a, w = self.writing
        squares = np.square(a).sum(1)[:, None] + factors**2 * np.square(w).sum(1)
        grown = np.maximum(squares - 2 * factors * (a @ w.T), 0.0)
        return np.asarray(_distances(*self.fixed) + grown)


class _Search:
    """Groups of copies, with the residuals of their readers R_j = r_j − Σp_k a_k and Q_j = Σp²."""

    def __init__(self, units: SplitUnits) -> None:
        self.a, self.r = units.reading
        self.q, self.p = units.copy_factors(), units.lone_factors()
        self.copy = units.writing_costs(self.q)
        self.lone = units.writing_costs(self.p)
        self.lone = self.lone + _distances(self.a, self.r, 1.0 / self.p)
        n, m = self.copy.shape
        rows, columns = linear_sum_assignment(self.lone - self.copy.min(1, keepdims=True))
        self.source = self.copy.argmin(1)
        self.source[rows] = columns
        self.n, self.m = n, m
        # Of copies none of which writes anything; not infinite, so that it can be compared.
        self.empty = 10.0 * float(self.lone.max() + self.copy.max()) * n
        self._gather()

    def run(self) -> tuple[NDArray[np.int64], Array]:
        for _ in range(SWEEPS if self.n > self.m else 0):
            if not sum(self._improve(i) for i in range(self.n)):
                break
        alone = np.bincount(self.source, minlength=self.m)[self.source] == 1
        units = np.arange(self.n)
        for j in np.flatnonzero((self.squares <= SILENT) & (self.counts > 1)):
            # One of them writes it all.
            own = np.flatnonzero(self.source == j)
            alone[own[(self.lone[own, j] - self.copy[own, j]).argmin()]] = True
        factors = np.where(alone, self.p[units, self.source], self.q[units, self.source])
        return self.source.astype(np.int64), factors

    def _gather(self) -> None:
        own = self.q[np.arange(self.n), self.source]
        self.residual = self.r.copy()
        np.subtract.at(self.residual, self.source, own[:, None] * self.a)
        self.squares: Array = np.bincount(self.source, own**2, self.m).astype(np.float64)
        self.counts = np.bincount(self.source, minlength=self.m)

    def _improve(self, i: int) -> bool:
        """Make the best move of a unit, or exchange with another, if it gains."""
        now = self._groups()
        scale = GAIN * (1.0 + now.sum())
        moves, exchanges = self._moves(i, now), self._exchanges(i, now)
        j, k = int(moves.argmin()), int(exchanges.argmin())
        if min(moves[j], exchanges[k]) >= -scale:
            return False
        if moves[j] <= exchanges[k]:
            self.source[i] = j
        else:
            self.source[i], self.source[k] = self.source[k], self.source[i]
        self._gather()
        return True

    def _shared(self, residual: Array, squares: Array) -> Array:
        """‖R‖²/Q of groups of copies."""
        costs = np.square(residual).sum(1)
        safe = np.where(squares > SILENT, squares, 1.0)
        return np.asarray(np.where(squares > SILENT, costs / safe, self.empty))

    def _groups(self) -> Array:
        """The cost of each group, what writes its members included."""
        units = np.arange(self.n)
        writing = np.bincount(self.source, self.copy[units, self.source], self.m)
        costs = writing + self._shared(self.residual, self.squares)
        alone = self.counts[self.source] == 1
        costs[self.source[alone]] = self.lone[units[alone], self.source[alone]]
        return np.asarray(costs)

    def _moves(self, i: int, now: Array) -> Array:
        """What the distance grows by where i copies j instead, (m,)."""
        here = self.source[i]
        if self.counts[here] == 1:
            return np.full(self.m, np.inf)
        units = np.arange(self.n)
        q = self.q[i]
        writing = np.bincount(self.source, self.copy[units, self.source], self.m)
        joined = writing + self.copy[i]
        joined += self._shared(self.residual - q[:, None] * self.a[i], self.squares + q**2)
        others = np.flatnonzero((self.source == here) & (units != i))
        if len(others) == 1:
            left = self.lone[others[0], here]
        else:
            without = self.residual[here] + q[here] * self.a[i]
            square = float(np.square(self.q[others, here]).sum())
            left = (
                self.copy[others, here].sum() + self._shared(without[None], np.array([square]))[0]
            )
        change = joined - now + left - now[here]
        change[here] = np.inf
        return np.asarray(change)

    def _exchanges(self, i: int, now: Array) -> Array:
        """What it grows by where i and k change places, (n,)."""
        here, there = self.source[i], self.source
        units = np.arange(self.n)
        q, a = self.q, self.a
        writing = np.bincount(there, self.copy[units, there], self.m)
        # The group of i with k, and that of k with i.
        ours = self.residual[here] + q[i, here] * a[i] - q[:, here, None] * a
        ours_square = self.squares[here] - q[i, here] ** 2 + q[:, here] ** 2
        one = (
            writing[here]
            - self.copy[i, here]
            + self.copy[:, here]
            + self._shared(ours, ours_square)
        )
        own = q[units, there]
        theirs = self.residual[there] + own[:, None] * a - q[i, there][:, None] * a[i]
        theirs_square = self.squares[there] - own**2 + q[i, there] ** 2
        two = writing[there] - self.copy[units, there] + self.copy[i, there]
        two = two + self._shared(theirs, theirs_square)
        if self.counts[here] == 1:
            one = self.lone[:, here]
        two = np.where(self.counts[there] == 1, self.lone[i, there], two)
        change = one + two - now[here] - now[there]
        change[there == here] = np.inf
        return np.asarray(change)


def _distances(a: Array, w: Array, factors: Array | float = 1.0) -> Array:
    """‖a_i − p_ij w_j‖², (n, m)."""
    squares = np.square(a).sum(1)[:, None] + factors**2 * np.square(w).sum(1)
    return np.asarray(np.maximum(squares - 2 * factors * (a @ w.T), 0.0))
