"""A catalogue of critical points, by symmetry and loss."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from goldstone.core import InputError, Progress, SilentProgress, generator
from goldstone.weightspace.tensor_decomposition.critical_point import (
    CriticalPoint,
    critical_point,
    index_and_nullity,
)
from goldstone.weightspace.tensor_decomposition.fixed_points import (
    fixed_point_space,
    whole_space,
)
from goldstone.weightspace.tensor_decomposition.isotropy import (
    IsotropySubgroup,
    isotropy_subgroup,
)
from goldstone.weightspace.tensor_decomposition.objective import SymmetricTensorDecomposition
from goldstone.weightspace.tensor_decomposition.search import (
    Kind,
    RestrictedLoss,
    polished,
    search_from,
    shorter_minimum,
)

_SAME = 1e-5
_TRIED = 5
"""How many points of a degenerate class are shortened, to find a symmetric one."""


@dataclass(frozen=True)
class CatalogueEntry:
    """A class of critical points, and how many starts led to it."""

    point: CriticalPoint
    count: int


@dataclass(frozen=True)
class Catalogue:
    """The critical points that a search found, lowest loss first, one of each class.

    Attributes:
        problem: the loss.
        searched: the name of the subgroup in whose fixed-point space was searched, ``1`` for all.
        starts: how many random starts there were.
        unconverged: how many of them led to no critical point.
        entries: the classes. Two nondegenerate points are one class if loss, index and singular
            values agree (to 10⁻⁵, as they do for points of one orbit of S_k × S_d); degenerate
            ones, which lie on sets, if loss and index do, and the most symmetric stands for them.
    """

    problem: SymmetricTensorDecomposition
    searched: str
    starts: int
    unconverged: int
    entries: tuple[CatalogueEntry, ...]


@dataclass(frozen=True)
class _Found:
    weights: Tensor
    loss: float
    index: int
    degenerate: bool
    singular_values: Tensor


def find_critical_points(
    problem: SymmetricTensorDecomposition,
    starts: int,
    *,
    seed: int,
    kind: Kind = "minima",
    within: IsotropySubgroup | None = None,
    scale: float | None = None,
    tolerance: float = 1e-4,
    progress: Progress | None = None,
) -> Catalogue:
    """Search from random starts, and catalogue what was found.

    A degenerate minimum is replaced by a shorter one on its set (:func:`shorter_minimum`); then W
    is averaged over the isotropy subgroup that it has to ``tolerance``, and made critical once more
    within its fixed-point space.

    Args:
        problem: the loss.
        starts: how many.
        seed: of the starts; each start has its own stream.
        kind: ``"minima"`` (within the space) by BFGS, or ``"critical points"`` of any index.
        within: search in the fixed-point space of this subgroup, such as :func:`diagonal_subgroup`;
            by default everywhere.
        scale: starts have entries N(0, scale²), equal on the subgroup's orbits; by default 1/√d.
        tolerance: of entries that count as equal in an isotropy subgroup.
        progress: shows the starts.

    Raises:
        InputError: there are no starts, or the kind or the subgroup does not fit.
    """
    if starts < 1:
        raise InputError(f"expected one or more starts, got {starts}")
    k, d = problem.shape
    space = whole_space(k, d) if within is None else fixed_point_space(within)
    if space.shape != problem.shape:
        raise InputError(
            f"the subgroup permutes {space.shape[0]} rows and {space.shape[1]} columns, the "
            f"problem has {k} and {d}"
        )
    restricted = RestrictedLoss(problem, space)
    size = d**-0.5 if scale is None else scale
    found: list[_Found] = []
    with (progress or SilentProgress()).task("searching critical points", starts) as task:
        for number in range(starts):
            random = generator(seed, "start", number)
            start = size * torch.randn(space.dimension, dtype=torch.float64, generator=random)
            weights = search_from(restricted, start.numpy(), kind)
            if weights is not None:
                found.append(_found(problem, weights))
            task.advance()
    entries = [
        CatalogueEntry(_representative(restricted, members, kind, tolerance), len(members))
        for members in _classes(found)
    ]
    return Catalogue(problem, space.name, starts, starts - len(found), tuple(entries))


def _found(problem: SymmetricTensorDecomposition, weights: Tensor) -> _Found:
    index, nullity = index_and_nullity(problem, problem.hessian(weights))
    sizes: Tensor = torch.linalg.svdvals(weights)
    return _Found(weights, float(problem.loss(weights)), index, nullity > 0, sizes)


def _classes(found: Sequence[_Found]) -> list[list[_Found]]:
    classes: list[list[_Found]] = []
    for one in sorted(found, key=lambda f: f.loss):
        same = next((members for members in classes if _same(one, members[0])), None)
        if same is None:
            classes.append([one])
        else:
            same.append(one)
    return classes


def _same(one: _Found, other: _Found) -> bool:
    if (one.index, one.degenerate) != (other.index, other.degenerate):
        return False
    if abs(one.loss - other.loss) > _SAME * (1 + abs(other.loss)):
        return False
    distance = float((one.singular_values - other.singular_values).abs().max())
    return one.degenerate or distance <= _SAME


def _representative(
    restricted: RestrictedLoss, members: Sequence[_Found], kind: Kind, tolerance: float
) -> CriticalPoint:
    candidates = [members[0].weights]
    if members[0].degenerate and kind == "minima":
        candidates = [shorter_minimum(restricted, m.weights) for m in members[:_TRIED]]
    symmetric = [_symmetrised(restricted.problem, weights, tolerance) for weights in candidates]
    best = max(symmetric, key=lambda weights: isotropy_subgroup(weights).order)
    return critical_point(restricted.problem, best)


def _symmetrised(
    problem: SymmetricTensorDecomposition, weights: Tensor, tolerance: float
) -> Tensor:
    """The critical point that is exactly as symmetric as W is to the tolerance, if there is one."""
    space = fixed_point_space(isotropy_subgroup(weights, tolerance))
    symmetric = polished(RestrictedLoss(problem, space), space.project(weights).numpy())
    if symmetric is None or float((symmetric - weights).abs().max()) > 10 * tolerance:
        return weights
    return symmetric
