"""Summaries of finite groups."""

from collections import Counter
from collections.abc import Callable
from string import ascii_uppercase
from typing import Any, TypeVar

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import (
    CayleyGroup,
    CharacterTable,
    FiniteGroup,
    Subgroup,
    cayley_graph,
    cayley_table,
    centre,
    character_table,
    commutator_subgroup,
    conjugacy_classes,
    element_orders,
    exponent,
    is_abelian,
    is_solvable,
    isomorphism_type,
    subgroup_as_group,
    subgroup_lattice,
)
from goldstone.representations.finite.irreps import irreps
from goldstone.representations.irrep import Irrep
from goldstone.representations.summary.readable_numbers import readable_number
from goldstone.representations.summary.results import (
    CayleyGraphSummary,
    ClassSummary,
    CoveringSummary,
    ElementSummary,
    FiniteSummary,
    IrrepSummary,
    Kind,
    LatticeSummary,
    Omission,
    SubgroupSummary,
)

MOST_COUNTED = 50_000
"""The largest order for which elements are counted by order and class."""
MOST_ELEMENTS = 240
"""The largest order for which elements are named, subgroups listed and irreps constructed."""
MOST_SUBGROUPS = 2_000
MOST_TYPED = 100
"""The most classes of subgroups whose isomorphism types are found."""
MOST_CLASSES = 100
"""The most conjugacy classes of a character table."""
MOST_IN_GRAPH = 120
"""The largest order for a Cayley graph."""

Part = TypeVar("Part")
_KINDS: dict[int, Kind] = {1: "real", 0: "complex", -1: "quaternionic"}


def summarise_finite(group: FiniteGroup[Any]) -> tuple[FiniteSummary, tuple[Omission, ...]]:
    """The parts that the group's order allows, and those left out."""
    omitted: list[Omission] = []

    def up_to(most: int, part: str, make: Callable[[], Part]) -> Part | None:
        if group.order > most:
            omitted.append(Omission(part, f"the order is over {most:,}"))
            return None
        try:
            return make()
        except InputError as error:  # too many classes or subgroups
            omitted.append(Omission(part, str(error)))
            return None

    order_counts = up_to(MOST_COUNTED, "orders of elements", lambda: _order_counts(group))
    classes = up_to(MOST_COUNTED, "conjugacy classes", lambda: _classes(group))
    table = None
    if classes is not None:
        table = up_to(MOST_COUNTED, "character table", lambda: _table(group, len(classes)))
    named = up_to(MOST_ELEMENTS, "names of irreps", lambda: irreps(group, "complex"))
    summary = FiniteSummary(
        order=group.order,
        type=up_to(
            MOST_ELEMENTS,
            "isomorphism type",
            lambda: isomorphism_type(CayleyGroup(cayley_table(group))),
        ),
        is_abelian=is_abelian(group),
        is_solvable=up_to(2_000, "solvability", lambda: is_solvable(group)),
        exponent=up_to(MOST_COUNTED, "exponent", lambda: exponent(group)),
        order_counts=order_counts,
        generators=tuple(map(group.element_name, group.generators())),
        elements=up_to(MOST_ELEMENTS, "elements", lambda: _elements(group)),
        classes=classes,
        centre=up_to(MOST_COUNTED, "centre", lambda: _subgroup(group, centre(group))),
        commutator_subgroup=up_to(
            MOST_COUNTED,
            "commutator subgroup",
            lambda: _subgroup(group, commutator_subgroup(group)),
        ),
        lattice=up_to(MOST_ELEMENTS, "subgroup lattice", lambda: _lattice(group)),
        complex_irreps=None if table is None else _complex_irreps(group, table, named),
        real_irreps=None if table is None else _real_irreps(group, table, named is not None),
        cayley_graph=up_to(MOST_IN_GRAPH, "Cayley graph", lambda: _cayley_graph(group)),
    )
    if summary.lattice is not None and len(summary.lattice.classes) > MOST_TYPED:
        omitted.append(Omission("types of subgroups", f"there are over {MOST_TYPED} classes"))
    return summary, tuple(omitted)


def _order_counts(group: FiniteGroup[Any]) -> tuple[tuple[int, int], ...]:
    counts = torch.bincount(element_orders(group, group.element_tensor())).tolist()
    return tuple((order, count) for order, count in enumerate(counts) if count)


