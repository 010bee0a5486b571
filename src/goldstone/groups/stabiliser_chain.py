"""Chains of point stabilisers of permutation groups, by the algorithm of Schreier and Sims."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from goldstone.groups.permutations import compose_permutations, invert_permutations


@dataclass(frozen=True, eq=False)
class StabiliserLevel:
    """One step of a stabiliser chain, from a group to the stabiliser of a point.

    Attributes:
        point: the point that the next group in the chain leaves in place.
        transversal: for each point of its orbit an element that brings ``point`` there,
            (orbit, points), the identity first.
        inverses: their inverses.
        position: for each point its place in the orbit, −1 outside.
    """

    point: int
    transversal: Tensor
    inverses: Tensor
    position: Tensor


@dataclass(frozen=True, eq=False)
class StabiliserChain:
    """G = G₀ ≥ G₁ ≥ … ≥ 1, G_i₊₁ the stabiliser in G_i of a point.

    Every element is in one way a product t₀ t₁ t₂ … of members of the transversals; their places in
    the orbits are the digits of its number. Needs memory for the transversals alone, so the order
    may be astronomic.

    References:
        C. C. Sims, "Computational methods in the study of permutation groups", 1970; D. F. Holt,
        B. Eick, E. A. O'Brien, "Handbook of Computational Group Theory", 2005, section 4.4.
    """

    levels: tuple[StabiliserLevel, ...]
    points: int

    @property
    def order(self) -> int:
        """The product of the lengths of the orbits."""
        return prod(len(level.transversal) for level in self.levels)

    def digits(self, a: Tensor) -> tuple[Tensor, Tensor]:
        """The digits (*batch, levels) of permutations, and which of them lie in the group."""
        rest = a
        inside = torch.ones(a.shape[:-1], dtype=torch.bool, device=a.device)
        digits = []
        for level in self.levels:
            place = level.position.to(a.device)[rest[..., level.point]]
            inside = inside & (place >= 0)
            place = place.clamp(min=0)
            rest = compose_permutations(level.inverses.to(a.device)[place], rest)
            digits.append(place)
        inside = inside & (rest == torch.arange(self.points, device=a.device)).all(-1)
        shape = (*a.shape[:-1], len(self.levels))
        return torch.stack(digits, -1) if digits else rest.new_zeros(shape), inside

    def element(self, digits: Tensor) -> Tensor:
        """The products t₀ t₁ t₂ … of the representatives in these places."""
        product = torch.arange(self.points, device=digits.device).expand(*digits.shape[:-1], -1)
        for level, place in zip(self.levels, digits.unbind(-1), strict=True):
            product = compose_permutations(product, level.transversal.to(digits.device)[place])
        return product


def stabiliser_chain(generators: Sequence[Tensor], points: int) -> StabiliserChain:
    """The stabiliser chain of the group that ``generators`` (permutations) generate."""
    identity = torch.arange(points)
    # strong[i] generates, once the work is done, the group at level i.
    strong: list[list[Tensor]] = []
    levels: list[StabiliserLevel] = []

    def add(a: Tensor, lowest: int, highest: int) -> None:
        """Let a, which fixes the points above level ``highest``, generate levels up to there."""
        if highest == len(levels):
            moved = int((a != identity).nonzero()[0, 0])
            strong.append([])
            levels.append(_level(moved, [], identity))
        for i in range(lowest, highest + 1):
            strong[i].append(a)
            levels[i] = _level(levels[i].point, strong[i], identity)

    for a in generators:
        if not torch.equal(a, identity):
            add(a, 0, _first_moved(levels, a))
    i = len(levels) - 1
    while i >= 0:
        residue = _residue(levels, i, strong[i])
        if residue is None:
            i -= 1
        else:
            a, level = residue
            add(a, i + 1, level)
            i = level
    return StabiliserChain(tuple(levels), points)


def _first_moved(levels: Sequence[StabiliserLevel], a: Tensor) -> int:
    moved = (i for i, level in enumerate(levels) if int(a[level.point]) != level.point)
    return next(moved, len(levels))


def _level(point: int, generators: Sequence[Tensor], identity: Tensor) -> StabiliserLevel:
    """The orbit of the point, breadth first, and how to reach it."""
    position = torch.full_like(identity, -1)
    position[point] = 0
    reached = frontier = identity[None]
    while len(frontier) and generators:
        steps = torch.stack(list(generators))
        moved = compose_permutations(steps[:, None], frontier[None]).flatten(0, 1)
        images = moved[:, point]
        fresh = position[images] < 0
        moved, images = moved[fresh], images[fresh]
        # One representative for each new point of the orbit.
        chosen = torch.full_like(identity, -1)
        chosen[images] = torch.arange(len(images))
        frontier = moved[chosen[chosen >= 0]]
        position[frontier[:, point]] = torch.arange(len(frontier)) + len(reached)
        reached = torch.cat((reached, frontier))
    return StabiliserLevel(point, reached, invert_permutations(reached), position)


def _residue(
    levels: Sequence[StabiliserLevel], i: int, generators: Sequence[Tensor]
) -> tuple[Tensor, int] | None:
    """A Schreier generator of the stabiliser of level i that the levels below cannot express.

    What is left of it, with the level at which it stuck; None if there is no such generator.
    """
    level = levels[i]
    moved = compose_permutations(torch.stack(list(generators))[:, None], level.transversal[None])
    back = level.inverses[level.position[moved[..., level.point]]]
    rest = compose_permutations(back, moved).flatten(0, 1)
    for depth in range(i + 1, len(levels)):
        below = levels[depth]
        place = below.position[rest[:, below.point]]
        stuck = (place < 0).nonzero()
        if len(stuck):
            return rest[int(stuck[0, 0])], depth
        rest = compose_permutations(below.inverses[place], rest)
    strange = (rest != torch.arange(rest.shape[-1])).any(-1).nonzero()
    return (rest[int(strange[0, 0])], len(levels)) if len(strange) else None
