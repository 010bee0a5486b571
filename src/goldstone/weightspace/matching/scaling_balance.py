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

LARGEST = 1e4
"""No factor leaves [1/LARGEST, LARGEST]: units that nothing reads are left as they are."""


def balancing_factors(
    state: StateDict, symmetries: Sequence[ParameterSymmetry], counted: frozenset[str]
) -> list[Tensor]:
    """An element of each scaling, (copies,), that take a point to its place on their orbit.

    The gains of norms become 1; the factor λ of any other unit solves λ‖what writes‖ = ‖what
    reads‖/λ, or makes units alike in size where nothing reads. One symmetry after another, until
    nothing changes. Only squares of weights count, summed over all axes on which no factor acts.

    Args:
        state: the point.
        symmetries: of the kinds ``scaling`` and ``uniform scaling``.
        counted: names of the tensors that count.
    """
    squares = _Squares(state, symmetries, counted)
    # BatchNorm's weight takes back what its convolution is multiplied by: it is balanced.
    taking = {axis.parameter for one in symmetries for axis in one.on_parameters if axis.dual}
    totals = [np.ones(one.copies) for one in symmetries]
    for _ in range(SWEEPS):
        largest = 0.0
        for number, one in enumerate(symmetries):
            if one.kind == "uniform scaling":
                factors = squares.uniform(one)
            elif one.gain and one.gain not in taking:
                factors = squares.unit_gain(one)
            else:
                factors = squares.balance(one)
            change = float(np.abs(factors - 1.0).max())
            if change >= SETTLED:
                squares.scale(one, factors)
                totals[number] = totals[number] * factors
            largest = max(largest, change)
        if largest < SETTLED:
            break
    return [torch.from_numpy(total) for total in totals]


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
        self.counts = {name: state[name].numel() for name in kept}
        for name, axes in kept.items():
            x = state[name].detach().double().cpu().square()
            rest = [axis for axis in range(x.dim()) if axis not in axes]
            self.arrays[name] = (x.sum(rest, keepdim=True) if rest else x).numpy()
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
        writing, reading = self.total(one, dual=False), self.total(one, dual=True)
        if not reading.any():
            sizes = np.sqrt(np.where(writing > 0, writing, 1.0))
            even: Array = sizes.mean() / sizes
            return even
        alive = (writing > 0) & (reading > 0)
        ratio = np.where(alive, reading, 1.0) / np.where(alive, writing, 1.0)
        factors: Array = np.clip(ratio**0.25, 1.0 / LARGEST, LARGEST)
        return factors

    def unit_gain(self, one: ParameterSymmetry) -> Array:
        axis = next(axis for axis in one.on_parameters if axis.parameter == one.gain)
        sizes = np.sqrt(self.along(axis))
        factors: Array = np.clip(1.0 / np.maximum(sizes, 1.0 / LARGEST), 1.0 / LARGEST, LARGEST)
        return factors

    def uniform(self, one: ParameterSymmetry) -> Array:
        """One factor; where nothing shrinks, the root mean square becomes 0.1."""
        grows, shrinks, count = 0.0, 0.0, 0
        for axis in one.on_parameters:
            if axis.parameter in self.arrays:
                size = float(self.arrays[axis.parameter].sum())
                if axis.exponent > 0:
                    grows += size
                    count += self.counts[axis.parameter]
                else:
                    shrinks += size
        if grows == 0.0:
            return np.ones(1)
        goal = shrinks or 1e-4 * count**2 / grows
        factors: Array = np.clip(np.array([(goal / grows) ** 0.25]), 1.0 / LARGEST, LARGEST)
        return factors

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
