"""What irreps a representation contains, and where: for finite and for compact Lie groups."""

from goldstone.core import InputError
from goldstone.groups import FiniteGroup
from goldstone.representations.change_of_basis import ChangeOfBasis
from goldstone.representations.decomposition import Decomposition
from goldstone.representations.finite.decompose import decompose_finite
from goldstone.representations.finite.irreps import irreps
from goldstone.representations.finite.multiplicities import multiplicities
from goldstone.representations.irrep import Field, Irrep
from goldstone.representations.lie.decompose import decompose_compact
from goldstone.representations.lie.weights import compact_multiplicities
from goldstone.representations.representation import Representation
from goldstone.representations.unitary_form import unitary_form


def decompose(representation: Representation, field: Field | None = None) -> Decomposition:
    """A representation as a direct sum of irreps, with the change of basis.

    Of a finite group by Schur's orthogonality relations, of a compact Lie group by weights and
    intertwiners; a ρ that is not unitary in its :func:`unitary_form`.

    Args:
        representation: ρ, of a finite group with known :func:`irreps`, or of SO(2), O(2), SO(3),
            O(3), SU(2) or SU(3).
        field: that of the irreps, ``"real"`` or ``"complex"``; by default that of ρ, but complex
            for SU(2) and SU(3), whose real irreps are asked for by ``"real"``.

    Returns:
        Q with Q⁻¹ρQ = ⊕ irreps, which are those of :func:`irreps` and :func:`irreps_up_to`. Q is
        unique up to rounding, so the same on every machine, and unitary if ρ is.

    Raises:
        InputError: the group's irreps are not known; a complex ρ is to be decomposed over ℝ; or ρ
            is no representation, or too ill-conditioned.
    """
    _check_field(representation, field)
    unitary = unitary_form(representation)
    if isinstance(unitary.group, FiniteGroup):
        found = decompose_finite(unitary, _finite_field(unitary, field))
    else:
        found = decompose_compact(unitary, field)
    if unitary is representation or not isinstance(unitary, ChangeOfBasis):
        return found
    basis = unitary.basis.to(found.basis.dtype) @ found.basis
    inverse = found.inverse_basis @ unitary.inverse_basis.to(found.basis.dtype)
    return Decomposition(representation, found.components, basis, inverse)


def irrep_multiplicities(
    representation: Representation, field: Field | None = None
) -> dict[Irrep, int]:
    """How often each irrep occurs in a representation.

    Of a finite group by characters, |G|⁻¹ Σ_g conj(χ_irrep(g)) χ(g) / dim End(irrep); of a compact
    Lie group by weights, the eigenvalues of i·dρ on a maximal torus. Arguments and errors are those
    of :func:`decompose`.

    Returns:
        The irreps that occur, with multiplicities ≥ 1, small ones first.
    """
    _check_field(representation, field)
    group = representation.group
    if not isinstance(group, FiniteGroup):
        return compact_multiplicities(representation, field)
    known = irreps(group, _finite_field(representation, field))
    counts = multiplicities(representation, known)
    return {irrep: count for irrep, count in zip(known, counts, strict=True) if count}


def _finite_field(representation: Representation, field: Field | None) -> Field:
    return field or ("complex" if representation.dtype.is_complex else "real")


def _check_field(representation: Representation, field: Field | None) -> None:
    if field not in (None, "real", "complex"):
        raise InputError(f"expected the field real or complex, got {field!r}")
    if field == "real" and representation.dtype.is_complex:
        raise InputError("expected the field 'complex' for a complex representation; or realify it")
