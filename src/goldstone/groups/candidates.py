"""The subgroups among which a residual symmetry is sought."""

from itertools import product
from typing import Any

from goldstone.groups.all_subgroups import all_subgroups
from goldstone.groups.finite import FiniteGroup
from goldstone.groups.integers import divisors
from goldstone.groups.subgroups import Subgroup
from goldstone.groups.translations import GridTranslations
from goldstone.groups.wallpaper import WallpaperGroup


def axis_lattices(group: GridTranslations) -> tuple[Subgroup[tuple[int, int]], ...]:
    """The translation subgroups pℤ × qℤ, p and q divisors of the grid's sizes.

    They are what a network's strides leave over; the other subgroups of ℤ_X × ℤ_Y (oblique ones)
    are too many to list.
    """
    x, y = group.shape
    lattices = []
    for p, q in product(divisors(x), divisors(y)):
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


def _axis(step: int, size: int) -> str:
    if step == size:
        return "1"
    return f"Z{size}" if step == 1 else f"{step}Z{size}"
