"""Irreps of dihedral groups in closed form."""

from dataclasses import dataclass

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import DihedralGroup
from goldstone.representations.finite.fourier import rotation, turn
from goldstone.representations.irrep import Field, FrobeniusSchurType, Irrep


@dataclass(frozen=True)
class DihedralIrrep(Irrep):
    """r ↦ rotation by 2πk/n and s ↦ diag(−1, 1) for 0 < k < n/2; else r ↦ cos(2πk/n), s ↦ ±1.

    All are of real type, with the same matrices over ℂ. That of k = 1 is the standard
    representation.

    Args:
        group: a dihedral group D_n.
        frequency: k, between 0 and n/2.
        reflection: the image of s, ±1, where the dimension is one; else 1.
        over: the field.

    Raises:
        InputError: the group is not dihedral, or k or the sign is out of range.
    """

    frequency: int
    reflection: int = 1
    over: Field = "real"

    def __post_init__(self) -> None:
        if not isinstance(self.group, DihedralGroup):
            raise InputError(f"expected a dihedral group, got {self.group.name}")
        if not 0 <= 2 * self.frequency <= self.group.n:
            raise InputError(f"expected a frequency in 0 … n/2, got {self.frequency}")
        if self.reflection not in ((1, -1) if self.dimension == 1 else (1,)):
            raise InputError(f"expected ±1 for a sign and 1 else, got {self.reflection}")

    @property
    def _n(self) -> int:
        return self.group.n if isinstance(self.group, DihedralGroup) else 0

    @property
    def name(self) -> str:
        """A1, A2 (s ↦ −1), B1, B2 (r ↦ −1); E, or E1, E2, … for n > 4."""
        if self.dimension == 1:
            return ("B" if self.frequency else "A") + ("1" if self.reflection == 1 else "2")
        return f"E{self.frequency}" if self._n > 4 else "E"

    @property
    def frobenius_schur_type(self) -> FrobeniusSchurType:
        return "real"

    @property
    def dimension(self) -> int:
        return 1 if 2 * self.frequency in (0, self._n) else 2

    @property
    def dtype(self) -> torch.dtype:
        return torch.complex128 if self.over == "complex" else torch.float64

    def _matrices(self, g: Tensor) -> Tensor:
        cosine, sine = turn(g[..., 1] * self.frequency, self._n)
        reflected = g[..., 0] == 1
        if self.dimension == 1:
            sign = torch.where(reflected, self.reflection * cosine, cosine)
            return sign[..., None, None].to(self.dtype)
        flip = torch.tensor([[-1.0], [1.0]], dtype=torch.float64, device=g.device)
        turned = rotation(cosine, sine)
        matrices = torch.where(reflected[..., None, None], flip * turned + 0.0, turned)
        return matrices.to(self.dtype)

    @property
    def allows_pointwise(self) -> bool:
        return self.dimension == 1 and self.frequency == 0 and self.reflection == 1


def dihedral_irreps(group: DihedralGroup, over: Field) -> tuple[DihedralIrrep, ...]:
    """All irreps of D_n: A1, A2, for even n B1, B2, and the (n − 1)/2 or n/2 − 1 E_k."""
    signs = [0] if group.n % 2 else [0, group.n // 2]
    lines = [DihedralIrrep(group, k, sign, over) for k in signs for sign in (1, -1)]
    planes = [DihedralIrrep(group, k, 1, over) for k in range(1, (group.n + 1) // 2)]
    return (*lines, *planes)
