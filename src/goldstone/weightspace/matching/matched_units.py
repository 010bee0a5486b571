"""What is matched: units and blocks of units, and how well those of two networks fit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from goldstone.weightspace.matching.steps import places as places_of
from goldstone.weightspace.symmetries.parameter_symmetry import (
    Kind,
    ParameterSymmetry,
    StateDict,
    ones_complement,
)


@dataclass(frozen=True, eq=False)
class MatchedUnits:
    """Units that are matched by one symmetry, and the units inside them.

    Attributes:
        symmetry: of permutations, or the orthogonal or general linear one that contains them.
        signs: the signs of the same units, if they have any.
        inside: for blocks: the units in them, each with the copies (block, copy) that lie in each
            block.
    """

    symmetry: ParameterSymmetry
    signs: ParameterSymmetry | None = None
    inside: tuple[tuple["MatchedUnits", NDArray[np.int64]], ...] = ()

    @property
    def parameters(self) -> set[str]:
        """Every parameter that may move."""
        names = set(self.symmetry.parameters)
        return names.union(*(units.parameters for units, _ in self.inside))


def matched_units(
    symmetries: Sequence[ParameterSymmetry], kinds: frozenset[Kind]
) -> list[MatchedUnits]:
    """The outermost units, in the order of the graph; of nested blocks each has its own inside."""
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
        flips = [x for x in signs if places[id(x)] == places[id(one)]]
        inside = tuple((made(child), _copies_in(child, one)) for child in inner.get(id(one), ()))
        if linear and one.permutes == "units":
            return MatchedUnits(linear[0])
        return MatchedUnits(one, flips[0] if flips else None, inside)

    chosen = [made(one) for one in outermost]
    if "permutation" in kinds:
        return chosen
    return [units for one in chosen for units in _matrices_in(one)]


def _matrices_in(units: MatchedUnits) -> list[MatchedUnits]:
    """The units on which matrices act, where blocks do not permute."""
    if units.symmetry.kind != "permutation":
        return [units]
    return [found for child, _ in units.inside for found in _matrices_in(child)]


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


class Fit:
    """Inner products of the weights of two networks, a fixed and b that is moved.

    Args:
        a, b: their weights.
        counted: the tensors that count.
    """

    def __init__(self, a: StateDict, b: StateDict, counted: frozenset[str]) -> None:
        self.a, self.b, self.counted = a, b, counted

    def products(
        self,
        symmetry: ParameterSymmetry,
        rows: NDArray[np.int64] | None = None,
        columns: NDArray[np.int64] | None = None,
        without: frozenset[tuple[str, int]] = frozenset(),
    ) -> Tensor:
        """⟨unit i of a, unit j of b⟩ in each copy, or in pairs of copies: (copies, n, n), float64.

        Frames are divided out, so that a matrix fits both sides.
        """
        total = torch.zeros((), dtype=torch.float64)
        for axis in symmetry.on_parameters:
            if axis.parameter not in self.counted or (axis.parameter, axis.axis) in without:
                continue
            one, two = (
                axis.unframed(axis.gathered(state[axis.parameter]), state).flatten(2)
                for state in (self.a, self.b)
            )
            one = one if rows is None else one[rows]
            two = two if columns is None else two[columns]
            # Half precision is too coarse for sums over thousands of weights.
            total = total + (_single(one) @ _single(two).mT).double()
        if total.dim() == 0:
            copies = symmetry.copies if rows is None else len(rows)
            return torch.zeros(copies, symmetry.size, symmetry.size, dtype=torch.float64)
        return total

    def solved(self, units: MatchedUnits) -> list[tuple[ParameterSymmetry, Tensor]]:
        """The elements that bring b nearest to a, the other units being where they are."""
        symmetry = units.symmetry
        if symmetry.kind != "permutation":
            return [(symmetry, procrustes(self.products(symmetry), symmetry.kind))]
        scores = self.scores(units)
        element = assigned(scores.abs() if units.signs is not None else scores)
        steps: list[tuple[ParameterSymmetry, Tensor]] = [(symmetry, element)]
        if units.signs is not None:
            back = element.argsort(-1)
            fitting = scores.gather(2, back[..., None])[..., 0]
            flips = torch.where(fitting < 0, -1.0, 1.0).double()
            steps.append((units.signs, _by_place(flips, symmetry, units.signs)))
        return steps

    def scores(self, units: MatchedUnits) -> Tensor:
        """How well unit i of a and unit j of b fit at best, (copies, n, n)."""
        symmetry = units.symmetry
        if not units.inside:
            return self.products(symmetry)
        n = symmetry.size
        covered = frozenset(
            (axis.parameter, axis.axis)
            for child, _ in units.inside
            for axis in child.symmetry.on_parameters
        )
        total = self.products(symmetry, without=covered)
        for child, copies in units.inside:
            for copy in range(symmetry.copies):
                own = copies[copy * n : (copy + 1) * n]
                for k in range(own.shape[1]):
                    rows, columns = np.repeat(own[:, k], n), np.tile(own[:, k], n)
                    best = self._best(child, rows, columns)
                    total[copy] += best.reshape(n, n)
        return total

    def _best(
        self, units: MatchedUnits, rows: NDArray[np.int64], columns: NDArray[np.int64]
    ) -> Tensor:
        symmetry = units.symmetry
        products = self.products(symmetry, rows, columns)
        if symmetry.kind == "permutation":
            values = products.abs() if units.signs is not None else products
            back = assigned(values).argsort(-1)
            best: Tensor = values.gather(2, back[..., None])[..., 0].sum(1)
            return best
        if symmetry.kind == "orthogonal keeping ones":
            frame = ones_complement(symmetry.size)
            products = frame.T @ products @ frame
        nuclear: Tensor = torch.linalg.svdvals(products).sum(1)
        return nuclear

    def distance(self, names: set[str], b: Mapping[str, Tensor] | None = None) -> float:
        """Σ‖a − b‖² over some tensors."""
        b = self.b if b is None else b
        chosen = names & self.counted
        return sum(float((self.a[name] - b[name]).double().square().sum()) for name in chosen)


def assigned(scores: Tensor) -> Tensor:
    """The permutations (copies, n) of b's units with the largest sum of scores (copies, a, b)."""
    elements = []
    for score in scores.cpu().numpy():
        rows, columns = linear_sum_assignment(score, maximize=True)
        element = np.empty(len(rows), dtype=np.int64)
        element[columns] = rows
        elements.append(torch.from_numpy(element))
    return torch.stack(elements)


def _single(x: Tensor) -> Tensor:
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


def procrustes(products: Tensor, kind: Kind) -> Tensor:
    """The orthogonal Q with the largest tr(QᵀM), M = ABᵀ: UVᵀ of the SVD (Schönemann, 1966)."""
    if kind == "orthogonal keeping ones":
        frame = ones_complement(products.shape[1]).to(products.device)
        products = frame.T @ products @ frame
    left, _, right = torch.linalg.svd(products)
    q: Tensor = left @ right
    return q


def _by_place(values: Tensor, order: ParameterSymmetry, signs: ParameterSymmetry) -> Tensor:
    """Signs (copies, units) in the order in which another symmetry lists the units."""
    axis = order.on_parameters[0]
    other = next(
        one
        for one in signs.on_parameters
        if (one.parameter, one.axis) == (axis.parameter, axis.axis)
    )
    by_place = {
        int(place): float(value)
        for row, value in zip(
            axis.index.reshape(-1, axis.shape[2]), values.reshape(-1).tolist(), strict=True
        )
        for place in row
    }
    chosen = [by_place[int(row.flat[0])] for row in other.index]
    return torch.tensor(chosen, dtype=torch.float64)[:, None, None]
