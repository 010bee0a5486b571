"""Irreps of cyclic groups and of grid translations, in closed form."""

from dataclasses import dataclass
from itertools import product
from math import lcm, pi

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import CyclicGroup, GridTranslations
from goldstone.representations.irrep import Field, FrobeniusSchurType, Irrep


@dataclass(frozen=True)
class FourierIrrep(Irrep):
    """Over ℂ exp(iφ), over ℝ the rotation of the plane by φ = 2π Σ_i k_i a_i / n_i.

    a is the element of C_n or of ℤ_X × ℤ_Y, k the frequency. Where all exp(iφ) are real, the real
    irrep is the sign cos φ. Multiples of a quarter turn are exact.

    Args:
        group: a cyclic group or grid translations.
        frequency: k, one number for each axis, taken modulo n.
        over: the field.

    Raises:
        InputError: the group is another, or k has the wrong length.
    """

    frequency: tuple[int, ...]
    over: Field = "real"

    def __post_init__(self) -> None:
        sizes = self._sizes
        if len(self.frequency) != len(sizes):
            raise InputError(f"expected {len(sizes)} frequencies, got {self.frequency}")
        reduced = tuple(k % n for k, n in zip(self.frequency, sizes, strict=True))
        object.__setattr__(self, "frequency", reduced)

    @property
    def _sizes(self) -> tuple[int, ...]:
        if isinstance(self.group, CyclicGroup):
            return (self.group.n,)
        if isinstance(self.group, GridTranslations):
            return self.group.shape
        raise InputError(f"expected a cyclic group or translations, got {self.group.name}")

    @property
    def _is_sign(self) -> bool:
        return all(2 * k % n == 0 for k, n in zip(self.frequency, self._sizes, strict=True))

    @property
    def name(self) -> str:
        """Of C_n: A, B (r ↦ −1), and E or E1, E2, …, over ℂ with the sign of the frequency."""
        if len(self.frequency) == 2:
            return f"({self.frequency[0]},{self.frequency[1]})"
        (k,), (n,) = self.frequency, self._sizes
        if self._is_sign:
            return "B" if k else "A"
        number = str(min(k, n - k)) if n > 4 else ""
        sign = ("+" if 2 * k < n else "-") if self.over == "complex" else ""
        return f"E{number}{sign}"

    @property
    def frobenius_schur_type(self) -> FrobeniusSchurType:
        return "real" if self._is_sign else "complex"

    @property
    def dimension(self) -> int:
        return 1 if self.over == "complex" or self._is_sign else 2

    @property
    def dtype(self) -> torch.dtype:
        return torch.complex128 if self.over == "complex" else torch.float64

    def _matrices(self, g: Tensor) -> Tensor:
        whole = lcm(*self._sizes)
        steps = [k * whole // n for k, n in zip(self.frequency, self._sizes, strict=True)]
        components = g[..., None] if isinstance(self.group, CyclicGroup) else g
        cosine, sine = turn((components * g.new_tensor(steps)).sum(-1), whole)
        if self.over == "complex":
            return torch.complex(cosine, sine)[..., None, None]
        if self._is_sign:
            return cosine[..., None, None]
        return rotation(cosine, sine)

    @property
    def allows_pointwise(self) -> bool:
        return not any(self.frequency)


def fourier_irreps(group: CyclicGroup | GridTranslations, over: Field) -> tuple[FourierIrrep, ...]:
    """All irreps of a cyclic group or of grid translations; over ℝ one of k and −k."""
    sizes = (group.n,) if isinstance(group, CyclicGroup) else group.shape
    found = []
    for frequency in product(*map(range, sizes)):
        mirrored = tuple(-k % n for k, n in zip(frequency, sizes, strict=True))
        if over == "complex" or frequency <= mirrored:
            found.append(FourierIrrep(group, frequency, over))
    # Stable: signs first, then by frequency; over ℂ k and −k stand together.
    return tuple(sorted(found, key=lambda irrep: (irrep.dimension, *_order(irrep, sizes))))


def _order(irrep: FourierIrrep, sizes: tuple[int, ...]) -> tuple[object, ...]:
    mirrored = tuple(-k % n for k, n in zip(irrep.frequency, sizes, strict=True))
    is_pair = mirrored != irrep.frequency
    return (is_pair, min(irrep.frequency, mirrored), irrep.frequency)


def turn(steps: Tensor, whole: int) -> tuple[Tensor, Tensor]:
    """The cosine and sine of 2π·steps/whole, float64 from integers, exact at quarter turns."""
    steps = steps % whole
    angle = steps.double() * (2 * pi / whole)
    is_quarter = 4 * steps % whole == 0
    cosine, sine = angle.cos(), angle.sin()
    # Adding zero turns −0 into 0.
    return (
        torch.where(is_quarter, cosine.round() + 0.0, cosine),
        torch.where(is_quarter, sine.round() + 0.0, sine),
    )


def rotation(cosine: Tensor, sine: Tensor) -> Tensor:
    """The rotations (*batch, 2, 2) of the plane, first axis towards the second."""
    rows = (torch.stack((cosine, -sine), -1), torch.stack((sine, cosine), -1))
    return torch.stack(rows, -2)
