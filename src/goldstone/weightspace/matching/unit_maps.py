"""Maps from the units of a narrow network to those of a wider one, and what they do to weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from goldstone.core import InputError
from goldstone.weightspace.symmetries.parameter_axis import ParameterAxis
from goldstone.weightspace.symmetries.parameter_symmetry import StateDict

Place = tuple[str, int]


@dataclass(frozen=True, eq=False)
class SplitFamily:
    """Interchangeable units of a narrow network beside the same of a wider one.

    Attributes:
        name: of the units.
        narrow, wide: the axes on which they lie in the two networks, in one order.
        reading: which of these axes read the units; their weights are shared out among copies.
        scaled: which of them a positive factor multiplies or, if they read, divides; empty if the
            units admit no factors.
    """

    name: str
    narrow: tuple[ParameterAxis, ...]
    wide: tuple[ParameterAxis, ...]
    reading: frozenset[Place]
    scaled: frozenset[Place]

    @property
    def copies(self) -> int:
        """The number of blocks of units."""
        return self.narrow[0].shape[0]

    @property
    def sizes(self) -> tuple[int, int]:
        """The number of units in a block, narrow and wide."""
        return self.narrow[0].shape[1], self.wide[0].shape[1]


@dataclass(frozen=True, eq=False)
class UnitMap:
    """P of one family: unit i of the wide network is ``factor[i]`` times unit ``source[i]``.

    Attributes:
        source: (copies, wide units), int64.
        factor: (copies, wide units), float64, not negative.
    """

    source: NDArray[np.int64]
    factor: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class AxisMap:
    """The same for every index of one axis of a parameter."""

    source: Tensor
    factor: Tensor
    size: int
    reads: bool

    @property
    def squares(self) -> Tensor:
        """Σp² over the copies of each narrow index, the diagonal of PᵀP."""
        total = torch.zeros(self.size, dtype=torch.float64)
        return total.index_add(0, self.source, self.factor.square())

    def lifted(self, x: Tensor, axis: int) -> Tensor:
        """P x along an axis."""
        return x.index_select(axis, self.source) * _along(self.factor, x.dim(), axis)

    def pooled(self, x: Tensor, axis: int) -> Tensor:
        """Pᵀx along an axis."""
        weighted = x * _along(self.factor, x.dim(), axis)
        shape = (*x.shape[:axis], self.size, *x.shape[axis + 1 :])
        return weighted.new_zeros(shape).index_add(axis, self.source, weighted)


def _along(values: Tensor, rank: int, axis: int) -> Tensor:
    return values.reshape([-1 if k == axis else 1 for k in range(rank)])


@dataclass(eq=False)
class UnitMaps:
    """The maps of all families found so far; one network's weights in the shape of another's.

    Attributes:
        narrow: weights of the narrow network, float64 on the CPU.
        wide: weights of the wider one, to which copies of readers are kept near.
        families: all of them.
        maps: number of a family → its map; families that have none yet may not be asked for.
    """

    narrow: StateDict
    wide: StateDict
    families: Sequence[SplitFamily]
    maps: dict[int, UnitMap] = field(default_factory=dict)

    def families_on(self, name: str) -> frozenset[int]:
        """The numbers of the families that lie on a parameter."""
        return frozenset(
            number
            for number, one in enumerate(self.families)
            if any(axis.parameter == name for axis in one.narrow)
        )

    def weights(self) -> dict[str, Tensor]:
        """The narrow network in the shape of the wide one, nearest to it: W″ with W″P₁ = P₂W."""
        return {name: self._moved(name) for name in self.narrow}

    def _moved(self, name: str) -> Tensor:
        x, near = self.narrow[name], self.wide[name]
        if not x.is_floating_point():
            return x
        maps = self._axis_maps(name, None)
        for axis, one in maps.items():
            if not one.reads:
                x = one.lifted(x, axis)
        reading = {axis: one for axis, one in maps.items() if one.reads}
        if not reading:
            return x
        for axis, one in reading.items():
            x = x / _along(one.squares, x.dim(), axis)
        rest = near
        for axis, one in reading.items():
            rest = one.pooled(rest, axis) / _along(one.squares, x.dim(), axis)
        missing = x - rest
        for axis, one in reading.items():
            missing = one.lifted(missing, axis)
        return near + missing

    def seen_from(self, name: str, place: Place) -> tuple[Tensor, Tensor]:
        """A parameter of the wide and of the narrow network, all axes but one made comparable.

        Their squared distance is that of the whole networks: along axes that read, both are taken
        to the orthonormal coordinates (PᵀP)^{-1/2}Pᵀ in which alone copies are not free.
        """
        wide, narrow = self.wide[name], self.narrow[name]
        for axis, one in self._axis_maps(name, place).items():
            if one.reads:
                root = _along(one.squares.sqrt(), narrow.dim(), axis)
                wide, narrow = one.pooled(wide, axis) / root, narrow / root
            else:
                narrow = one.lifted(narrow, axis)
        return wide, narrow

    def _axis_maps(self, name: str, without: Place | None) -> dict[int, AxisMap]:
        found = {}
        for axis, (m, n) in enumerate(
            zip(self.narrow[name].shape, self.wide[name].shape, strict=True)
        ):
            if (name, axis) != without:
                made = self._axis_map(name, axis, m, n)
                if made is not None:
                    found[axis] = made
        return found

    def _axis_map(self, name: str, axis: int, m: int, n: int) -> AxisMap | None:
        source = np.arange(n) if m == n else np.full(n, -1)
        factor, reads, found = np.ones(n), set[bool](), False
        for number, one in enumerate(self.families):
            for small, large in zip(one.narrow, one.wide, strict=True):
                if (small.parameter, small.axis) != (name, axis):
                    continue
                found = True
                units = self.maps[number]
                reads.add((name, axis) in one.reading)
                copies = np.arange(one.copies)[:, None]
                source[large.index] = small.index[copies, units.source]
                if (name, axis) in one.scaled:
                    factor[large.index] = units.factor[..., None]
        if (source < 0).any():
            raise InputError(
                f"axis {axis} of {name} has {m} and {n} indices, which are not interchangeable "
                "units; only widths of hidden units, channels and heads may differ"
            )
        if not found:
            return None
        if len(reads) > 1:
            raise InputError(
                f"axis {axis} of {name} writes some units and reads others: semi-permutations "
                "cannot be told apart there"
            )
        return AxisMap(torch.from_numpy(source), torch.from_numpy(factor), m, reads.pop())


def in_double(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Detached, in float64 on the CPU; integers stay integers."""
    return {
        name: x.detach().cpu().double() if x.is_floating_point() else x.detach().cpu()
        for name, x in state.items()
    }
