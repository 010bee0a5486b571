"""Decomposition of representations of finite groups."""

from collections.abc import Sequence

import torch
from torch import Tensor

from goldstone.representations.decomposition import Decomposition, decompose_with
from goldstone.representations.finite.irreps import irreps
from goldstone.representations.finite.multiplicities import (
    element_chunks,
    finite_group,
    multiplicities,
)
from goldstone.representations.irrep import Field, Irrep
from goldstone.representations.orthonormal_echelon import image_basis
from goldstone.representations.representation import Representation


def decompose_finite(representation: Representation, field: Field) -> Decomposition:
    """A unitary representation of a finite group as a direct sum of irreps: see :func:`decompose`.

    By Schur's orthogonality relations P_k = (d/|G|) Σ_g conj(σ(g)_k1) ρ(g) maps the first basis
    vector of each copy of the irrep σ to the k-th, and P_1 projects on all first ones (J.-P. Serre,
    *Linear Representations of Finite Groups*, 1977, section 2.7; it holds over ℝ as well, where
    P_1 has rank multiplicity · dim End).
    """
    candidates = irreps(finite_group(representation), field)
    counts = multiplicities(representation, candidates)
    present = [s for s, count in zip(candidates, counts, strict=True) if count]
    operators = _matrix_units(representation, present)

    def intertwiners(irrep: Irrep, _: Representation) -> Tensor:
        ladder = operators[irrep]
        first = image_basis(0.5 * (ladder[0] + ladder[0].mH))
        return torch.einsum("kij,vj->vik", ladder, first)

    return decompose_with(representation, present, intertwiners)


def _matrix_units(representation: Representation, present: Sequence[Irrep]) -> dict[Irrep, Tensor]:
    """For each irrep the operators P_1, …, P_d, (d, n, n)."""
    group, n = finite_group(representation), representation.dimension
    sizes = [irrep.dimension for irrep in present]
    dtype = torch.promote_types(representation.dtype, present[0].dtype)
    total = torch.zeros(sum(sizes), n * n, dtype=dtype)
    for elements in element_chunks(group, max(n, *sizes)):
        columns = torch.cat([irrep.matrix_unchecked(elements)[..., 0] for irrep in present], 1)
        matrices = representation.matrix_unchecked(elements).to(dtype).flatten(1)
        total.addmm_(columns.mH, matrices)
    parts = torch.split(total.reshape(-1, n, n), sizes)
    return {
        irrep: part * (irrep.dimension / group.order)
        for irrep, part in zip(present, parts, strict=True)
    }
