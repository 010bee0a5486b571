"""Direct products of groups, each with an action of its own."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from goldstone.actions.action import Action
from goldstone.actions.context import Context
from goldstone.actions.laws import law_tolerance_of
from goldstone.core import InputError
from goldstone.groups import Group
from goldstone.groups.packing import unpack


@dataclass(frozen=True)
class ProductAction:
    """(g₁, g₂, …)·x = g₁·(g₂·(… x)) for a direct product whose factors' actions commute.

    Attributes:
        groups: the factors, such as S_n and E(3).
        actions: one for each factor.

    Raises:
        InputError: the numbers of factors and actions differ.
    """

    groups: tuple[Group[Any], ...]
    actions: tuple[Action, ...]

    def __post_init__(self) -> None:
        if len(self.groups) != len(self.actions) or not self.groups:
            raise InputError(
                f"a product action needs an action for each factor, got {len(self.groups)} groups "
                f"and {len(self.actions)} actions"
            )

    @property
    def law_tolerance(self) -> float:
        """How far the laws may fail in an audit: as far as those of its parts."""
        return law_tolerance_of(self.actions)

    def act(self, element: Any, x: Any, context: Context) -> Any:
        """Move x by every part of the element, the last first.

        Raises:
            InputError: the element has not one part for each factor.
        """
        if isinstance(element, Tensor):
            parts: Any = unpack(self.groups, element)
        elif isinstance(element, tuple) and len(element) == len(self.groups):
            parts = element
        else:
            raise InputError(
                f"expected a tuple of elements of "
                f"{' and '.join(group.name for group in self.groups)}, got {element!r}"
            )
        for action, part in reversed(tuple(zip(self.actions, parts, strict=True))):
            x = action.act(part, x, context)
        return x
