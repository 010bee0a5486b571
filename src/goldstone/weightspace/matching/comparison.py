"""How well units of two networks fit, and the elements that make them fit best."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from itertools import compress, product

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from goldstone.weightspace.matching.matched_units import MatchedUnits
from goldstone.weightspace.symmetries.parameter_symmetry import (
    Kind,
    ParameterSymmetry,
    StateDict,
    ones_complement,
)

Place = tuple[str, int]


class Comparison(ABC):
    """Products of the units of two networks, a fixed and b moved, and what maximises their sum."""

    @abstractmethod
    def products(
        self,
        symmetry: ParameterSymmetry,
        rows: NDArray[np.int64] | None = None,
        columns: NDArray[np.int64] | None = None,
        places: frozenset[Place] | None = None,
    ) -> Tensor:
        """⟨unit i of a, unit j of b⟩ in each copy, (copies, n, n), float64.

        Args:
            symmetry: of the units.
            rows: copies in a to pair with others than their own, (pairs,).
            columns: the copies in b that they are paired with.
            places: the (parameter, axis) that count, by default all.
        """

    def solved(self, units: MatchedUnits) -> list[tuple[ParameterSymmetry, Tensor]]:
        """The elements that bring b nearest to a, the other units being where they are."""
        symmetry = units.symmetry
        if symmetry.kind == "sign":
            return [(symmetry, _signs(self.products(symmetry)))]
        if symmetry.kind != "permutation":
            return [(symmetry, procrustes(self.products(symmetry), symmetry.kind))]
        if units.inside:
            return [(symmetry, assigned(self.block_scores(units)))]
        signed, choices = self.signed_products(units)
        scores, chosen = signed.max(0)
        element = assigned(scores)
        steps: list[tuple[ParameterSymmetry, Tensor]] = [(symmetry, element)]
        back = element.argsort(-1).to(chosen.device)
        which = chosen.gather(2, back[..., None])[..., 0].cpu()
        for number, signs in enumerate(units.signs):
            flips = choices[which, number]
            steps.append((signs, _by_place(flips, symmetry, signs)))
        return steps

    def signed_products(
        self,
        units: MatchedUnits,
        rows: NDArray[np.int64] | None = None,
        columns: NDArray[np.int64] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """The products for each choice of signs, (choices, copies, n, n), and the choices.

        These are (choices, groups of signs), ±1; one without signs.
        """
        acting = [
            frozenset((axis.parameter, axis.axis) for axis in signs.on_parameters)
            for signs in units.signs
        ]
        parts: dict[tuple[bool, ...], set[Place]] = {}
        for axis in units.symmetry.on_parameters:
            place = axis.parameter, axis.axis
            parts.setdefault(tuple(place in one for one in acting), set()).add(place)
        products = {
            flipped: self.products(units.symmetry, rows, columns, frozenset(places))
            for flipped, places in parts.items()
        }
        choices = list(product((1.0, -1.0), repeat=len(acting)))
        signed = [
            sum(
                (
                    x if math.prod(compress(choice, flipped)) > 0 else -x
                    for flipped, x in products.items()
                ),
                start=torch.zeros((), dtype=torch.float64),
            )
            for choice in choices
        ]
        return torch.stack(signed), torch.tensor(choices, dtype=torch.float64)

    def block_scores(self, units: MatchedUnits) -> Tensor:
        """How well block i of a and block j of b fit at best, (copies, n, n)."""
        symmetry = units.symmetry
        n = symmetry.size
        covered = frozenset(
            (axis.parameter, axis.axis)
            for child, _ in units.inside
            for axis in child.symmetry.on_parameters
        )
        own = frozenset((axis.parameter, axis.axis) for axis in symmetry.on_parameters)
        total = self.products(symmetry, places=own - covered)
        for child, copies in units.inside:
            for copy in range(symmetry.copies):
                blocks = copies[copy * n : (copy + 1) * n]
                for k in range(blocks.shape[1]):
                    rows, columns = np.repeat(blocks[:, k], n), np.tile(blocks[:, k], n)
                    best = self._best(child, rows, columns)
                    total[copy] += best.reshape(n, n)
        return total

    def _best(
        self, units: MatchedUnits, rows: NDArray[np.int64], columns: NDArray[np.int64]
    ) -> Tensor:
        symmetry = units.symmetry
        if symmetry.kind == "permutation":
            values = self.signed_products(units, rows, columns)[0].amax(0)
            back = assigned(values).argsort(-1)
            best: Tensor = values.gather(2, back[..., None])[..., 0].sum(1)
            return best
        products = self.products(symmetry, rows, columns)
        if symmetry.kind == "orthogonal keeping ones":
            frame = ones_complement(symmetry.size).to(products.device)
            products = frame.T @ products @ frame
        nuclear: Tensor = torch.linalg.svdvals(products).sum(1)
        return nuclear


class Fit(Comparison):
    """Inner products of the weights of two networks; frames are divided out.

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
        places: frozenset[Place] | None = None,
    ) -> Tensor:
        total = torch.zeros((), dtype=torch.float64)
        for axis in symmetry.on_parameters:
            if axis.parameter not in self.counted:
                continue
            if places is not None and (axis.parameter, axis.axis) not in places:
                continue
            one, two = (
                axis.unframed(axis.gathered(state[axis.parameter]), state).flatten(2)
                for state in (self.a, self.b)
            )
            one = one if rows is None else one[rows]
            two = two if columns is None else two[columns]
            # Half precision is too coarse for sums over thousands of weights.
            total = total + (_real(one) @ _real(two).mT).double()
        if total.dim() == 0:
            copies = symmetry.copies if rows is None else len(rows)
            return torch.zeros(copies, symmetry.size, symmetry.size, dtype=torch.float64)
        return total

    def distance(self, names: set[str], b: Mapping[str, Tensor] | None = None) -> float:
        """Σ‖a − b‖² over some tensors."""
        b = self.b if b is None else b
        chosen = names & self.counted
        differences = (_real(self.a[name] - b[name]) for name in chosen)
        return sum(float(x.double().square().sum()) for x in differences)


def assigned(scores: Tensor) -> Tensor:
    """The permutations (copies, n) of b's units with the largest sum of scores (copies, a, b)."""
    elements = []
    for score in scores.cpu().numpy():
        rows, columns = linear_sum_assignment(score, maximize=True)
        element = np.empty(len(rows), dtype=np.int64)
        element[columns] = rows
        elements.append(torch.from_numpy(element))
    return torch.stack(elements)


def _signs(products: Tensor) -> Tensor:
    return torch.where(products < 0, -1.0, 1.0).double()


def _real(x: Tensor) -> Tensor:
    """At least single precision; complex numbers as pairs along the last axis."""
    if x.is_complex():
        return torch.view_as_real(x).flatten(-2) if x.dim() else torch.view_as_real(x)
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
    other = signs.on_parameters[0]
    axis = next(
        one
        for one in order.on_parameters
        if (one.parameter, one.axis) == (other.parameter, other.axis)
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
