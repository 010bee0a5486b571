"""Which elements of a group an average or a random draw uses."""

from collections.abc import Sequence
from typing import Any

import torch

from goldstone.core import InputError, generator
from goldstone.groups import FiniteGroup, Group, LieGroup

MOST_AVERAGED = 1024


def whole_group(group: Group[Any]) -> tuple[Any, ...]:
    """All elements of a finite group, the identity first.

    Raises:
        InputError: a Lie group, or one of more than 1,024 elements.
    """
    if not isinstance(group, FiniteGroup) or group.order > MOST_AVERAGED:
        raise InputError(
            f"{group.name} has too many elements to use them all: give a number of them to draw, "
            "elements=32, or list some, such as those of a finite subgroup"
        )
    return group.elements()


def uniform_elements(group: Group[Any], count: int, rng: torch.Generator) -> torch.Tensor:
    """A tensor of ``count`` elements from Haar measure; uniform for finite groups.

    Raises:
        InputError: no element is asked for, or the group is not compact.
    """
    if count < 1:
        raise InputError(f"expected one or more elements, got {count}")
    check_compact(group)
    return group.sample(rng, (count,))


def check_compact(group: Group[Any]) -> None:
    """Raise unless the group has a uniform distribution.

    Raises:
        InputError: it is not compact.
    """
    if isinstance(group, LieGroup):
        compact = group.is_compact
    else:
        compact = isinstance(group, FiniteGroup)
    if not compact:
        raise InputError(
            f"{group.name} is not compact, so that there is no uniform choice of its elements; "
            "list some in elements=, or use FrameAverage or Canonicalised, which need none; "
            "OrbitAugmentation takes a function that draws them, too"
        )


def listed_elements(
    group: Group[Any], elements: Sequence[Any] | int | None, seed: int
) -> tuple[Any, ...]:
    """Elements as values: all of a finite group (None), so many uniform ones, or those given.

    Raises:
        InputError: as :func:`whole_group` and :func:`uniform_elements`, one lies outside the group,
            or none is given.
    """
    with torch.device("cpu"):  # though the model may be made on another device, or on none
        if elements is None:
            return whole_group(group)
        if isinstance(elements, int):
            drawn = uniform_elements(group, elements, generator(seed, "orbit elements"))
            return group.values(drawn)
        for element in elements:
            group.check_contains(element)
    if not len(elements):
        raise InputError("expected one or more elements, got none")
    return tuple(elements)
