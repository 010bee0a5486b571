"""What an action is."""

from typing import Any, Protocol, runtime_checkable

from torch import Tensor

from goldstone.actions.context import Context


@runtime_checkable
class Action(Protocol):
    """How the elements of a group move a batch of states.

    Laws: ``act(e, x) = x`` and ``act(a, act(b, x)) = act(a·b, x)``, measured by
    :func:`goldstone.actions.action_law_errors`.
    """

    def act(self, element: Any, x: Tensor, context: Context) -> Tensor:
        """The state moved by ``element``; a new tensor or ``x`` itself, never changed in place."""
        ...
