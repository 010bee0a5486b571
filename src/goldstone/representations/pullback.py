"""Pullback along a homomorphism."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import Group, Homomorphism
from goldstone.representations.elementary import derivative_along
from goldstone.representations.representation import Representation


@dataclass(frozen=True)
class Pullback(Representation):
    """φ*ρ(g) = ρ(φ(g)): a representation of H as one of G, for a homomorphism φ: G → H.

    Along an inclusion it is the restriction, along a projection on a quotient the inflation, along
    a covering such as SU(2) → SO(3) the lift.

    Args:
        homomorphism: φ. For a Lie group G its map must be smooth for torch's forward mode.
        representation: ρ, of φ's target.

    Raises:
        InputError: ρ is of another group.
    """

    group: Group[Any] = field(init=False, repr=False)
    homomorphism: Homomorphism[Any, Any]
    representation: Representation

    def __post_init__(self) -> None:
        if self.representation.group != self.homomorphism.target:
            raise InputError(
                f"expected a representation of {self.homomorphism.target.name}, the target of the "
                f"homomorphism, got one of {self.representation.group.name}"
            )
        object.__setattr__(self, "group", self.homomorphism.source)

    @property
    def dimension(self) -> int:
        return self.representation.dimension

    @property
    def dtype(self) -> torch.dtype:
        return self.representation.dtype

    def _matrices(self, g: Tensor) -> Tensor:
        return self.representation.matrix_unchecked(self.homomorphism(g))

    def _derivatives(self, x: Tensor) -> Tensor:
        return derivative_along(self, x)

    def _characters(self, g: Tensor) -> Tensor:
        return self.representation.character_unchecked(self.homomorphism(g))

    @property
    def allows_pointwise(self) -> bool:
        return self.representation.allows_pointwise
