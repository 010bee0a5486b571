"""Lie groups whose elements commute."""

import torch
from torch import Tensor

from goldstone.groups.group import Element
from goldstone.groups.lie import LieGroup


class AbelianLieGroup(LieGroup[Element]):
    """A commutative Lie group: Ad_g = 1, and all brackets vanish."""

    def adjoint(self, a: Tensor) -> Tensor:
        one = torch.eye(self.dimension, dtype=a.dtype, device=a.device)
        batch = a.shape[: a.dim() - len(self.element_shape)]
        return one.expand((*batch, -1, -1))

    def structure_constants(self) -> Tensor:
        return torch.zeros((self.dimension,) * 3, dtype=torch.float64)
