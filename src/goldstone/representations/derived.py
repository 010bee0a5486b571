"""What representations made from one other share."""

from dataclasses import dataclass, field
from typing import Any

import torch

from goldstone.groups import Group
from goldstone.representations.representation import Representation


@dataclass(frozen=True)
class DerivedRepresentation(Representation):
    """A representation that is made from another of the same group."""

    group: Group[Any] = field(init=False, repr=False)
    representation: Representation

    def __post_init__(self) -> None:
        object.__setattr__(self, "group", self.representation.group)

    @property
    def dimension(self) -> int:
        return self.representation.dimension

    @property
    def dtype(self) -> torch.dtype:
        return self.representation.dtype
