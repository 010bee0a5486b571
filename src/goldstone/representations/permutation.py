"""Permutation representations of finite groups."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import FiniteGroup, PermutationAction
from goldstone.groups.permutations import permutation_matrices
from goldstone.representations.finite.extension import cayley_walk
from goldstone.representations.representation import Representation


@dataclass(frozen=True)
class PermutationRepresentation(Representation):
    """The group permutes n points: ρ(g) e_i = e_{g(i)}.

    Args:
        group: a finite group.
        images: for each of ``group.generators()`` the list of images (g(0), …, g(n − 1)).

    Raises:
        InputError: the lists are no permutations, or they break a relation of the group; the
            message names the elements.
    """

    images: tuple[tuple[int, ...], ...]
    table: Tensor = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        group = self.group
        if not isinstance(group, FiniteGroup):
            raise InputError(f"expected a finite group, got {group.name}")
        object.__setattr__(self, "images", tuple(map(tuple, self.images)))
        steps = group.tensor(group.generators())
        points = sorted(self.images[0]) if self.images else []
        wrong = [p for p in self.images if sorted(p) != list(range(len(points)))]
        if not points or wrong or len(self.images) != len(steps):
            raise InputError(
                f"expected a permutation of 0, …, n − 1 for each of the {len(steps)} generators of "
                f"{group.name}, got {wrong[0] if wrong else self.images}"
            )
        object.__setattr__(self, "table", _extend(group, steps, torch.tensor(self.images)))

    @classmethod
    def from_action(cls, action: PermutationAction[Any, Any]) -> "PermutationRepresentation":
        """The representation on functions on the points of an action."""
        group = action.group
        steps = group.index(group.tensor(group.generators()))
        if not len(steps):
            # The trivial group has no generators whose images would tell the number of points.
            raise InputError(f"{group.name} has no generators; take copies of the trivial one")
        return cls(group, tuple(map(tuple, action.permutations[steps].tolist())))

    @property
    def dimension(self) -> int:
        return self.table.shape[-1]

    def _matrices(self, g: Tensor) -> Tensor:
        return permutation_matrices(self.images_of(g))

    def _characters(self, g: Tensor) -> Tensor:
        fixed = self.images_of(g) == torch.arange(self.dimension, device=g.device)
        return fixed.sum(-1).double()

    def images_of(self, g: Tensor) -> Tensor:
        """The images (g(0), …, g(n − 1)) of a tensor of elements: int64 (*batch, n)."""
        group: Any = self.group
        return self.table.to(g.device)[group.index(g)]

    @property
    def allows_pointwise(self) -> bool:
        return True


def _extend(group: FiniteGroup[Any], steps: Tensor, images: Tensor) -> Tensor:
    """The images (order, n) under every element; the law is verified as for matrices."""
    table = torch.arange(images.shape[-1]).repeat(group.order, 1)
    for new, step, known in cayley_walk(group, steps):
        table[new] = images[step].gather(-1, table[known])
    elements = group.element_tensor()
    for step, image in zip(steps, images, strict=True):
        wrong = image[table] != table[group.index(group.compose(step, elements))]
        if bool(wrong.any()):
            g, point = wrong.nonzero()[0].tolist()
            names = [group.element_name(group.value(a)) for a in (step, elements[g])]
            raise InputError(
                f"the images are no action of {group.name}: {names[0]} after {names[1]} and "
                f"{names[0]}·{names[1]} send the point {point} to different points"
            )
    return table
