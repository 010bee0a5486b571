"""What representations made from others share."""

from dataclasses import dataclass, field
from typing import Any

import torch

from goldstone.core import InputError
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


@dataclass(frozen=True)
class CompoundRepresentation(Representation):
    """A representation that is made from several others."""

    parts: tuple[Representation, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(self.parts))

    def _check_one_group(self, what: str) -> None:
        if not self.parts or any(part.group != self.group for part in self.parts):
            raise InputError(
                f"{what} needs one or more representations of the same group "
                f"({self.group.name}), got {[p.group.name for p in self.parts]}"
            )

    @property
    def dtype(self) -> torch.dtype:
        is_complex = any(part.dtype.is_complex for part in self.parts)
        return torch.complex128 if is_complex else torch.float64

    @property
    def allows_pointwise(self) -> bool:
        return all(part.allows_pointwise for part in self.parts)
