"""Which subgroup remains: from the answers of single elements to subgroups and cosets."""

from collections.abc import Mapping
from typing import Any

from goldstone.auditing.results import Answer, AxisVerdict, SubgroupSummary
from goldstone.groups import (
    FiniteGroup,
    Group,
    Subgroup,
    candidate_subgroups,
    left_cosets,
    maximal,
)

MOST_LISTED = 60


def axis_verdict(group: Group[Any], answers: Mapping[Any, Answer]) -> AxisVerdict:
    """The residual subgroups and broken cosets that the tested elements' answers imply.

    The residual subgroup is an interval: ``residual_low`` holds the maximal subgroups that the
    passed elements generate without a failed or undetermined one, ``residual_up`` the maximal ones
    without a failed one. For a Lie group the subgroups are one-parameter ones, by direction.
    """
    tested = {g: answer for g, answer in answers.items() if g != group.identity}
    found = set(tested.values())
    answer: Answer = "no" if "no" in found else "undetermined" if "undetermined" in found else "yes"
    if not isinstance(group, FiniteGroup):
        low = _directions(group, tested, ("yes",))
        up = _directions(group, tested, ("yes", "undetermined"))
        return AxisVerdict(answer, low, up, ())
    candidates = candidate_subgroups(group)
    low_subgroups = maximal([h for h in candidates if _passes(group, h, tested)])
    up_subgroups = maximal(
        [h for h in candidates if not any(tested.get(g) == "no" for g in h.elements)]
    )
    return AxisVerdict(
        answer,
        tuple(summarise(group, h, tested) for h in low_subgroups),
        tuple(summarise(group, h, tested) for h in up_subgroups),
        _broken_cosets(group, low_subgroups, tested),
    )


def subgroup_lattice(group: Group[Any]) -> tuple[SubgroupSummary, ...]:
    """Every subgroup of a small finite group, with all of its elements; else none."""
    if not isinstance(group, FiniteGroup) or group.order > MOST_LISTED:
        return ()
    everything = dict.fromkeys(group.elements())
    return tuple(summarise(group, h, everything) for h in candidate_subgroups(group))


def summarise(
    group: FiniteGroup[Any], h: Subgroup[Any], tested: Mapping[Any, object]
) -> SubgroupSummary:
    """The subgroup by the names of its identity and its tested elements."""
    members = [group.identity, *(g for g in tested if g in h.elements and g != group.identity)]
    return SubgroupSummary(h.name, h.order, tuple(group.element_name(g) for g in members))


def _passes(group: FiniteGroup[Any], h: Subgroup[Any], tested: Mapping[Any, Answer]) -> bool:
    members = [g for g in tested if g in h.elements]
    if not all(tested[g] == "yes" for g in members):
        return False
    # A subgroup counts only if the elements that were tested reach all of it.
    return len(members) == h.order - 1 or group.generated_by(members) == h.elements


def _broken_cosets(
    group: FiniteGroup[Any], low: tuple[Subgroup[Any], ...], tested: Mapping[Any, Answer]
) -> tuple[tuple[str, ...], ...]:
    if not low or all(answer != "no" for answer in tested.values()):
        return ()
    broken = []
    for coset in left_cosets(group, low[0]):
        names = tuple(group.element_name(g) for g in coset if g in tested)
        if any(tested.get(g) == "no" for g in coset):
            broken.append(names)
    return tuple(broken)


def _directions(
    group: Group[Any], tested: Mapping[Any, Answer], allowed: tuple[Answer, ...]
) -> tuple[SubgroupSummary, ...]:
    """One-parameter subgroups along the tested directions all of whose elements are allowed."""
    by_direction: dict[tuple[float, ...], list[Any]] = {}
    for g in tested:
        # A direction and its opposite are one subgroup: the first component counts as positive.
        size = max(abs(x) for x in g)
        size = size if next(x for x in g if x) > 0 else -size
        by_direction.setdefault(tuple(round(x / size, 9) + 0.0 for x in g), []).append(g)
    found = []
    for direction, members in by_direction.items():
        if all(tested[g] in allowed for g in members):
            reach = max(max(abs(x) for x in g) for g in members)
            along = ",".join(f"{x:g}" for x in direction)
            found.append(
                SubgroupSummary(
                    f"{group.name} along ({along}), tested up to {reach:g}",
                    None,
                    tuple(group.element_name(g) for g in members),
                )
            )
    return tuple(found)
