"""The contract of a representation."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import Group, LieGroup


@dataclass(frozen=True)
class Representation(ABC):
    """A homomorphism g ↦ ρ(g) from a group, finite or Lie, to invertible matrices.

    Laws that implementers must satisfy: ρ(gh) = ρ(g)ρ(h) and ρ(e) = 1; for a Lie group
    ρ(exp x) = exp(dρ(x)) with dρ linear and dρ([x, y]) = [dρ(x), dρ(y)]. Representations are
    frozen, compare by value and pickle. Matrices are float64 or complex128, whatever the precision
    of the elements, and differentiable in the elements of a Lie group.
    """

    group: Group[Any]

    @property
    @abstractmethod
    def dimension(self) -> int:
        """Size of the matrices."""

    @property
    def dtype(self) -> torch.dtype:
        """Of the matrices: float64 for a real representation, complex128 for a complex one."""
        return torch.float64

    @abstractmethod
    def _matrices(self, g: Tensor) -> Tensor:
        """The matrices (*batch, dimension, dimension) of a tensor of elements.

        These have the group's own dtype, and the matrices must have that of the representation.
        """

    def _derivatives(self, x: Tensor) -> Tensor:
        """dρ of coordinates (*batch, d) in the Lie algebra; representations of Lie groups have it.

        Linear in x, so that it is enough to know it on a basis.
        """
        raise NotImplementedError(f"{type(self).__name__} has no derivative")

    def matrix(self, g: Any) -> Tensor:
        """ρ(g) of an element's value, or of every element of a tensor of elements.

        Returns:
            (*batch, dimension, dimension), an empty batch for one element.

        Raises:
            InputError: g is not in the group.
        """
        self.group.check_contains(g)
        return self.matrix_unchecked(g if isinstance(g, Tensor) else self.group.tensor((g,))[0])

    def matrix_unchecked(self, g: Tensor) -> Tensor:
        """ρ(g) of a tensor of elements that are known to lie in the group."""
        return self._matrices(g.to(self.group.element_dtype))

    def __call__(self, g: Any) -> Tensor:
        """ρ(g): see :meth:`matrix`."""
        return self.matrix(g)

    def derivative(self, x: Tensor) -> Tensor:
        """The representation of the Lie algebra, dρ(x) = d/dt ρ(exp(t x)) at t = 0.

        Args:
            x: coordinates (*batch, d) in the group's basis of its Lie algebra.

        Returns:
            (*batch, dimension, dimension).

        Raises:
            InputError: the group is finite, or x has the wrong shape.
        """
        if not isinstance(self.group, LieGroup):
            raise InputError(f"{self.group.name} is not a Lie group: it has no Lie algebra")
        self.group.check_coordinates(x)
        return self._derivatives(x.double())

    def character(self, g: Any) -> Tensor:
        """The trace of ρ(g), (*batch).

        Raises:
            InputError: g is not in the group.
        """
        self.group.check_contains(g)
        return self.character_unchecked(g if isinstance(g, Tensor) else self.group.tensor((g,))[0])

    def character_unchecked(self, g: Tensor) -> Tensor:
        """The character of a tensor of elements that are known to lie in the group."""
        return self._characters(g.to(self.group.element_dtype))

    def _characters(self, g: Tensor) -> Tensor:
        """The traces (*batch) of a tensor of elements; override where there is a shorter way."""
        return self._matrices(g).diagonal(dim1=-2, dim2=-1).sum(-1)

    @property
    def allows_pointwise(self) -> bool:
        """Whether any pointwise nonlinearity commutes with it (it permutes the components)."""
        return False

    def __add__(self, other: "Representation") -> "Representation":
        """The direct sum ρ ⊕ σ, sums of sums flattened: see :class:`DirectSum`."""
        if not isinstance(other, Representation):
            return NotImplemented
        from goldstone.representations.direct_sum import DirectSum

        parts = [one.parts if isinstance(one, DirectSum) else (one,) for one in (self, other)]
        return DirectSum(self.group, parts[0] + parts[1])

    def __mul__(self, other: "Representation") -> "Representation":
        """The tensor product ρ ⊗ σ, products of products flattened: see :class:`TensorProduct`."""
        if not isinstance(other, Representation):
            return NotImplemented
        from goldstone.representations.tensor_product import TensorProduct

        parts = [one.parts if isinstance(one, TensorProduct) else (one,) for one in (self, other)]
        return TensorProduct(self.group, parts[0] + parts[1])
