"""The complex character table of a finite group."""

from dataclasses import dataclass, field
from typing import Any, Generic

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.abelian_characters import abelian_characters
from goldstone.groups.conjugacy import ConjugacyClasses, conjugacy_classes
from goldstone.groups.dixon import dixon_characters
from goldstone.groups.finite import FiniteGroup
from goldstone.groups.group import Element

MOST_CLASSES = 1_250
MOST_ABELIAN_CLASSES = 5_000

_TYPES = {1: "real", 0: "complex", -1: "quaternionic"}


@dataclass(frozen=True)
class CharacterTable(Generic[Element]):
    """The irreducible complex characters of a finite group; see :func:`character_table`.

    Rows are ordered by degree, the trivial character first, then real characters before complex
    ones, then by values along the classes, larger first.

    Attributes:
        classes: the conjugacy classes, in the order of the columns.
        values: χ_i on class j, (k, k) in complex128.
        indicators: Frobenius–Schur indicators (1/|G|) Σ χ(g²): 1 for characters of real
            representations, 0 for characters that are not real, −1 for quaternionic ones.
    """

    classes: ConjugacyClasses[Element]
    values: Tensor = field(compare=False, repr=False)
    indicators: tuple[int, ...] = field(compare=False)

    @property
    def group(self) -> FiniteGroup[Element]:
        """The group."""
        return self.classes.group

    @property
    def degrees(self) -> tuple[int, ...]:
        """χ_i(e), the dimensions of the irreducible representations."""
        return tuple(self.values[:, 0].real.round().long().tolist())

    def inner(self, a: Tensor, b: Tensor) -> Tensor:
        """⟨a, b⟩ = (1/|G|) Σ_g conj(a(g)) b(g) of class functions (*batch, k), broadcast."""
        sizes = torch.tensor(self.classes.sizes, dtype=torch.float64)
        return (a.conj() * b * sizes).sum(-1) / self.group.order

    def multiplicities(self, character: Tensor) -> tuple[int, ...]:
        """How often each irreducible character occurs in a character, (k,) over the classes."""
        found = self.inner(self.values, character.to(torch.complex128))
        return tuple(found.real.round().long().tolist())

    def __str__(self) -> str:
        group = self.group
        names = [group.element_name(a) for a in self.classes.representatives]
        rows = [
            ["class", *names, ""],
            ["size", *map(str, self.classes.sizes), "type"],
            *(
                [f"χ{i + 1}", *map(_readable, row), _TYPES[indicator]]
                for i, (row, indicator) in enumerate(
                    zip(self.values.tolist(), self.indicators, strict=True)
                )
            ),
        ]
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        lines = [
            "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
        return "\n".join([f"{group.name}, order {group.order}", *lines])


def character_table(group: FiniteGroup[Element]) -> CharacterTable[Element]:
    """The irreducible complex characters by the algorithm of Burnside and Dixon.

    The class sums' common eigenvectors are found exactly modulo a prime p ≡ 1 mod the exponent of
    the group (Dixon, Numer. Math. 10 (1967) 446–450); each value is then a sum of roots of unity
    with multiplicities that are integers, known exactly, and is accurate to rounding. Characters
    of abelian groups are extended from subgroup to subgroup. No Cayley table is built.

    Raises:
        InputError: there are more than 1,250 conjugacy classes, or 5,000 of an abelian group.
    """
    classes = conjugacy_classes(group)
    abelian = len(classes) == group.order
    most = MOST_ABELIAN_CLASSES if abelian else MOST_CLASSES
    if len(classes) > most:
        raise InputError(
            f"expected at most {most} conjugacy classes for a character table, got {group.name} "
            f"with {len(classes)}"
        )
    values = abelian_characters(classes) if abelian else dixon_characters(classes)
    weights = np.array(classes.sizes) / group.order
    squares = list(classes.powers(2))
    indicators = (values[:, squares] * weights).sum(1).real.round().astype(int).tolist()
    order = sorted(range(len(values)), key=lambda i: _row_key(values[i], indicators[i] == 0))
    return CharacterTable(
        classes, torch.from_numpy(values[order]), tuple(indicators[i] for i in order)
    )


def _row_key(row: NDArray[np.complex128], is_complex: bool) -> tuple[Any, ...]:
    # Millionths as big-endian numbers of one sign: bytes compare as the numbers do, and are small.
    millionths = (row.view(np.float64) * 1e6).round().astype(np.int64)
    return round(row[0].real), is_complex, (2**62 - millionths).astype(">u8").tobytes()


def _readable(value: complex) -> str:
    """Three decimals at most; ``i`` for the imaginary unit."""
    real, imaginary = (f"{part:.3f}".rstrip("0").rstrip(".") for part in (value.real, value.imag))
    real, imaginary = ("0" if part == "-0" else part for part in (real, imaginary))
    if imaginary == "0":
        return real
    unit = {"1": "i", "-1": "-i"}.get(imaginary, f"{imaginary}i")
    if real == "0":
        return unit
    return f"{real}{unit}" if unit.startswith("-") else f"{real}+{unit}"