def _classes(group: FiniteGroup[Any]) -> tuple[ClassSummary, ...]:
    found = conjugacy_classes(group)
    seen: Counter[int] = Counter()
    classes = []
    for a, size, order in zip(found.representatives, found.sizes, found.orders, strict=True):
        name = f"{order}{_letters(seen[order])}"
        seen[order] += 1
        classes.append(ClassSummary(name, group.element_name(a), size, order))
    return tuple(classes)


def _letters(number: int) -> str:
    """A, B, …, Z, AA, AB, …."""
    first = _letters(number // 26 - 1) if number >= 26 else ""
    return first + ascii_uppercase[number % 26]


def _elements(group: FiniteGroup[Any]) -> tuple[ElementSummary, ...]:
    orders = element_orders(group, group.element_tensor()).tolist()
    return tuple(
        ElementSummary(group.element_name(a), order)
        for a, order in zip(group.elements(), orders, strict=True)
    )


def _subgroup(group: FiniteGroup[Any], found: Subgroup[Any]) -> SubgroupSummary:
    small = found.order <= MOST_ELEMENTS
    kind = isomorphism_type(subgroup_as_group(group, found)) if small else None
    return SubgroupSummary(found.name, found.order, kind)


def _lattice(group: FiniteGroup[Any]) -> LatticeSummary:
    lattice = subgroup_lattice(group, MOST_SUBGROUPS)
    typed = len(lattice.classes) <= MOST_TYPED
    table = cayley_table(group)
    return LatticeSummary(
        lattice.subgroup_count,
        tuple(
            SubgroupSummary(
                c.representative.name,
                c.order,
                _type(group, table, c.representative) if typed else None,
                c.size,
            )
            for c in lattice.classes
        ),
        tuple(CoveringSummary(c.lower, c.upper, c.below, c.above) for c in lattice.coverings),
    )


def _type(group: FiniteGroup[Any], table: Tensor, found: Subgroup[Any]) -> str:
    """The isomorphism type, by the subgroup's own Cayley table: products are then look-ups."""
    numbers = group.index(group.tensor(tuple(found.elements))).sort().values
    place = torch.zeros(group.order, dtype=torch.int64)
    place[numbers] = torch.arange(len(numbers))
    return isomorphism_type(CayleyGroup(place[table[numbers][:, numbers].long()]))


def _table(group: FiniteGroup[Any], classes: int) -> CharacterTable[Any]:
    if classes > MOST_CLASSES:
        raise InputError(f"there are over {MOST_CLASSES} conjugacy classes: {classes}")
    return character_table(group)


def _complex_irreps(
    group: FiniteGroup[Any], table: CharacterTable[Any], named: tuple[Irrep, ...] | None
) -> tuple[IrrepSummary, ...]:
    """The rows of the character table, in the order and by the names of the irreps."""
    if named is None:
        order = [(f"χ{row + 1}", row) for row in range(len(table.indicators))]
    else:
        elements = group.tensor(table.classes.representatives)
        order = []
        for irrep in named:
            row = (table.values - irrep.character_unchecked(elements)).abs().sum(1).argmin()
            order.append((irrep.name, int(row)))
    period = exponent(group)
    return tuple(
        IrrepSummary(
            name,
            table.degrees[row],
            _KINDS[table.indicators[row]],
            tuple(readable_number(value, period) for value in table.values[row].tolist()),
        )
        for name, row in order
    )


def _real_irreps(
    group: FiniteGroup[Any], table: CharacterTable[Any], named: bool
) -> tuple[IrrepSummary, ...]:
    if named:
        return tuple(
            IrrepSummary(s.name, s.dimension, s.frobenius_schur_type) for s in irreps(group, "real")
        )
    # χ itself, χ + conj(χ) once for each pair, or 2χ.
    found = []
    for row, indicator in enumerate(table.indicators):
        conjugate = int((table.values - table.values[row].conj()).abs().sum(1).argmin())
        if conjugate >= row:
            name = f"χ{row + 1}" if indicator == 1 else f"χ{row + 1}+χ{conjugate + 1}"
            degree = table.degrees[row] * (1 if indicator == 1 else 2)
            found.append(IrrepSummary(name, degree, _KINDS[indicator]))
    return tuple(found)


def _cayley_graph(group: FiniteGroup[Any]) -> CayleyGraphSummary:
    graph = cayley_graph(group, [a for a in group.generators() if a != group.identity])
    every = group.element_tensor()
    longest = every[element_orders(group, every).argmax()]
    return CayleyGraphSummary(
        tuple(map(group.element_name, graph.generators)),
        tuple(tuple(column) for column in graph.targets.T.tolist()),
        tuple(group.index(group.compose(longest, every)).tolist()),
    )
