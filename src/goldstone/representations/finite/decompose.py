"""Decomposition of representations of finite groups."""

from collections.abc import Sequence

import torch
from torch import Tensor

from goldstone.core import InputError
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


def decompose(representation: Representation, field: Field | None = None) -> Decomposition:
    """A representation of a finite group as a direct sum of irreps, with the change of basis.

    By Schur's orthogonality relations P_k = (d/|G|) Σ_g conj(σ(g)_k1) ρ(g) maps the first basis
    vector of each copy of the irrep σ to the k-th, and P_1 projects on all first ones (J.-P. Serre,
    *Linear Representations of Finite Groups*, 1977, section 2.7; it holds over ℝ as well, where
    P_1 has rank multiplicity · dim End). A ρ that is not unitary is made so by the inner product
    mean ρ(g)†ρ(g).

    Args:
        representation: ρ, of a finite group.
        field: that of the irreps; by default ``"real"`` for a real ρ and ``"complex"`` else.

    Returns:
        Q with Q⁻¹ρQ = ⊕ irreps, which are those of :func:`irreps`; unique, so the same on every
        machine.

    Raises:
        InputError: the group is not finite, or its irreps are not to be had; or a complex ρ is to
            be decomposed over ℝ.
    """
    finite = finite_group(representation)
    is_complex = representation.dtype.is_complex
    chosen: Field = field or ("complex" if is_complex else "real")
    if is_complex and chosen == "real":
        raise InputError("expected the field 'complex' for a complex representation; or realify it")
    candidates = irreps(finite, chosen)
    counts = multiplicities(representation, candidates)
    present = [s for s, count in zip(candidates, counts, strict=True) if count]
    operators = _matrix_units(representation, present)

    metric = _invariant_inner_product(representation)
    root = None if metric is None else torch.linalg.cholesky(metric)

    def intertwiners(irrep: Irrep, _: Representation) -> Tensor:
        ladder = operators[irrep]
        if root is not None:
            ladder = _turned(ladder, root)
        first = image_basis(0.5 * (ladder[0] + ladder[0].mH))
        found = torch.einsum("kij,vj->vik", ladder, first)
        if root is not None:
            found = torch.linalg.solve_triangular(root.mH.to(found), found, upper=True)
        return found

    return decompose_with(representation, present, intertwiners, metric)


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


def _invariant_inner_product(representation: Representation) -> Tensor | None:
    """Mean ρ(g)†ρ(g), or None if ρ is unitary already."""
    group, n = finite_group(representation), representation.dimension
    one = torch.eye(n, dtype=representation.dtype)
    on_steps = representation.matrix_unchecked(group.tensor(group.generators()))
    if torch.allclose(on_steps.mH @ on_steps, one.expand_as(on_steps), rtol=0.0, atol=1e-10):
        return None
    total = torch.zeros_like(one)
    for elements in element_chunks(group, n):
        stacked = representation.matrix_unchecked(elements).flatten(0, 1)
        total += stacked.mH @ stacked
    return total / group.order


def _turned(operators: Tensor, root: Tensor) -> Tensor:
    """L† A L⁻† of operators (k, n, n)."""
    upper = root.mH.to(operators)
    turned: Tensor = torch.linalg.solve_triangular(upper, upper @ operators, upper=True, left=False)
    return turned
