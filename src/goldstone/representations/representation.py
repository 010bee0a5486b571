"""Real matrix representations of planar point groups."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import PointGroup


@dataclass(frozen=True)
class Representation(ABC):
    """A homomorphism g ↦ ρ(g) to real orthogonal matrices.

    Laws that implementers must satisfy: ρ(gh) = ρ(g)ρ(h) and ρ(e) = 1.
    """

    group: PointGroup[Any]

    @property
    @abstractmethod
    def dimension(self) -> int:
        """Size of the matrices."""

    @abstractmethod
    def matrix(self, g: Any) -> Tensor:
        """ρ(g), float64 of shape (dimension, dimension)."""

    @property
    def allows_pointwise(self) -> bool:
        """Whether any pointwise nonlinearity commutes with it (it permutes the components)."""
        return False


@dataclass(frozen=True)
class TrivialRepresentation(Representation):
    """ρ(g) = 1: a scalar."""

    @property
    def dimension(self) -> int:
        return 1

    def matrix(self, g: Any) -> Tensor:
        self.group.check_contains(g)
        return torch.ones(1, 1, dtype=torch.float64)

    @property
    def allows_pointwise(self) -> bool:
        return True


@dataclass(frozen=True)
class DeterminantRepresentation(Representation):
    """ρ(g) = det R(g): a pseudoscalar such as vorticity."""

    @property
    def dimension(self) -> int:
        return 1

    def matrix(self, g: Any) -> Tensor:
        self.group.check_contains(g)
        (a, b), (c, d) = self.group.matrix(g)
        return torch.tensor([[round(a * d - b * c)]], dtype=torch.float64)


@dataclass(frozen=True)
class StandardRepresentation(Representation):
    """ρ(g) = R(g), the rotation or reflection of the plane itself: a vector."""

    @property
    def dimension(self) -> int:
        return 2

    def matrix(self, g: Any) -> Tensor:
        self.group.check_contains(g)
        return torch.tensor(self.group.matrix(g), dtype=torch.float64)


@dataclass(frozen=True)
class RegularRepresentation(Representation):
    """The group permutes its elements, in the order of ``group.elements()``: ρ(g) e_h = e_gh."""

    @property
    def dimension(self) -> int:
        return self.group.order

    def matrix(self, g: Any) -> Tensor:
        self.group.check_contains(g)
        elements: tuple[Any, ...] = self.group.elements()
        position = {h: i for i, h in enumerate(elements)}
        result = torch.zeros(len(elements), len(elements), dtype=torch.float64)
        for column, h in enumerate(elements):
            result[position[self.group.compose(g, h)], column] = 1.0
        return result

    @property
    def allows_pointwise(self) -> bool:
        return True


@dataclass(frozen=True)
class DirectSum(Representation):
    """ρ₁ ⊕ ρ₂ ⊕ …: block-diagonal, the parts in order."""

    parts: tuple[Representation, ...]

    def __post_init__(self) -> None:
        if not self.parts or any(part.group != self.group for part in self.parts):
            raise InputError(
                "a direct sum needs one or more representations of the same group "
                f"({self.group.name}), got {[p.group.name for p in self.parts]}"
            )

    @property
    def dimension(self) -> int:
        return sum(part.dimension for part in self.parts)

    def matrix(self, g: Any) -> Tensor:
        result = torch.zeros(self.dimension, self.dimension, dtype=torch.float64)
        start = 0
        for part in self.parts:
            block = slice(start, start + part.dimension)
            result[block, block] = part.matrix(g)
            start += part.dimension
        return result

    @property
    def allows_pointwise(self) -> bool:
        return all(part.allows_pointwise for part in self.parts)


def multiple(representation: Representation, copies: int) -> DirectSum:
    """``copies`` copies of a representation."""
    return DirectSum(representation.group, (representation,) * copies)
