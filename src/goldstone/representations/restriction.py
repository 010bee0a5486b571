"""Restriction to a subgroup."""

from dataclasses import dataclass

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import SubgroupGroup
from goldstone.representations.representation import Representation


@dataclass(frozen=True)
class Restriction(Representation):
    """ρ|_H: the same matrices for the elements of a subgroup H alone.

    Args:
        group: H, from ``subgroup_as_group``.
        representation: ρ, of the group that H is a subgroup of.

    Raises:
        InputError: ρ is of another group.
    """

    representation: Representation

    def __post_init__(self) -> None:
        group = self.group
        if not isinstance(group, SubgroupGroup) or group.parent != self.representation.group:
            raise InputError(
                f"expected a subgroup of {self.representation.group.name} made by "
                f"subgroup_as_group, got {group.name}"
            )

    @property
    def dimension(self) -> int:
        return self.representation.dimension

    @property
    def dtype(self) -> torch.dtype:
        return self.representation.dtype

    def _matrices(self, g: Tensor) -> Tensor:
        return self.representation.matrix_unchecked(g)

    def _characters(self, g: Tensor) -> Tensor:
        return self.representation.character_unchecked(g)

    @property
    def allows_pointwise(self) -> bool:
        return self.representation.allows_pointwise
