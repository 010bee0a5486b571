"""Irreps of the rotations and of the orthogonal group of the plane."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import Group, OrthogonalGroup, SpecialOrthogonalGroup
from goldstone.representations.checks import check_whole
from goldstone.representations.irrep import FrobeniusSchurType, Irrep


@dataclass(frozen=True)
class SO2Irrep(Irrep):
    """The real irrep of SO(2) of frequency k: 1 for k = 0, else the rotation by kθ.

    It acts on (cos kφ, sin kφ) as the rotation by θ acts on φ; over ℝ it is of complex type for
    k > 0. For k = 1 it is the standard representation.

    Attributes:
        frequency: k ≥ 0; −k would give an isomorphic irrep.

    Raises:
        InputError: k is negative.
    """

    group: Group[Any] = field(init=False, repr=False)
    frequency: int

    def __post_init__(self) -> None:
        check_whole("a frequency k", self.frequency)
        object.__setattr__(self, "group", SpecialOrthogonalGroup(2))

    @property
    def name(self) -> str:
        """``A`` for k = 0, else ``E`` and k."""
        return f"E{self.frequency}" if self.frequency else "A"

    @property
    def frobenius_schur_type(self) -> FrobeniusSchurType:
        return "complex" if self.frequency else "real"

    @property
    def dimension(self) -> int:
        return 2 if self.frequency else 1

    def _matrices(self, g: Tensor) -> Tensor:
        if not self.frequency:
            return torch.ones_like(g[..., :1, :1])
        power: Tensor = torch.linalg.matrix_power(g, self.frequency)
        return power

    def _derivatives(self, x: Tensor) -> Tensor:
        return _turning(x, self.frequency)


@dataclass(frozen=True)
class SO2ComplexIrrep(Irrep):
    """The complex irrep of SO(2) of frequency k, e^{ikθ}.

    Attributes:
        frequency: k, any integer.
    """

    group: Group[Any] = field(init=False, repr=False)
    frequency: int

    def __post_init__(self) -> None:
        check_whole("a frequency", self.frequency, None)
        object.__setattr__(self, "group", SpecialOrthogonalGroup(2))

    @property
    def name(self) -> str:
        """``k=`` and the frequency."""
        return f"k={self.frequency}"

    @property
    def frobenius_schur_type(self) -> FrobeniusSchurType:
        return "complex" if self.frequency else "real"

    @property
    def dimension(self) -> int:
        return 1

    @property
    def dtype(self) -> torch.dtype:
        return torch.complex128

    def _matrices(self, g: Tensor) -> Tensor:
        # The power of a matrix is a polynomial; that of a complex number goes through its argument.
        power = torch.linalg.matrix_power(g if self.frequency >= 0 else g.mT, abs(self.frequency))
        return torch.complex(power[..., :1, :1], power[..., 1:, :1])

    def _derivatives(self, x: Tensor) -> Tensor:
        angle = self.frequency * x[..., None]
        return torch.complex(torch.zeros_like(angle), angle)


@dataclass(frozen=True)
class O2Irrep(Irrep):
    """An irrep of O(2): trivial, determinant, or of frequency k ≥ 1; all are of real type.

    That of frequency k acts on (cos kφ, sin kφ): the rotation by θ becomes the rotation by kθ, and
    the reflection φ → −φ stays diag(1, −1). For k = 1 it is the standard representation.

    Attributes:
        frequency: k ≥ 0.
        parity: for k = 0, 1 for the trivial irrep and −1 for the determinant; for k ≥ 1 there is
            one irrep only, of parity 1.

    Raises:
        InputError: there is no such irrep.
    """

    group: Group[Any] = field(init=False, repr=False)
    frequency: int
    parity: int = 1

    def __post_init__(self) -> None:
        check_whole("a frequency k", self.frequency)
        if self.parity not in ((1,) if self.frequency else (1, -1)):
            raise InputError(
                "expected the parity 1 or −1 for frequency 0 and 1 for the others, got "
                f"parity {self.parity} for frequency {self.frequency}"
            )
        object.__setattr__(self, "group", OrthogonalGroup(2))

    @property
    def name(self) -> str:
        """``A1`` (trivial), ``A2`` (determinant), or ``E`` and k."""
        if self.frequency:
            return f"E{self.frequency}"
        return "A1" if self.parity == 1 else "A2"

    @property
    def frobenius_schur_type(self) -> FrobeniusSchurType:
        return "real"

    @property
    def dimension(self) -> int:
        return 2 if self.frequency else 1

    def _matrices(self, g: Tensor) -> Tensor:
        one = torch.ones_like(g[..., :1, :1])
        # Locally constant: ±1 to the last digit.
        sign = torch.linalg.det(g.detach()).sign()[..., None, None] * one
        if not self.frequency:
            return one if self.parity == 1 else sign
        flip = torch.cat((one, sign), -1)
        # g = r f with a rotation r and f = diag(1, ±1), which goes to r^k f.
        turned: Tensor = torch.linalg.matrix_power(g * flip, self.frequency)
        return turned * flip

    def _derivatives(self, x: Tensor) -> Tensor:
        return _turning(x, self.frequency)


def _turning(x: Tensor, frequency: int) -> Tensor:
    """dρ of an angle (*batch, 1): k θ times the quarter turn; zero (1×1) for k = 0."""
    if not frequency:
        return torch.zeros_like(x[..., None])
    quarter = torch.tensor([[0.0, -1.0], [1.0, 0.0]]).to(x)
    return frequency * x[..., None] * quarter
