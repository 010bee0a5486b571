"""Irreps of the polyhedral groups under their spectroscopic names."""

from collections import Counter
from dataclasses import replace

import torch
from torch import Tensor

from goldstone.groups import PolyhedralGroup
from goldstone.representations.finite.tabulated import TabulatedIrrep, tabulated_irreps
from goldstone.representations.irrep import Field

# Determinant and trace of the elements on which irreps with index 1 have a positive character and
# those with index 2 a negative one: fifth turns, quarter turns, quarter turns with reflection.
_TELLING = {"I": (1.0, 1.618), "O": (1.0, 1.0), "Td": (-1.0, -1.0), "T": (1.0, 3.0)}


def polyhedral_irreps(group: PolyhedralGroup, over: Field) -> tuple[TabulatedIrrep, ...]:
    """The irreps of a polyhedral group, named after Mulliken.

    A, E, T, G, H are of dimension 1, 2, 3, 4, 5. The index is 1 or 2 by the sign of the character
    of a fifth turn (I), a quarter turn (O) or a quarter turn with reflection (Td); g and u are even
    and odd under the inversion. The vector is T1 of I and O, T2 of Td and T of T, odd with the
    inversion. E of T is two complex conjugate irreps over ℂ, E+ and E-, by the sign of the
    imaginary part on the third turn x → y → z → x. (R. S. Mulliken, J. Chem. Phys. 23, 1955.)
    """
    found = tabulated_irreps(group, over)
    one = torch.eye(3, dtype=torch.float64)
    telling, third = _telling_element(group), group.from_matrices(one.roll(1, 0))
    inversion = group.from_matrices(-one) if group.symbol.endswith("h") else None
    labels = []
    for irrep in found:
        parity = ""
        if inversion is not None:
            parity = "g" if irrep.character_unchecked(inversion).real > 0 else "u"
        if irrep.dtype.is_complex and irrep.frobenius_schur_type == "complex":
            letter = "E" + ("+" if irrep.character_unchecked(third).imag > 0 else "-")
            labels.append((letter, "", parity))
        else:
            index = "1" if irrep.character_unchecked(telling).real > 0 else "2"
            labels.append(("AETGH"[irrep.dimension - 1], index, parity))
    alike = Counter((letter, parity) for letter, _, parity in labels)
    named = []
    for irrep, (letter, index, parity) in zip(found, labels, strict=True):
        name = letter + (index if alike[letter, parity] > 1 else "") + parity
        named.append((irrep.dimension, parity, name, replace(irrep, label=name)))
    return tuple(irrep for *_, irrep in sorted(named, key=lambda each: each[:3]))


def _telling_element(group: PolyhedralGroup) -> Tensor:
    """The first element with the telling determinant and trace; for T and Th the identity."""
    symbol = group.symbol if group.symbol == "Td" else group.symbol[0]
    elements = group.element_tensor()
    matrices = group.matrices(elements)
    measured = torch.stack(
        (torch.linalg.det(matrices), matrices.diagonal(dim1=-2, dim2=-1).sum(-1)), -1
    )
    wanted = torch.tensor(_TELLING[symbol], dtype=torch.float64)
    return elements[int((measured - wanted).abs().sum(-1).argmin())]
