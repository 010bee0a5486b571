"""Elements of symmetries that act one after another."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from goldstone.weightspace.symmetries.parameter_symmetry import ParameterSymmetry, StateDict

Step = tuple[ParameterSymmetry, Tensor]
Place = tuple[str, int, int]


def applied(state: StateDict, steps: Sequence[Step]) -> dict[str, Tensor]:
    """The steps taken, the first one first."""
    moved = dict(state)
    for symmetry, element in steps:
        moved = symmetry.act(element, moved)
    return moved


def inverse(element: Tensor) -> Tensor:
    """Of a permutation (int64), matrices or factors."""
    if not element.is_floating_point():
        return element.argsort(-1)
    return torch.linalg.inv(element) if element.dim() == 3 else 1.0 / element


def composed(second: Tensor, first: Tensor) -> Tensor:
    """The element that acts as ``second`` after ``first``."""
    if not first.is_floating_point():
        return second.gather(-1, first)
    return second @ first if first.dim() == 3 else second * first


def places(symmetry: ParameterSymmetry) -> frozenset[Place]:
    """(parameter, axis, index) of everything that moves."""
    return frozenset(
        (axis.parameter, axis.axis, place)
        for axis in symmetry.on_parameters
        for place in axis.places
    )


def merged_steps(steps: Iterable[Step]) -> tuple[Step, ...]:
    """The same motion in fewer steps.

    Permutations that permute nothing are left out, and elements of one symmetry become one where
    all that acts between them moves other indices.
    """
    kept: list[Step] = []
    known: dict[int, frozenset[Place]] = {}

    def where(symmetry: ParameterSymmetry) -> frozenset[Place]:
        if id(symmetry) not in known:
            known[id(symmetry)] = places(symmetry)
        return known[id(symmetry)]

    for symmetry, element in steps:
        if not element.is_floating_point() and is_identity(element):
            continue
        for k in range(len(kept) - 1, -1, -1):
            other, before = kept[k]
            if other is symmetry:
                kept[k] = (symmetry, composed(element, before))
                break
            if not where(other).isdisjoint(where(symmetry)):
                kept.append((symmetry, element))
                break
        else:
            kept.append((symmetry, element))
    return tuple(kept)


def is_identity(permutation: Tensor) -> bool:
    """Whether every unit stays where it is."""
    return bool((permutation == torch.arange(permutation.shape[-1]).to(permutation)).all())
