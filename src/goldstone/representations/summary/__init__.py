"""Summaries of groups and their representations as plain data."""

from typing import Any

from goldstone.core import InputError
from goldstone.groups import FiniteGroup, Group, LieGroup
from goldstone.representations.summary.finite import summarise_finite
from goldstone.representations.summary.lie import summarise_lie
from goldstone.representations.summary.readable_numbers import GLOSSARY, readable_number
from goldstone.representations.summary.results import (
    CayleyGraphSummary,
    ClassSummary,
    CoveringSummary,
    ElementSummary,
    FiniteSummary,
    GroupSummary,
    IrrepSummary,
    LatticeSummary,
    LieSummary,
    Omission,
    SubgroupSummary,
)

__all__ = [
    "GLOSSARY",
    "CayleyGraphSummary",
    "ClassSummary",
    "CoveringSummary",
    "ElementSummary",
    "FiniteSummary",
    "GroupSummary",
    "IrrepSummary",
    "LatticeSummary",
    "LieSummary",
    "Omission",
    "SubgroupSummary",
    "readable_number",
    "summarise_group",
]


def summarise_group(group: Group[Any]) -> GroupSummary:
    """A group's structure and irreps in plain strings and numbers; seconds at most.

    Of a finite group: elements, classes, subgroups, character table, irreps. Of a Lie group: its
    Lie algebra and irreps. What a large group would take long for is left out, and ``omitted``
    says what and why.

    Raises:
        InputError: the group is neither finite nor a Lie group.
    """
    if isinstance(group, FiniteGroup):
        finite, omitted = summarise_finite(group)
        return GroupSummary(group.name, finite, None, omitted)
    if isinstance(group, LieGroup):
        lie, omitted = summarise_lie(group)
        return GroupSummary(group.name, None, lie, omitted)
    raise InputError(f"expected a finite or a Lie group, got {group.name}")
