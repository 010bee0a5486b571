"""Actions of finite groups on points: orbits, stabilisers, Burnside's count."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups.connected import connected_labels
from goldstone.groups.cosets import coset_table
from goldstone.groups.finite import FiniteGroup
from goldstone.groups.group import Element
from goldstone.groups.subgroups import Subgroup, subgroup_from_mask

Point = TypeVar("Point", bound=Hashable)


@dataclass(frozen=True)
class PermutationAction(Generic[Element, Point]):
    """A left action of a finite group on finitely many points.

    Law, verified for the products of all elements with the generators: (gh)·x = g·(h·x).

    Attributes:
        group: the group.
        points: the points, all different.
        permutations: int64 of shape (order, n): entry (g, x) is the number of the point g·x, g an
            element's number and x a point's.

    Raises:
        InputError: the law does not hold, or a row is no permutation; the message names elements.
    """

    group: FiniteGroup[Element]
    points: tuple[Point, ...]
    permutations: Tensor = field(repr=False, compare=False)
    _generator_images: tuple[tuple[int, ...], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        group, given = self.group, self.permutations
        if given.shape != (group.order, len(self.points)) or given.dtype is not torch.int64:
            raise InputError(
                f"expected permutations of {len(self.points)} points for the {group.order} "
                f"elements of {group.name}, int64 of shape ({group.order}, {len(self.points)}); "
                f"got {given.dtype} of shape {tuple(given.shape)}"
            )
        broken = (given.sort(1).values != torch.arange(len(self.points))).any(1)
        if broken.any():
            name = group.element_name(group.value(group.from_index(broken.nonzero()[0, 0])))
            raise InputError(f"the element {name} of {group.name} does not permute the points")
        every = group.element_tensor()
        rows = []
        for value, step in zip(group.generators(), group.tensor(group.generators()), strict=True):
            moved = given[group.index(step)]
            rows.append(tuple(moved.tolist()))
            wrong = (given[group.index(group.compose(every, step))] != given[:, moved]).any(1)
            if wrong.any():
                at = group.value(every[wrong][0])
                names = group.element_name(at), group.element_name(value)
                raise InputError(
                    f"no action of {group.name}: {names[0]}·{names[1]} moves the points otherwise "
                    f"than {names[1]} and then {names[0]} do"
                )
        # They determine the action, and so stand for it in comparisons.
        object.__setattr__(self, "_generator_images", tuple(rows))

    def act(self, a: Element, point: Point) -> Point:
        """The point a·x."""
        self.group.check_contains(a)
        number = self.group.index(self.group.tensor((a,)))[0]
        return self.points[int(self.permutations[number, self._number(point)])]

    def orbits(self) -> tuple[tuple[Point, ...], ...]:
        """The orbits, in order of their first points."""
        labels = self.orbit_labels()
        return tuple(
            tuple(self.points[i] for i in (labels == label).nonzero()[:, 0].tolist())
            for label in range(int(labels.max()) + 1 if len(labels) else 0)
        )

    def orbit_labels(self) -> Tensor:
        """The number of the orbit of each point, int64 of shape (n,)."""
        maps = [torch.tensor(images) for images in self._generator_images]
        return connected_labels(len(self.points), maps)

    def orbit(self, point: Point) -> tuple[Point, ...]:
        """The points g·x, in order."""
        reached = torch.unique(self.permutations[:, self._number(point)])
        return tuple(self.points[i] for i in reached.tolist())

    def stabiliser(self, point: Point) -> Subgroup[Element]:
        """The subgroup {g : g·x = x}; its order times that of the orbit is the group's."""
        number = self._number(point)
        return subgroup_from_mask(self.group, self.permutations[:, number] == number)

    def kernel(self) -> Subgroup[Element]:
        """The normal subgroup of the elements that fix every point."""
        fixed = (self.permutations == torch.arange(len(self.points))).all(1)
        return subgroup_from_mask(self.group, fixed)

    def fixed_points(self, a: Element) -> tuple[Point, ...]:
        """The points with a·x = x."""
        self.group.check_contains(a)
        row = self.permutations[self.group.index(self.group.tensor((a,)))[0]]
        still = (row == torch.arange(len(self.points))).nonzero()[:, 0]
        return tuple(self.points[i] for i in still.tolist())

    def character(self) -> Tensor:
        """How many points each element fixes, int64 of shape (order,)."""
        return (self.permutations == torch.arange(len(self.points))).sum(1)

    def orbit_count(self) -> int:
        """The number of orbits by Burnside's lemma: the mean number of fixed points."""
        return int(self.character().sum()) // self.group.order

    def _number(self, point: Point) -> int:
        try:
            return self.points.index(point)
        except ValueError:
            raise InputError(f"expected one of the {len(self.points)} points, got {point!r}") from (
                None
            )


def action_on_points(
    group: FiniteGroup[Element],
    points: Sequence[Point],
    act: Callable[[Element, Point], Point],
) -> PermutationAction[Element, Point]:
    """The action on hashable points that a function ``act(element, point)`` gives.

    Raises:
        InputError: points repeat, ``act`` leaves them, or it is no left action.
    """
    number = {point: i for i, point in enumerate(points)}
    if len(number) < len(points):
        raise InputError(f"expected different points, got {len(points) - len(number)} repeated")
    rows = []
    for a in group.elements():
        images = [act(a, point) for point in points]
        lost = [point for point, image in zip(points, images, strict=True) if image not in number]
        if lost:
            raise InputError(
                f"{group.element_name(a)} moves the point {lost[0]!r} to "
                f"{act(a, lost[0])!r}, outside the {len(points)} points given"
            )
        rows.append([number[image] for image in images])
    permutations = torch.tensor(rows, dtype=torch.int64).reshape(group.order, len(points))
    return PermutationAction(group, tuple(points), permutations)


def action_on_cosets(
    group: FiniteGroup[Element], h: Subgroup[Element]
) -> PermutationAction[Element, Element]:
    """The action g·(xH) = (gx)H on left cosets, each named by its first element.

    Raises:
        InputError: an element of ``h`` does not lie in the group.
    """
    cosets = coset_table(group, h)
    number = torch.empty(group.order, dtype=torch.int64)
    number[cosets] = torch.arange(len(cosets))[:, None]
    representatives = group.from_index(cosets.min(1).values)
    moved = group.compose(group.element_tensor()[:, None], representatives[None])
    return PermutationAction(group, group.values(representatives), number[group.index(moved)])
