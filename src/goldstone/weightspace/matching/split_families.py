"""The families of units of two networks of unequal widths, and which weights read them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import nn

from goldstone.core import InputError
from goldstone.weightspace.matching.matched_units import matched_units
from goldstone.weightspace.matching.unit_maps import Place, SplitFamily
from goldstone.weightspace.symmetries.parameter_symmetries import (
    ParameterSymmetries,
    parameter_symmetries,
)
from goldstone.weightspace.symmetries.parameter_symmetry import ParameterSymmetry
from goldstone.weightspace.tracing import Interpreter, PermutationDomain, trace


def split_families(
    model: nn.Module, wider: nn.Module, inputs: Sequence[Any]
) -> tuple[tuple[SplitFamily, ...], tuple[tuple[str, str], ...]]:
    """The outermost families of both networks side by side, and the shared parameters.

    Raises:
        InputError: a network cannot be traced, or it cannot be told which weights read units
            whose number differs.
    """
    small, large = parameter_symmetries(model, inputs), parameter_symmetries(wider, inputs)
    readers = _Readers(model, inputs)
    others = [one.symmetry for one in matched_units(large.permutations, frozenset({"permutation"}))]
    found = []
    for units in matched_units(small.permutations, frozenset({"permutation"})):
        one = units.symmetry
        wide = next((other for other in others if _fits(one, other)), None)
        if wide is None:
            continue
        reading = readers.of(one, unequal=wide.size > one.size)
        scaled = _scaled(one, reading, small)
        family = SplitFamily(one.name, one.on_parameters, wide.on_parameters, reading, scaled)
        found.append(family)
    return tuple(found), small.shared


def _fits(one: ParameterSymmetry, other: ParameterSymmetry) -> bool:
    if len(one.on_parameters) != len(other.on_parameters) or one.size > other.size:
        return False
    return all(
        (x.parameter, x.axis, x.shape[0], x.shape[2])
        == (y.parameter, y.axis, y.shape[0], y.shape[2])
        for x, y in zip(one.on_parameters, other.on_parameters, strict=True)
    )


def _scaled(
    one: ParameterSymmetry, reading: frozenset[Place], symmetries: ParameterSymmetries
) -> frozenset[Place]:
    """The axes on which a factor of each unit acts, divided in all that reads it."""
    own = {
        (axis.parameter, axis.axis, place) for axis in one.on_parameters for place in axis.places
    }
    for scaling in symmetries.of_kind("scaling"):
        places = {
            (axis.parameter, axis.axis, place)
            for axis in scaling.on_parameters
            for place in axis.places
        }
        dual = {(axis.parameter, axis.axis) for axis in scaling.on_parameters if axis.dual}
        axes = {(name, axis) for name, axis, _ in places}
        whole = {place for place in own if place[:2] in axes}
        if scaling.exact and dual == reading and places == whole and one.permutes == "units":
            return frozenset(axes)
    return frozenset()


class _Readers:
    """Which axes are contracted with units: the trace ties these by the inverse transpose."""

    def __init__(self, model: nn.Module, inputs: Sequence[Any]) -> None:
        walk = Interpreter(trace(model, inputs), PermutationDomain())
        walk.run()
        ties = walk.domain.ties
        self.component, self.sense, self.bound = ties.senses()
        self.nodes = {
            (name, one.axes[0]): one.ids.ravel() >> 1
            for name, x in walk.parameters.items()
            for one in x.fields
        }
        self.first = np.full(ties.size, np.iinfo(np.int64).max)
        for number, nodes in ties.cells:
            np.minimum.at(self.first, nodes, number)

    def of(self, one: ParameterSymmetry, *, unequal: bool) -> frozenset[Place]:
        """The axes that read the units; of heads the last ones, which sum over heads."""
        axes = {
            (axis.parameter, axis.axis): self.nodes[axis.parameter, axis.axis][axis.index[0, 0]]
            for axis in one.on_parameters
        }
        nodes = np.concatenate(list(axes.values()))
        # What is used last is behind the units.
        last = self.component[nodes[self.first[nodes].argmax()]]
        members = nodes[self.component[nodes] == last]
        writes = self.sense[members[self.first[members].argmin()]]
        reading = {
            place
            for place, own in axes.items()
            if np.isin(self.component[own], self.component[members]).any()
            and (self.sense[own] != writes).all()
        }
        if one.permutes == "blocks":
            latest = max(self.first[axes[place]].max() for place in reading) if reading else 0
            reading = {place for place in reading if self.first[axes[place]].max() == latest}
        if unequal and (not reading or self.bound[nodes].any()):
            raise InputError(
                f"it cannot be told which weights read the units of {one.name}, of which the "
                "networks have unequal numbers; pad with zero units instead (widened)"
            )
        return frozenset(reading)
