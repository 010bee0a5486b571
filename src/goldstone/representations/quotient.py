"""The permutation of the cosets of a subgroup."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import FiniteGroup, Subgroup
from goldstone.representations.permutation import permutation_matrices
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
        members = group.tensor(tuple(self.subgroup.elements))
        group.check_contains(members)
        representatives, coset_of = left_coset_numbers(group, members)
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


def left_coset_numbers(group: FiniteGroup[Any], members: Tensor) -> tuple[Tensor, Tensor]:
    """The left cosets of a subgroup, given by the tensor of its elements.

    Returns:
        The representatives, a tensor of elements: of each coset the element of the lowest number,
        in increasing order; and for each element of the group the number of its coset, (order).

    Raises:
        InputError: the elements are no subgroup.
    """
    everything, own = group.element_tensor(), group.index(members)
    lowest = torch.full((group.order,), group.order)
    closed = True
    for h in members:
        lowest = torch.minimum(lowest, group.index(group.compose(everything, h)))
        closed &= bool(torch.isin(group.index(group.compose(members, h)), own).all())
    if not closed or not len(members):
        raise InputError(
            f"expected a subgroup of {group.name}, got {len(members)} elements that are none"
        )
    numbers, coset_of = torch.unique(lowest, return_inverse=True)
    return group.from_index(numbers), coset_of
