"""The permutation of the cosets of a subgroup."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import FiniteGroup, Subgroup, coset_table, subgroup_as_group
from goldstone.groups.permutations import permutation_matrices
from goldstone.representations.representation import Representation


@dataclass(frozen=True)
class QuotientRepresentation(Representation):
    """The finite group permutes the left cosets of a subgroup: ρ(g) e_{tH} = e_{gtH}.

    The cosets are ordered by their elements of the lowest number, the subgroup itself first. It is
    the representation on functions on G/H, and the one induced from the trivial one of H; with
    H = {e} it is the regular one.

    Raises:
        InputError: the group is not finite, or the elements are no subgroup of it.
    """

    subgroup: Subgroup[Any]
    representatives: Tensor = field(init=False, repr=False, compare=False)
    coset_of: Tensor = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        group = self.group
        if not isinstance(group, FiniteGroup):
            raise InputError(f"expected a finite group, got {group.name}")
        subgroup_as_group(group, self.subgroup)  # raises if it is none
        representatives, coset_of = left_coset_numbers(group, self.subgroup)
        object.__setattr__(self, "representatives", representatives)
        object.__setattr__(self, "coset_of", coset_of)

    @property
    def dimension(self) -> int:
        return len(self.representatives)

    def _matrices(self, g: Tensor) -> Tensor:
        return permutation_matrices(self.images_of(g))

    def _characters(self, g: Tensor) -> Tensor:
        fixed = self.images_of(g) == torch.arange(self.dimension, device=g.device)
        return fixed.sum(-1).double()

    def images_of(self, g: Tensor) -> Tensor:
        """The numbers of the cosets g t_i H: int64 (*batch, cosets)."""
        group: Any = self.group
        rank = len(group.element_shape)
        moved = group.compose(g.unsqueeze(g.dim() - rank), self.representatives.to(g.device))
        return self.coset_of.to(g.device)[group.index(moved)]

    @property
    def allows_pointwise(self) -> bool:
        return True


def left_coset_numbers(group: FiniteGroup[Any], subgroup: Subgroup[Any]) -> tuple[Tensor, Tensor]:
    """The left cosets of a subgroup.

    Returns:
        The representatives, a tensor of elements: of each coset the element of the lowest number,
        in increasing order; and for each element of the group the number of its coset, (order).
    """
    table = coset_table(group, subgroup)
    coset_of = torch.empty(group.order, dtype=torch.int64)
    coset_of[table] = torch.arange(len(table))[:, None]
    return group.from_index(table.amin(1)), coset_of
