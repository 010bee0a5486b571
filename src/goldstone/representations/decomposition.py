"""Decomposition of representations into irreps, with the change of basis."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.representations.direct_sum import DirectSum
from goldstone.representations.irrep import Irrep
from goldstone.representations.representation import Representation
from goldstone.representations.unitary_form import is_unitary

Intertwiners = Callable[[Irrep, Representation], Tensor]
"""A basis (k, dim ρ, dim irrep) of the maps T with ρ(g) T = T irrep(g)."""


@dataclass(frozen=True, eq=False)
class Decomposition:
    """ρ as a direct sum of irreps: Q⁻¹ ρ(g) Q = ⊕ of the irreps' own matrices.

    The columns of Q come irrep by irrep, copy by copy; equal irreps stand in aligned copies. Q is
    orthogonal (unitary) where ρ is.
    """

    representation: Representation
    components: tuple[tuple[Irrep, int], ...]
    """Each irrep that is contained, with its multiplicity ≥ 1."""
    basis: Tensor = field(repr=False)
    """Q, (dimension, dimension)."""
    inverse_basis: Tensor = field(repr=False)
    """Q⁻¹."""

    def __str__(self) -> str:
        parts = (f"{m} {irrep.name}" if m > 1 else irrep.name for irrep, m in self.components)
        return " ⊕ ".join(parts)

    @property
    def direct_sum(self) -> DirectSum:
        """The irreps in order, each as often as it is contained."""
        parts = [irrep for irrep, copies in self.components for _ in range(copies)]
        return DirectSum(self.representation.group, tuple(parts))

    def multiplicity(self, irrep: Irrep) -> int:
        """How often an irrep is contained."""
        return dict(self.components).get(irrep, 0)

    def columns(self, irrep: Irrep) -> Tensor:
        """The part of Q for one irrep, (multiplicity, dimension, irrep dimension).

        Each copy T intertwines: ρ(g) T = T irrep(g).
        """
        start = 0
        for other, copies in self.components:
            size = copies * other.dimension
            if other == irrep:
                columns = self.basis[:, start : start + size]
                return columns.reshape(-1, copies, irrep.dimension).movedim(1, 0)
            start += size
        return self.basis.new_zeros(0, len(self.basis), irrep.dimension)

    def isotypic_projector(self, irrep: Irrep) -> Tensor:
        """The projector on all copies of an irrep along the others, (dimension, dimension)."""
        start = 0
        for other, copies in self.components:
            stop = start + copies * other.dimension
            if other == irrep:
                return self.basis[:, start:stop] @ self.inverse_basis[start:stop]
            start = stop
        return torch.zeros_like(self.basis)


def decompose_with(
    representation: Representation, irreps: Sequence[Irrep], intertwiners: Intertwiners
) -> Decomposition:
    """Decompose a unitary ρ by the intertwiners from given irreps into it, for any group.

    For an intertwiner T from a unitary irrep into a unitary ρ, T†T is a number, and for two of them
    T₁†T₂ commutes with the irrep; so T − T₁T₁†T is one again, and Gram–Schmidt in this sense makes
    of a basis of intertwiners as many isometries with orthogonal images as there are copies.

    Args:
        representation: ρ, unitary; :func:`unitary_form` makes it so.
        irreps: all those that it may contain.
        intertwiners: called with each irrep and ρ.

    Raises:
        InputError: the irreps do not add up to ρ, or ρ is not unitary.
    """
    if not is_unitary(representation):
        raise InputError("expected a unitary representation; unitary_form() makes it so")
    n = representation.dimension
    dtype = torch.promote_types(representation.dtype, irreps[0].dtype) if irreps else torch.float64
    components, columns = [], []
    for irrep in irreps:
        copies = _orthogonal_copies(intertwiners(irrep, representation).to(dtype), irrep)
        if len(copies):
            components.append((irrep, len(copies)))
            columns.append(copies.movedim(0, 1).flatten(1))
    reached = sum(part.shape[1] for part in columns)
    if reached != n:
        raise InputError(
            f"the irreps given make up {reached} of the {n} dimensions: some are missing or they "
            "are no irreps over the right field"
        )
    basis = torch.cat(columns, 1)
    # One Newton step to the nearest unitary matrix; U†U commutes with the irreps, so they stay.
    basis = 1.5 * basis - 0.5 * basis @ (basis.mH @ basis)
    return Decomposition(representation, tuple(components), basis, basis.mH)


def _orthogonal_copies(maps: Tensor, irrep: Irrep) -> Tensor:
    """Of a basis (k, n, d) of intertwiners, k / dim End isometries with orthogonal images."""
    d, count = irrep.dimension, len(maps) // irrep.endomorphism_dimension
    if len(maps) != count * irrep.endomorphism_dimension:
        raise InputError(
            f"{len(maps)} independent intertwiners from {irrep.name}, which is of "
            f"{irrep.frobenius_schur_type} type over the field"
        )
    copies = maps.new_zeros(count, *maps.shape[1:])
    left = maps / maps.flatten(1).norm(dim=1)[:, None, None] * d**0.5
    for found in range(count):
        sizes = left.abs().square().sum((1, 2)) / d
        chosen = left[int((sizes >= 0.5 * sizes.max()).nonzero()[0])]
        known = copies[:found]
        chosen = chosen - (known @ (known.mH @ chosen)).sum(0)  # twice is enough
        chosen = chosen / chosen.norm() * d**0.5
        copies[found] = chosen
        left = left - chosen @ (chosen.mH @ left)
    return copies
