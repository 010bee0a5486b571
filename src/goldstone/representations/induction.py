"""Induction from a subgroup."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import Group, SubgroupGroup
from goldstone.representations.quotient import left_coset_numbers
from goldstone.representations.representation import Representation


@dataclass(frozen=True)
class InducedRepresentation(Representation):
    """Ind_H^G ρ: one copy of ρ for each left coset tH, permuted along with the cosets.

    With representatives t_i, g t_i = t_j h defines j and h ∈ H, and the block (j, i) of the matrix
    of g is ρ(h). The cosets are ordered by their elements of the lowest number, which are the
    representatives. A vector is a tensor of shape (cosets, dim ρ) flattened: a field on G/H.

    Args:
        representation: ρ, of a subgroup H made by ``subgroup_as_group``.

    Raises:
        InputError: the representation is of another kind of group.
    """

    group: Group[Any] = field(init=False, repr=False)
    representation: Representation
    representatives: Tensor = field(init=False, repr=False, compare=False)
    coset_of: Tensor = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        subgroup = self.representation.group
        if not isinstance(subgroup, SubgroupGroup):
            raise InputError(
                f"expected a representation of a subgroup made by subgroup_as_group, got one of "
                f"{subgroup.name}"
            )
        found = left_coset_numbers(subgroup.parent, subgroup.subgroup)
        object.__setattr__(self, "group", subgroup.parent)
        object.__setattr__(self, "representatives", found[0])
        object.__setattr__(self, "coset_of", found[1])

    @property
    def dimension(self) -> int:
        return len(self.representatives) * self.representation.dimension

    @property
    def dtype(self) -> torch.dtype:
        return self.representation.dtype

    def _matrices(self, g: Tensor) -> Tensor:
        image, inner = self._moved(g)
        blocks = self.representation.matrix_unchecked(inner)
        one = torch.eye(len(self.representatives), dtype=blocks.dtype, device=g.device)
        whole = torch.einsum("...ij,...iab->...jaib", one[image], blocks)
        return whole.flatten(-2).flatten(-3, -2)

    def _characters(self, g: Tensor) -> Tensor:
        image, inner = self._moved(g)
        fixed = image == torch.arange(len(self.representatives), device=g.device)
        return (fixed * self.representation.character_unchecked(inner)).sum(-1)

    def _moved(self, g: Tensor) -> tuple[Tensor, Tensor]:
        """For every g and i the coset j and the element h of the subgroup with g t_i = t_j h."""
        group: Any = self.group
        representatives = self.representatives.to(g.device)
        moved = group.compose(g.unsqueeze(g.dim() - len(group.element_shape)), representatives)
        image = self.coset_of.to(g.device)[group.index(moved)]
        return image, group.compose(group.inverse(representatives[image]), moved)

    @property
    def allows_pointwise(self) -> bool:
        return self.representation.allows_pointwise
