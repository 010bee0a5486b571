"""Inputs and outputs that are dicts, tuples or lists of tensors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from goldstone.actions.action import Action
from goldstone.actions.context import Context
from goldstone.actions.laws import law_tolerance_of
from goldstone.core import InputError


@dataclass(frozen=True)
class TreeAction:
    """Every entry of a dict, tuple or list moves by its own action, all by the same element.

    Entries may be trees themselves, with a ``TreeAction`` for them. Every entry needs an action:
    what the model sees and does not move would break the symmetry silently. Declare an entry that
    is invariant with :class:`goldstone.actions.TrivialAction`.

    Attributes:
        parts: a mapping of keys to actions for dicts, a sequence of actions for tuples and lists.
    """

    parts: Mapping[str, Action] | Sequence[Action] = field(hash=False)

    @property
    def law_tolerance(self) -> float:
        """How far the laws may fail in an audit: as far as those of its parts."""
        parts = self.parts
        return law_tolerance_of(parts.values() if isinstance(parts, Mapping) else parts)

    def act(self, element: Any, x: Any, context: Context) -> Any:
        """Move a dict (any mapping becomes a dict), a tuple, a named tuple or a list.

        Raises:
            InputError: x is of another kind, or its entries are not those declared.
        """
        if isinstance(self.parts, Mapping):
            if not isinstance(x, Mapping) or set(x) != set(self.parts):
                found = sorted(map(str, x)) if isinstance(x, Mapping) else type(x).__name__
                raise InputError(
                    f"expected a dict with the keys {sorted(self.parts)}, got {found}; declare an "
                    "action for every entry, TrivialAction() for what does not move"
                )
            return {key: self.parts[key].act(element, x[key], context) for key in x}
        if not isinstance(x, (tuple, list)) or len(x) != len(self.parts):
            found = f"{len(x)} of them" if isinstance(x, (tuple, list)) else type(x).__name__
            raise InputError(
                f"expected a tuple or list of {len(self.parts)} entries, got {found}; declare an "
                "action for every entry, TrivialAction() for what does not move"
            )
        entries = [
            action.act(element, part, context) for action, part in zip(self.parts, x, strict=True)
        ]
        if hasattr(x, "_fields"):
            return type(x)(*entries)
        return type(x)(entries)
