"""Which elements a forward probe looks at."""

from collections.abc import Sequence
from typing import Any

from goldstone.actions import Symmetry
from goldstone.auditing.elements import elements_to_test
from goldstone.auditing.named_elements import as_elements
from goldstone.core import InputError, generator
from goldstone.groups import LieGroup


def choose_elements(
    symmetry: Symmetry, elements: Sequence[Any] | int | None, seed: int
) -> tuple[Any, ...]:
    """Elements as values: those given (or named), so many from Haar measure, or the symmetry's own.

    Raises:
        InputError: an element lies outside the group, none is left, or Haar measure is asked for of
            a group that is not compact.
    """
    if elements is None:
        return elements_to_test(symmetry)
    group = symmetry.group
    if isinstance(elements, int):
        if elements < 1:
            raise InputError(f"expected one or more elements, got {elements}")
        if isinstance(group, LieGroup) and not group.is_compact:
            raise InputError(
                f"{group.name} is not compact, so that there is no uniform choice of its elements; "
                "list some"
            )
        return group.values(group.sample(generator(seed, "elements"), (elements,)))
    elements = as_elements(symmetry, elements)
    for element in elements:
        group.check_contains(element)
    if not elements:
        raise InputError("expected one or more elements, got none")
    return elements
