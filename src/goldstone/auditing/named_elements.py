"""Group elements by their names."""

from collections.abc import Sequence
from typing import Any

from goldstone.actions import Symmetry
from goldstone.core import InputError
from goldstone.groups import FiniteGroup

_SHOWN = 12


def as_elements(symmetry: Symmetry, elements: Sequence[Any]) -> tuple[Any, ...]:
    """The elements, those given by name (``"r"``, ``"sr³"``, ``"shift(8,0)"``) as values.

    Known are the names of all elements of a finite group, and of those that the symmetry lists.

    Raises:
        InputError: no element has the name.
    """
    if not any(isinstance(element, str) for element in elements):
        return tuple(elements)
    group = symmetry.group
    known = {group.element_name(g): g for g in symmetry.elements}
    if isinstance(group, FiniteGroup):
        known |= {group.element_name(g): g for g in group.elements()}
    unknown = [g for g in elements if isinstance(g, str) and g not in known]
    if unknown:
        names = list(known)
        more = " …" if len(names) > _SHOWN else ""
        raise InputError(
            f"{symmetry.name}: no element is called {', '.join(map(repr, unknown))}; known are "
            f"{', '.join(names[:_SHOWN]) or 'none: give values'}{more}"
        )
    return tuple(known[g] if isinstance(g, str) else g for g in elements)
