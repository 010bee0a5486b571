"""Which subgroup remains: from the answers of single elements to subgroups and cosets."""

from collections.abc import Mapping
from typing import Any

from goldstone.auditing.results import Answer, AxisVerdict, SubgroupSummary
from goldstone.core import InputError
from goldstone.groups import (
    FiniteGroup,
    GridTranslations,
    Group,
    LieGroup,
    Subgroup,
    WallpaperGroup,
    candidate_subgroups,
    left_cosets,
    maximal,
)

MOST_LISTED = 60
LARGEST_ORDER = 200
"""Subgroups of larger groups are too many to list."""
MOST_LISTED_ELEMENTS = 10_000


def axis_verdict(group: Group[Any], answers: Mapping[Any, Answer]) -> AxisVerdict:
    """The residual subgroups and broken cosets that the tested elements' answers imply.

    The residual subgroup is an interval: ``residual_low`` holds the maximal subgroups that the
    passed elements generate without a failed or undetermined one, ``residual_up`` the maximal ones
    without a failed one. For a Lie group the subgroups are one-parameter ones, by direction; for a
    finite group of more than 200 elements other than shifts and p4m, cyclic ones.
    """
    tested = {g: answer for g, answer in answers.items() if g != group.identity}
    found = set(tested.values())
    answer: Answer = "no" if "no" in found else "undetermined" if "undetermined" in found else "yes"
    if not isinstance(group, FiniteGroup):
        low = _directions(group, tested, ("yes",))
        up = _directions(group, tested, ("yes", "undetermined"))
        return AxisVerdict(answer, low, up, ())
    if not _has_candidates(group):
        low = _cyclic_subgroups(group, tested, ("yes",))
        up = _cyclic_subgroups(group, tested, ("yes", "undetermined"))
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


def _has_candidates(group: FiniteGroup[Any]) -> bool:
    """Whether the subgroups among which to look can be listed."""
    return group.order <= LARGEST_ORDER or isinstance(group, (GridTranslations, WallpaperGroup))


def _cyclic_subgroups(
    group: FiniteGroup[Any], tested: Mapping[Any, Answer], allowed: tuple[Answer, ...]
) -> tuple[SubgroupSummary, ...]:
    """The cyclic subgroups of tested elements all of whose tested powers are allowed.

    For groups with too many subgroups to list. If all the group's generators pass with everything
    else, what remains is the group itself.
    """
    passed = {g for g in tested if tested[g] in allowed}
    names = (group.element_name(group.identity), *(group.element_name(g) for g in tested))
    if passed == set(tested) and set(group.generators()) <= passed:
        return (SubgroupSummary(group.name, group.order, names),)
    found: dict[tuple[str, ...], SubgroupSummary] = {}
    for g in passed:
        powers = group.generated_by([g]) if group.order <= MOST_LISTED_ELEMENTS else {g}
        members = [h for h in tested if h in powers]
        if all(h in passed for h in members):
            elements = tuple(group.element_name(h) for h in (group.identity, *members))
            order = group.element_order(g)
            known = found.get(elements)
            if known is None or (known.order or 0) < order:
                name = f"⟨{group.element_name(g)}⟩"
                found[elements] = SubgroupSummary(name, order, elements)
    return tuple(found.values())


def _directions(
    group: Group[Any], tested: Mapping[Any, Answer], allowed: tuple[Answer, ...]
) -> tuple[SubgroupSummary, ...]:
    """One-parameter subgroups along the tested directions all of whose elements are allowed.

    An element without a logarithm, such as a reflection, stands for itself.
    """
    by_direction: dict[tuple[float, ...] | str, list[tuple[Any, float]]] = {}
    for g in tested:
        try:
            x = group.log(g) if isinstance(group, LieGroup) else g
        except InputError:
            by_direction[group.element_name(g)] = [(g, 0.0)]
            continue
        # A direction and its opposite are one subgroup: the first component counts as positive.
        reach = max(abs(part) for part in x)
        tiny = 1e-9 * reach
        size = reach if next(part for part in x if abs(part) > tiny) > 0 else -reach
        direction = tuple(round(part / size, 9) + 0.0 for part in x)
        by_direction.setdefault(direction, []).append((g, reach))
    found = []
    for along, members in by_direction.items():
        if not all(tested[g] in allowed for g, _ in members):
            continue
        names = tuple(group.element_name(g) for g, _ in members)
        if isinstance(along, str):
            found.append(SubgroupSummary(along, None, names))
            continue
        text = ",".join(f"{part:g}" for part in along)
        reach = max(r for _, r in members)
        name = f"{group.name} along ({text}), tested up to {reach:g}"
        found.append(SubgroupSummary(name, None, names))
    return tuple(found)
