"""A symmetry: a group acting on a model's inputs and on its outputs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from goldstone.actions.action import Action
from goldstone.core import InputError
from goldstone.groups import Group


@dataclass(frozen=True)
class Symmetry:
    """The claim f(g·x) = g·f(x) that an audit tests.

    Attributes:
        name: short name for reports.
        group: the group.
        on_input: how it moves the model's input.
        on_output: how it moves the model's output.
        on_target: how it moves the target; ``on_output`` unless labels transform otherwise.
        on_layers: actions on the feature maps of named modules.
        elements: the elements to test, the identity excepted; empty for a default choice by the
            group (all of a small finite one).
        fixes_loss: the loss is claimed to be invariant, ℓ(g·p, g·t) = ℓ(p, t); audits check it.

    Raises:
        InputError: an element lies outside the group, or an action has no ``act``.
    """

    name: str
    group: Group[Any]
    on_input: Action
    on_output: Action
    on_target: Action | None = None
    on_layers: Mapping[str, Action] = field(default_factory=dict, hash=False)
    elements: tuple[Any, ...] = ()
    fixes_loss: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "elements", tuple(self.elements))
        for element in self.elements:
            self.group.check_contains(element)
        actions = {"on_input": self.on_input, "on_output": self.on_output}
        actions |= {} if self.on_target is None else {"on_target": self.on_target}
        actions |= {f"on_layers[{name!r}]": action for name, action in self.on_layers.items()}
        for name, action in actions.items():
            if isinstance(action, type) or not isinstance(action, Action):
                raise InputError(
                    f"{name}: expected an object with act(element, x, context), got {action!r}; "
                    "TrivialAction() is that of what does not move"
                )

    @property
    def target_action(self) -> Action:
        """How the target moves: ``on_target`` if it is given, else ``on_output``."""
        return self.on_output if self.on_target is None else self.on_target
