"""Subgroups of finite groups, their lattice and their cosets."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any, Generic

from goldstone.core import InputError
from goldstone.groups.finite import FiniteGroup
from goldstone.groups.group import Element
from goldstone.groups.translations import GridTranslations
from goldstone.groups.wallpaper import WallpaperGroup

LARGEST_ORDER = 200


@dataclass(frozen=True)
class Subgroup(Generic[Element]):
    """A subgroup by its elements.

    ``name`` is that of the whole group, ``1`` for the trivial one, and else the generators.
    """

    name: str
    elements: frozenset[Element]

    @property
    def order(self) -> int:
        """Number of elements."""
        return len(self.elements)


def subgroup(group: FiniteGroup[Element], generators: Sequence[Element]) -> Subgroup[Element]:
    """The subgroup that ``generators`` generate, named by them."""
    elements = group.generated_by(generators)
    if len(elements) == 1:
        return Subgroup("1", elements)
    if len(elements) == group.order:
        return Subgroup(group.name, elements)
    return Subgroup(f"⟨{', '.join(group.element_name(a) for a in generators)}⟩", elements)


def all_subgroups(group: FiniteGroup[Element]) -> tuple[Subgroup[Element], ...]:
    """Every subgroup, by order: cyclic ones first, then joins until nothing new appears.

    Raises:
        InputError: the group has more than 200 elements.
    """
    if group.order > LARGEST_ORDER:
        raise InputError(
            f"all subgroups of {group.name} (order {group.order}) are too many to list; "
            f"expected an order of at most {LARGEST_ORDER}"
        )
    # Each subgroup with a few elements that generate it.
    cyclic: dict[frozenset[Element], tuple[Element, ...]] = {
        group.generated_by([a]): (a,) for a in group.elements()
    }
    found = dict(cyclic)
    frontier = dict(cyclic)
    while frontier:
        joins = {
            group.generated_by(generators + other): generators + other
            for h, generators in frontier.items()
            for c, other in cyclic.items()
            if not c <= h
        }
        frontier = {h: generators for h, generators in joins.items() if h not in found}
        found |= frontier
    position = {a: i for i, a in enumerate(group.elements())}
    ordered = sorted(found, key=lambda h: (len(h), sorted(position[a] for a in h)))
    return tuple(subgroup(group, _fewest_generators(group, h, len(found[h]))) for h in ordered)


def _fewest_generators(
    group: FiniteGroup[Element], elements: frozenset[Element], enough: int
) -> tuple[Element, ...]:
    """The first of the smallest generating sets; ``enough`` elements are known to suffice."""
    members = [a for a in group.elements() if a in elements and a != group.identity]
    choices = (c for count in range(enough + 1) for c in combinations(members, count))
    return next(c for c in choices if group.generated_by(c) == elements)


def axis_lattices(group: GridTranslations) -> tuple[Subgroup[tuple[int, int]], ...]:
    """The translation subgroups pℤ × qℤ, p and q divisors of the grid's sizes.

    They are what a network's strides leave over; the other subgroups of ℤ_X × ℤ_Y (oblique ones)
    are too many to list.
    """
    x, y = group.shape
    lattices = []
    for p, q in product(_divisors(x), _divisors(y)):
        elements = frozenset((a, b) for a in range(0, x, p) for b in range(0, y, q))
        name = group.name if len(elements) == group.order else f"{_axis(p, x)}×{_axis(q, y)}"
        lattices.append(Subgroup("1" if len(elements) == 1 else name, elements))
    return tuple(sorted(lattices, key=lambda h: (h.order, h.name)))


def candidate_subgroups(group: FiniteGroup[Any]) -> tuple[Subgroup[Any], ...]:
    """The subgroups among which a residual subgroup is sought, by order.

    All of them for orders up to 200. For grid translations the axis lattices; for a wallpaper
    group the square or rectangular lattices joined with each subgroup of the point group that
    maps the lattice onto itself.
    """
    if isinstance(group, GridTranslations):
        return axis_lattices(group)
    if isinstance(group, WallpaperGroup):
        return _wallpaper_subgroups(group)
    return all_subgroups(group)


def _wallpaper_subgroups(group: WallpaperGroup) -> tuple[Subgroup[Any], ...]:
    found = []
    for lattice in axis_lattices(group.translations):
        for point in all_subgroups(group.point):
            matrices = [group.point.matrix(p) for p in point.elements]
            if any(m[0][0] == 0.0 for m in matrices) and not _is_square(lattice.elements):
                continue
            elements = frozenset(product(lattice.elements, point.elements))
            name = group.name if len(elements) == group.order else f"({lattice.name})⋊{point.name}"
            found.append(Subgroup("1" if len(elements) == 1 else name, elements))
    return tuple(sorted(found, key=lambda h: (h.order, h.name)))


def _is_square(shifts: frozenset[tuple[int, int]]) -> bool:
    return all((b, a) in shifts for a, b in shifts)


def _divisors(n: int) -> list[int]:
    return [d for d in range(1, n + 1) if n % d == 0]


def _axis(step: int, size: int) -> str:
    if step == size:
        return "1"
    return f"Z{size}" if step == 1 else f"{step}Z{size}"


def maximal(subgroups: Sequence[Subgroup[Element]]) -> tuple[Subgroup[Element], ...]:
    """Those contained in no other of the list."""
    return tuple(
        h for h in subgroups if not any(h.elements < other.elements for other in subgroups)
    )


def left_cosets(
    group: FiniteGroup[Element], h: Subgroup[Element]
) -> tuple[tuple[Element, ...], ...]:
    """The left cosets gH in order of their first elements; the first is H itself."""
    remaining = dict.fromkeys(group.elements())
    members = [a for a in group.elements() if a in h.elements]
    cosets = []
    while remaining:
        g = next(iter(remaining))
        coset = tuple(group.compose(g, a) for a in members)
        cosets.append(coset)
        for a in coset:
            del remaining[a]
    return tuple(cosets)
