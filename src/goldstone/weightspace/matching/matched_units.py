"""What is matched: units, and blocks of units with those inside them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goldstone.weightspace.matching.steps import places as places_of
from goldstone.weightspace.symmetries.parameter_axis import ParameterAxis
from goldstone.weightspace.symmetries.parameter_symmetry import Kind, ParameterSymmetry


@dataclass(frozen=True, eq=False)
class MatchedUnits:
    """Units that are matched by one symmetry, and the units inside them.

    Attributes:
        symmetry: of permutations, or the orthogonal or general linear one that contains them, or
            of signs where nothing permutes.
        signs: groups of signs of the same units, each on all or none of what an axis has of them.
        inside: for blocks: the units in them, each with the copies (block, copy) that lie in each
            block.
    """

    symmetry: ParameterSymmetry
    signs: tuple[ParameterSymmetry, ...] = ()
    inside: tuple[tuple["MatchedUnits", NDArray[np.int64]], ...] = ()

    @property
    def parameters(self) -> set[str]:
        """Every parameter that may move."""
        names = set(self.symmetry.parameters)
        return names.union(*(units.parameters for units, _ in self.inside))

    @property
    def used(self) -> list["ParameterSymmetry"]:
        """Every symmetry by which these units and those inside them are matched."""
        inner = [one for units, _ in self.inside for one in units.used]
        return [self.symmetry, *self.signs, *inner]


def matched_units(
    symmetries: Sequence[ParameterSymmetry], kinds: frozenset[Kind]
) -> list[MatchedUnits]:
    """The outermost units, in the order of the graph; of nested blocks each has its own inside.

    Matrices and signs of units that do not permute are matched by themselves. Signs of the gains of
    norms are left to the gauge.
    """
    places = {id(one): places_of(one) for one in symmetries}
    matrices = [one for one in symmetries if one.kind in kinds and one.size > 1]
    matrices = [one for one in matrices if one.kind.startswith(("orthogonal", "general"))]
    signs = [one for one in symmetries if one.kind == "sign" and "sign" in kinds]
    inner: dict[int, list[ParameterSymmetry]] = {}
    permutations = [one for one in symmetries if one.kind == "permutation"]
    blocks = [one for one in permutations if one.permutes == "blocks"]
    outermost = []
    for one in permutations:
        around = [
            block
            for block in blocks
            if block is not one
            and block.size * block.copies < one.size * one.copies
            and places[id(one)] <= places[id(block)]
        ]
        if around:
            # The smallest blocks around it are the most.
            parent = max(around, key=lambda block: block.size * block.copies)
            inner.setdefault(id(parent), []).append(one)
        else:
            outermost.append(one)

    def made(one: ParameterSymmetry) -> MatchedUnits:
        linear = [
            x
            for x in matrices
            if (x.size, x.copies) == (one.size, one.copies) and places[id(x)] <= places[id(one)]
        ]
        flips = tuple(x for x in signs if _are_signs_of(x, one))
        inside = tuple((made(child), _copies_in(child, one)) for child in inner.get(id(one), ()))
        if linear and one.permutes == "units":
            return MatchedUnits(linear[0])
        return MatchedUnits(one, flips, inside)

    chosen = [made(one) for one in outermost] if "permutation" in kinds else []
    used = {id(one) for units in chosen for one in units.used}
    alone = (*matrices, *(one for one in signs if not one.gain))
    return chosen + [MatchedUnits(one) for one in alone if id(one) not in used]


def _are_signs_of(signs: ParameterSymmetry, units: ParameterSymmetry) -> bool:
    """Whether each sign belongs to one unit, of which it flips whole axes."""
    rows = {(axis.parameter, axis.axis): _rows_of(axis) for axis in units.on_parameters}
    return units.permutes == "units" and all(
        rows.get((axis.parameter, axis.axis)) == _rows_of(axis) for axis in signs.on_parameters
    )


def _rows_of(axis: ParameterAxis) -> frozenset[frozenset[int]]:
    """The places of each unit."""
    return frozenset(map(frozenset, axis.index.reshape(-1, axis.shape[2]).tolist()))


def _copies_in(child: ParameterSymmetry, parent: ParameterSymmetry) -> NDArray[np.int64]:
    """The copies of the units that lie in each block, (copies·size of the parent, copies)."""
    axis = child.on_parameters[0]
    around = next(
        one
        for one in parent.on_parameters
        if (one.parameter, one.axis) == (axis.parameter, axis.axis)
    )
    index = around.index
    block_of = {
        int(place): number
        for number, row in enumerate(index.reshape(-1, index.shape[2]))
        for place in row
    }
    owners = [block_of[int(copy.flat[0])] for copy in axis.index]
    found = [[k for k, owner in enumerate(owners) if owner == n] for n in range(len(set(owners)))]
    return np.array(found)
