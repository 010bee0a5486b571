"""Factors that balance what units write with what reads them."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from goldstone.weightspace.symmetries.parameter_axis import ParameterAxis
from goldstone.weightspace.symmetries.parameter_symmetry import ParameterSymmetry, StateDict

Array = NDArray[np.float64]

SWEEPS = 200
SETTLED = 1e-6

USUAL = 1e-2
"""The mean square of weights whose size nothing else tells: 0.1 is a usual root."""

LARGEST = 1e4
"""No factor leaves [1/LARGEST, LARGEST]: units that nothing reads are left as they are."""


def balancing_factors(
    state: StateDict, symmetries: Sequence[ParameterSymmetry], counted: frozenset[str]
) -> list[Tensor]:
    """An element of each scaling, (copies,), that take a point to its place on their orbit.

    The gains of norms become 1 and stay so: a factor of whole parameters that multiplies gains is
    undone on them by their own factors. Under this condition the rest is at the minimum of Σ‖θ‖²,
    which is convex in the logarithms of factors: the factor λ of a unit solves λ‖what writes‖ =
    ‖what reads‖/λ. Where a factor only makes weights grow, their mean square becomes ``USUAL``.
    One symmetry after another, until nothing changes. Only squares of weights count, summed over
    all axes on which no factor acts.

    Args:
        state: the point.
        symmetries: of the kinds ``scaling`` and ``uniform scaling``.
        counted: names of the tensors that count.
    """
    squares = _Squares(state, symmetries, counted)
    # BatchNorm's weight takes back what its convolution is multiplied by: it is balanced.
    taking = {axis.parameter for one in symmetries for axis in one.on_parameters if axis.dual}
    gains = {
        number: one.gain
        for number, one in enumerate(symmetries)
        if one.kind == "scaling" and one.gain and one.gain not in taking
    }
    totals = [np.ones(one.copies) for one in symmetries]

    def scaled(number: int, factors: Array) -> None:
        squares.scale(symmetries[number], factors)
        totals[number] = totals[number] * factors

    for number in gains:
        scaled(number, squares.unit_gain(symmetries[number]))
    undone = {
        number: _undone(one, gains)
        for number, one in enumerate(symmetries)
        if one.kind == "uniform scaling"
    }
    for _ in range(SWEEPS):
        largest = 0.0
        for number, one in enumerate(symmetries):
            if number in gains:
                continue
            if number in undone:
                others = [(symmetries[k], exponent) for k, exponent in undone[number]]
                factors = squares.uniform(one, others)
            else:
                factors = squares.balance(one)
            change = float(np.abs(factors - 1.0).max())
            if change >= SETTLED:
                scaled(number, factors)
                for other, exponent in undone.get(number, []):
                    copies = symmetries[other].copies
                    scaled(other, np.full(copies, float(factors[0]) ** exponent))
            largest = max(largest, change)
        if largest < SETTLED:
            break
    return [torch.from_numpy(total) for total in totals]


def _undone(one: ParameterSymmetry, gains: dict[int, str]) -> list[tuple[int, float]]:
    """Which scalings, with exponents, take back what a uniform one does to gains of norms."""
    exponents = {axis.parameter: axis.exponent for axis in one.on_parameters}
    return [(k, -exponents[gain]) for k, gain in gains.items() if gain in exponents]


class _Squares:
    """Squared weights, summed over the axes on which no factor acts (which stay, of size 1)."""

    def __init__(
        self, state: StateDict, symmetries: Sequence[ParameterSymmetry], counted: frozenset[str]
    ) -> None:
        kept: dict[str, set[int]] = {}
        for one in symmetries:
            for axis in one.on_parameters:
                if axis.parameter in counted:
                    own = kept.setdefault(axis.parameter, set())
                    own |= {axis.axis} if axis.axis >= 0 else set()
        self.arrays: dict[str, Array] = {}
        self.counts: dict[str, float] = {}
        for name, axes in kept.items():
            x = state[name].detach().abs().double().cpu().square()
            rest = [axis for axis in range(x.dim()) if axis not in axes]
            self.arrays[name] = (x.sum(rest, keepdim=True) if rest else x).numpy()
            self.counts[name] = state[name].numel() / self.arrays[name].size
        self.places = {
            id(axis): axis.index.reshape(axis.shape[0], -1)
            for one in symmetries
            for axis in one.on_parameters
            if axis.axis >= 0
        }

    def along(self, axis: ParameterAxis) -> Array:
        """The sum of squares at the places of each unit."""
        x = self.arrays[axis.parameter]
        others = tuple(k for k in range(x.ndim) if k != axis.axis)
        rows: Array = x.sum(axis=others)[self.places[id(axis)]].sum(axis=1)
        return rows

    def total(self, one: ParameterSymmetry, *, dual: bool) -> Array:
        """Squares of what units write, or of what reads them."""
        sums = np.zeros(one.copies)
        for axis in one.on_parameters:
            if axis.dual == dual and axis.parameter in self.arrays:
                sums += self.along(axis)
        return sums

    def balance(self, one: ParameterSymmetry) -> Array:
        """λ = (‖what reads‖/‖what writes‖)^½ of each unit."""
        writing, reading = self.total(one, dual=False), self.total(one, dual=True)
        if not reading.any():
            reading = USUAL**2 * self._entries(one) ** 2 / np.where(writing > 0, writing, 1.0)
        alive = (writing > 0) & (reading > 0)
        ratio = np.where(alive, reading, 1.0) / np.where(alive, writing, 1.0)
        factors: Array = np.clip(ratio**0.25, 1.0 / LARGEST, LARGEST)
        return factors

    def _entries(self, one: ParameterSymmetry) -> float:
        """How many weights each unit writes."""
        entries: float = sum(
            axis.shape[2]
            * self.counts[axis.parameter]
            * self.arrays[axis.parameter].size
            / self.arrays[axis.parameter].shape[axis.axis]
            for axis in one.on_parameters
            if axis.parameter in self.arrays and not axis.dual
        )
        return entries

    def unit_gain(self, one: ParameterSymmetry) -> Array:
        """What makes each gain ±1; those that vanish are left."""
        axis = next(axis for axis in one.on_parameters if axis.parameter == one.gain)
        sizes = np.sqrt(self.along(axis))
        factors: Array = 1.0 / np.where(sizes > 1.0 / LARGEST, sizes, 1.0)
        return factors

    def uniform(
        self, one: ParameterSymmetry, undone: Sequence[tuple[ParameterSymmetry, float]]
    ) -> Array:
        """One factor λ for Σ e·λ^2e·‖what gets the exponent e‖² = 0, other scalings following."""
        sums: dict[float, float] = {}
        counts: dict[float, float] = {}
        for name, exponents in self._exponents(one, undone).items():
            for exponent in np.unique(exponents):
                here = exponents == exponent
                key = float(exponent)
                sums[key] = sums.get(key, 0.0) + float(self.arrays[name][here].sum())
                counts[key] = counts.get(key, 0.0) + self.counts[name] * int(here.sum())
        acting = {e: x for e, x in sums.items() if e and x}
        if not acting:
            return np.ones(1)
        one_way = min(acting) > 0.0 or max(acting) < 0.0
        goal = USUAL * sum(e * counts[e] for e in acting) if one_way else 0.0
        low, high = -np.log(LARGEST), np.log(LARGEST)
        for _ in range(60):  # the sum grows with λ
            middle = (low + high) / 2
            if sum(e * x * np.exp(2 * e * middle) for e, x in acting.items()) < goal:
                low = middle
            else:
                high = middle
        return np.array([np.exp((low + high) / 2)])

    def _exponents(
        self, one: ParameterSymmetry, undone: Sequence[tuple[ParameterSymmetry, float]]
    ) -> dict[str, Array]:
        """The exponent with which λ multiplies each number."""
        found: dict[str, Array] = {}
        for axis in one.on_parameters:
            x = self.arrays.get(axis.parameter)
            if x is not None:
                found[axis.parameter] = np.full(x.shape, axis.exponent)
        for other, exponent in undone:
            for axis in other.on_parameters:
                x = self.arrays.get(axis.parameter)
                if x is not None:
                    own = found.setdefault(axis.parameter, np.zeros(x.shape))
                    rows = np.moveaxis(own, axis.axis, 0)
                    rows[self.places[id(axis)].ravel()] += -exponent if axis.dual else exponent
        # Sums of fractions that cancel.
        return {name: x.round(9) for name, x in found.items()}

    def scale(self, one: ParameterSymmetry, factors: Array) -> None:
        """Multiply the units, and divide what reads them."""
        for axis in one.on_parameters:
            x = self.arrays.get(axis.parameter)
            if x is None:
                continue
            if axis.axis < 0:
                self.arrays[axis.parameter] = x * float(factors[0]) ** (2.0 * axis.exponent)
                continue
            along = np.ones(x.shape[axis.axis])
            along[self.places[id(axis)]] = (factors ** (-2.0 if axis.dual else 2.0))[:, None]
            shape = [1] * x.ndim
            shape[axis.axis] = -1
            self.arrays[axis.parameter] = x * along.reshape(shape)
