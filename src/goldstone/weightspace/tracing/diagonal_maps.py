"""Factors and signs of single units, and factors of whole parameters."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goldstone.weightspace.tracing.diagonal_domain import DiagonalDomain
from goldstone.weightspace.tracing.interpreter import Interpreter
from goldstone.weightspace.tracing.labels import Ids

PIVOT = 1e-9
Kind = tuple[str, int, int, bool]
"""Parameter, axis, sense, and whether a factor is divided out there besides its own."""


@dataclass(frozen=True, eq=False)
class DiagonalSlot:
    """The places (units, places per unit) along an axis of a parameter that a factor multiplies.

    Attributes:
        parameter, axis: which.
        places: indices of the axis.
        dual: whether they are divided by it.
    """

    parameter: str
    axis: int
    places: Ids
    dual: bool


@dataclass(frozen=True, eq=False)
class DiagonalFamily:
    """Units with a factor each.

    Attributes:
        size: number of units.
        slots: what the factors multiply.
        exact: false where an ε in the denominator of a norm breaks the symmetry a little.
    """

    size: int
    slots: tuple[DiagonalSlot, ...]
    exact: bool


def diagonal_families(walk: Interpreter) -> list[DiagonalFamily]:
    """Units that can be multiplied by a number each, alike ones together."""
    domain = walk.domain
    parts, sense, bound = domain.ties.senses()
    normed: dict[int, int] = {}  # the sense in which a norm sees the unit
    if isinstance(domain, DiagonalDomain):
        for label in (int(one) for ids in domain.inexact_ids for one in ids.flat):
            node = label >> 1
            normed[int(parts[node])] = int(sense[node]) ^ label & 1
    order = {name: rank for rank, name in enumerate(walk.parameters)}
    units: dict[int, list[tuple[str, int, int, bool, int]]] = defaultdict(list)
    for name, x in walk.parameters.items():
        for one in x.fields:
            for place, node in enumerate((one.ids >> 1).tolist()):
                if not bound[node]:
                    found = (name, one.axes[0], int(sense[node]), False, place)
                    units[int(parts[node])].append(found)
    if isinstance(domain, DiagonalDomain):
        for name, ids in domain.compensating:
            for place, label in enumerate(ids.tolist()):
                node = label >> 1
                if not bound[node]:
                    found = (name, 0, int(sense[node]) ^ label & 1, True, place)
                    units[int(parts[node])].append(found)
    families: dict[tuple[bool, tuple[Kind, ...]], list[list[int]]] = defaultdict(list)
    for unit, entries in units.items():
        # The sense is a matter of choice: what a norm sees grows, else the first place does.
        entries.sort(key=lambda item: (order[item[0]], *item[1:]))
        flip = normed.get(unit, entries[0][2])
        kinds = tuple((name, axis, dual ^ flip, more) for name, axis, dual, more, _ in entries)
        families[unit in normed, kinds].append([place for *_, place in entries])
    result = []
    for (broken, kinds), all_places in families.items():
        table = np.array(all_places)
        slots = []
        for kind in dict.fromkeys(kinds):
            name, axis, dual, _ = kind
            chosen = table[:, [item == kind for item in kinds]]
            slots.append(DiagonalSlot(name, axis, chosen, bool(dual)))
        result.append(DiagonalFamily(len(table), tuple(slots), not broken))
    return result


@dataclass(frozen=True, eq=False)
class UniformScaling:
    """λ ↦ each parameter times λ^exponent.

    Attributes:
        exponents: parameter → exponent.
        exact: as in :class:`DiagonalFamily`.
    """

    exponents: dict[str, float]
    exact: bool


def uniform_scalings(domain: DiagonalDomain, known: list[dict[str, float]]) -> list[UniformScaling]:
    """A basis of the scalings of whole parameters, modulo those that are ``known``."""
    names = domain.names
    free = _null_space(_rows(domain.equations, len(names)))
    index = {name: k for k, name in enumerate(names)}
    span = np.zeros((0, len(names)))
    for exponents in known:
        row = np.zeros((1, len(names)))
        for name, exponent in exponents.items():
            row[0, index[name]] = exponent
        span = np.concatenate((span, row))
    inexact = _rows(domain.inexact_degrees, len(names))
    result = []
    for row in free:
        grown = np.concatenate((span, row[None]))
        if np.linalg.matrix_rank(grown, tol=PIVOT) == np.linalg.matrix_rank(span, tol=PIVOT):
            continue
        span = grown
        if (inexact @ row).sum() < 0 or (row.sum() < 0 and not (inexact @ row).any()):
            row = -row  # what goes into a norm grows with λ
        exponents = {names[k]: float(row[k]) for k in np.flatnonzero(np.abs(row) > PIVOT)}
        exact = bool((np.abs(inexact @ row) < PIVOT).all())
        result.append(UniformScaling(exponents, exact))
    return result


def _rows(forms: list[dict[int, float]], size: int) -> NDArray[np.float64]:
    rows = np.zeros((len(forms), size))
    for row, form in zip(rows, forms, strict=True):
        for key, value in form.items():
            row[key] = value
    return np.unique(rows, axis=0) if len(rows) else rows


def _null_space(a: NDArray[np.float64]) -> NDArray[np.float64]:
    """A readable basis of {x : Ax = 0}, as rows: by reduction to echelon form."""
    a, pivots, row = a.copy(), [], 0
    size = a.shape[1]
    for column in range(size):
        if row == len(a):
            break
        best = row + int(np.abs(a[row:, column]).argmax())
        if abs(a[best, column]) < PIVOT:
            continue
        a[[row, best]] = a[[best, row]]
        a[row] /= a[row, column]
        others = np.arange(len(a)) != row
        a[others] -= np.outer(a[others, column], a[row])
        pivots.append(column)
        row += 1
    free = [column for column in range(size) if column not in pivots]
    basis = np.zeros((len(free), size))
    for vector, column in zip(basis, free, strict=True):
        vector[column] = 1.0
        vector[pivots] = -a[: len(pivots), column]
    return basis
