"""All irreps of a finite group."""

from typing import Any, cast

from goldstone.core import InputError
from goldstone.groups import (
    CyclicGroup,
    DihedralGroup,
    DirectProduct,
    FiniteGroup,
    GridTranslations,
    PolyhedralGroup,
    SymmetricGroup,
)
from goldstone.representations.finite.dihedral import dihedral_irreps
from goldstone.representations.finite.fourier import fourier_irreps
from goldstone.representations.finite.polyhedral import polyhedral_irreps
from goldstone.representations.finite.product import product_irreps
from goldstone.representations.finite.tabulated import tabulated_irreps
from goldstone.representations.finite.young import symmetric_group_irreps
from goldstone.representations.irrep import Field, Irrep


def irreps(group: FiniteGroup[Any], field: Field = "real") -> tuple[Irrep, ...]:
    """All irreps of a finite group over ℝ or ℂ, one of each isomorphism class.

    Closed forms for cyclic, dihedral and symmetric groups and grid translations, and outer products
    for direct products; any other group of up to 2,000 elements by :func:`tabulated_irreps`. The
    matrices are orthogonal or unitary to 1e-12. Σ d² / endomorphism_dimension = |G|.

    Args:
        group: a finite group.
        field: ``"real"`` or ``"complex"``.

    Returns:
        The irreps, the trivial one first, then by dimension.

    Raises:
        InputError: the group is not finite, or too large and without closed form.
    """
    if field not in ("real", "complex"):
        raise InputError(f'expected the field "real" or "complex", got {field!r}')
    if not isinstance(group, FiniteGroup):
        raise InputError(
            f"expected a finite group, got {group.name}; those of compact Lie groups are listed by "
            "irreps_up_to()"
        )
    known = cast(Any, group)  # mypy would take the group's element type from the first case
    if isinstance(known, CyclicGroup | GridTranslations):
        return fourier_irreps(known, field)
    if isinstance(known, DihedralGroup):
        return dihedral_irreps(known, field)
    if isinstance(known, SymmetricGroup):
        return symmetric_group_irreps(known, field)
    if isinstance(known, PolyhedralGroup):
        return polyhedral_irreps(known, field)
    if isinstance(known, DirectProduct):
        over_complex = [irreps(factor, "complex") for factor in known.factors]
        over_real = [irreps(factor, "real") for factor in known.factors]
        found = product_irreps(known, over_complex, over_real, field)
        if found is not None:
            return found
    return tabulated_irreps(group, field)
