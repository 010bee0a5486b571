"""Lists of irreps of compact Lie groups."""

from math import inf
from typing import Any

from goldstone.core import InputError
from goldstone.groups import (
    Group,
    OrthogonalGroup,
    SpecialOrthogonalGroup,
    SpecialUnitaryGroup,
)
from goldstone.representations.irrep import Field, Irrep
from goldstone.representations.lie.planar import O2Irrep, SO2ComplexIrrep, SO2Irrep
from goldstone.representations.lie.real_form import RealIrrep
from goldstone.representations.lie.spatial import O3Irrep, SO3Irrep
from goldstone.representations.lie.special_unitary import SU2Irrep, SU3Irrep


def irreps_up_to(group: Group[Any], degree: float, field: Field | None = None) -> tuple[Irrep, ...]:
    """The irreps of SO(2), O(2), SO(3), O(3), SU(2) or SU(3) up to a degree, small ones first.

    The degree bounds the frequency (|k| over ℂ for SO(2)), the degree l of SO(3) and O(3), the spin
    of SU(2), and p + q of SU(3).

    Args:
        group: one of these.
        degree: at least 0; an integer or, for SU(2), a half-integer.
        field: ``real`` (the default for SO and O) or ``complex`` (the default for SU). The irreps
            of O(2), SO(3) and O(3) are real matrices over either field; those of SU(2) and SU(3)
            over ℝ are each a :class:`RealIrrep`.

    Raises:
        InputError: another group, field or degree.
    """
    if field not in (None, "real", "complex"):
        raise InputError(f"expected the field real or complex, got {field!r}")
    steps = 2 if isinstance(group, SpecialUnitaryGroup) and group.n == 2 else 1
    if not 0 <= degree < inf or steps * degree % 1:
        raise InputError(
            f"expected a degree ≥ 0 that is {'half an' if steps == 2 else 'an'} integer, "
            f"got {degree}"
        )
    top = int(steps * degree)
    if isinstance(group, SpecialOrthogonalGroup) and group.n == 2:
        if field == "complex":
            frequencies = sorted(range(-top, top + 1), key=lambda k: (abs(k), -k))
            return tuple(SO2ComplexIrrep(k) for k in frequencies)
        return tuple(SO2Irrep(k) for k in range(top + 1))
    if isinstance(group, OrthogonalGroup) and group.n == 2:
        return (O2Irrep(0), O2Irrep(0, -1), *(O2Irrep(k) for k in range(1, top + 1)))
    if isinstance(group, SpecialOrthogonalGroup) and group.n == 3:
        return tuple(SO3Irrep(k) for k in range(top + 1))
    if isinstance(group, OrthogonalGroup) and group.n == 3:
        return tuple(O3Irrep(k, parity) for k in range(top + 1) for parity in (1, -1))
    if isinstance(group, SpecialUnitaryGroup) and group.n == 2:
        spins = tuple(SU2Irrep(twice / 2) for twice in range(top + 1))
        return tuple(map(RealIrrep, spins)) if field == "real" else spins
    if isinstance(group, SpecialUnitaryGroup) and group.n == 3:
        found = tuple(SU3Irrep(n - q, q) for n in range(top + 1) for q in range(n + 1))
        return tuple(RealIrrep(s) for s in found if s.p >= s.q) if field == "real" else found
    raise InputError(
        f"expected SO(2), O(2), SO(3), O(3), SU(2) or SU(3), got {group.name}; the irreps of "
        "finite groups are given by irreps()"
    )
