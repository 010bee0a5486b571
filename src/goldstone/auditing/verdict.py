"""The verdict of an audit, from the results of its elements."""

from collections.abc import Sequence
from typing import Any

from goldstone.actions import FieldLayout, Symmetry
from goldstone.auditing.residual import axis_verdict, subgroup_lattice
from goldstone.auditing.results import (
    AxisVerdict,
    ElementResult,
    ModelSummary,
    Precheck,
    SymmetrySummary,
    Verdict,
)
from goldstone.auditing.settings import AuditSettings
from goldstone.auditing.summary import summarise_verdict
from goldstone.groups import FiniteGroup


def verdict(
    symmetry: Symmetry,
    elements: Sequence[Any],
    results: Sequence[ElementResult],
    model: ModelSummary,
    precheck: Precheck,
    settings: AuditSettings,
) -> Verdict:
    """Both axes, their residual subgroups, and what it all means in words.

    ``results`` are those of the identity and then of ``elements``.
    """
    group = symmetry.group
    tested = (group.identity, *elements)
    holds = axis_verdict(group, {g: r.holds for g, r in zip(tested, results, strict=True)})
    transports = axis_verdict(
        group, {g: r.transports for g, r in zip(tested, results, strict=True)}
    )
    return Verdict(
        holds=holds,
        transports=transports,
        confidence=_confidence(results[1:]),
        metric=settings.decisive_metric if settings.metrics else "none",
        summary=summarise_verdict(model, symmetry.name, precheck, results, holds, transports),
        subgroups=subgroup_lattice(group),
    )


def _confidence(results: Sequence[ElementResult]) -> dict[str, float]:
    """The smallest bootstrap support among the answers, by axis."""
    found = {}
    for axis in ("holds", "transports"):
        supports = [r.support[axis] for r in results if axis in r.support]
        if supports:
            found[axis] = min(supports)
    return found


def tested_cosets(symmetry: Symmetry, holds: AxisVerdict) -> tuple[tuple[str, ...], ...]:
    """The residual subgroup without e, and the broken cosets, as names of tested elements."""
    if not holds.residual_low or not isinstance(symmetry.group, FiniteGroup):
        return ()
    inside = tuple(name for name in holds.residual_low[0].elements if name != "e")
    return tuple(names for names in (inside, *holds.broken_cosets) if names)


def symmetry_summary(
    symmetry: Symmetry, elements: Sequence[Any], layout: FieldLayout | None
) -> SymmetrySummary:
    """Name, group, what was tested and how the fields are declared."""
    group = symmetry.group
    point = getattr(symmetry.on_output, "point", symmetry.on_output)
    return SymmetrySummary(
        name=symmetry.name,
        group=group.name,
        order=group.order if isinstance(group, FiniteGroup) else None,
        tested=tuple(group.element_name(g) for g in elements),
        layout=tuple(layout.to_json()) if layout else (),
        pivot=getattr(point, "pivot", None),
    )
