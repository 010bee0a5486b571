"""A complex representation as a real one of twice the dimension."""

from dataclasses import dataclass

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.representations.derived import DerivedRepresentation


@dataclass(frozen=True)
class Realification(DerivedRepresentation):
    """[[Re ρ, −Im ρ], [Im ρ, Re ρ]]: ρ on ℂⁿ seen as ℝ²ⁿ, real parts first.

    Its character is 2 Re χ.

    Raises:
        InputError: ρ is real already.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.representation.dtype.is_complex:
            raise InputError("expected a complex representation, got a real one")

    @property
    def dimension(self) -> int:
        return 2 * self.representation.dimension

    @property
    def dtype(self) -> torch.dtype:
        return torch.float64

    def _matrices(self, g: Tensor) -> Tensor:
        return realify(self.representation.matrix_unchecked(g))

    def _derivatives(self, x: Tensor) -> Tensor:
        return realify(self.representation.derivative(x))

    def _characters(self, g: Tensor) -> Tensor:
        return 2 * self.representation.character_unchecked(g).real

    @property
    def allows_pointwise(self) -> bool:
        return self.representation.allows_pointwise


def realify(a: Tensor) -> Tensor:
    """Complex matrices (*batch, m, n) as real ones (*batch, 2m, 2n), real parts first."""
    above = torch.cat((a.real, -a.imag), -1)
    below = torch.cat((a.imag, a.real), -1)
    return torch.cat((above, below), -2)
