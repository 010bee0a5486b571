"""Summaries of Lie groups."""

from typing import Any

import torch

from goldstone.core import InputError
from goldstone.groups import LieGroup
from goldstone.representations.lie.irreps import irreps_up_to
from goldstone.representations.summary.readable_numbers import readable_number
from goldstone.representations.summary.results import IrrepSummary, LieSummary, Omission

MOST_DIMENSIONS = 36
"""The largest dimension of a Lie algebra whose brackets are listed."""
DEGREE = 3


def summarise_lie(group: LieGroup[Any]) -> tuple[LieSummary, tuple[Omission, ...]]:
    """The parts that the group's dimension allows, and those left out."""
    omitted = []
    small = group.dimension <= MOST_DIMENSIONS
    if not small:
        reason = f"the dimension is over {MOST_DIMENSIONS}"
        omitted += [Omission("brackets", reason), Omission("Killing form", reason)]
    try:
        found = irreps_up_to(group, DEGREE)
    except InputError:
        found = None
        known = "they are known here for SO(2), O(2), SO(3), O(3), SU(2) and SU(3)"
        omitted.append(Omission("irreps", known))
    summary = LieSummary(
        dimension=group.dimension,
        is_compact=group.is_compact,
        component_generators=tuple(map(group.element_name, group.component_generators())),
        basis=group.basis_names,
        brackets=_brackets(group) if small else None,
        killing_signature=_signature(group) if small else None,
        irreps_degree=None if found is None else DEGREE,
        irreps=None
        if found is None
        else tuple(IrrepSummary(s.name, s.dimension, s.frobenius_schur_type) for s in found),
    )
    return summary, tuple(omitted)


def _brackets(group: LieGroup[Any]) -> tuple[str, ...]:
    """The nonzero [X_i, X_j], i < j, in the names of the basis."""
    constants, names = group.structure_constants().tolist(), group.basis_names
    lines = []
    for i in range(group.dimension):
        for j in range(i + 1, group.dimension):
            terms = [
                _term(value, name)
                for value, name in zip(constants[i][j], names, strict=True)
                if abs(value) > 1e-9
            ]
            if terms:
                total = " + ".join(terms).replace("+ -", "- ")
                lines.append(f"[{names[i]}, {names[j]}] = {total}")
    return tuple(lines)


def _term(value: float, name: str) -> str:
    size = readable_number(value, 1)
    if size in ("1", "-1"):
        return name if size == "1" else f"-{name}"
    # Structure constants of SU(n) hold halves of square roots.
    half = readable_number(2 * value, 1)
    if "." in size and "." not in half:
        size = f"{half}/2"
    return f"{size} {name}"


def _signature(group: LieGroup[Any]) -> tuple[int, int, int]:
    if group.dimension == 0:
        return (0, 0, 0)
    values = torch.linalg.eigvalsh(group.killing_form())
    small = 1e-9 * max(1.0, float(values.abs().max()))
    positive, negative = int((values > small).sum()), int((values < -small).sum())
    return positive, negative, group.dimension - positive - negative
