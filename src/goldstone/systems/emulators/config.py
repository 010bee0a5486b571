"""What it takes to build an emulator again, as plain JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from goldstone.actions import FieldLayout
from goldstone.core import InputError

Architecture = Literal["unet", "vit", "equivariant"]
Argument = int | float | bool


@dataclass(frozen=True)
class EmulatorConfig:
    """An architecture with its arguments.

    Attributes:
        architecture: ``"unet"``, ``"vit"`` or ``"equivariant"``.
        layout: the fields of the channels.
        grid: (X, Y) the emulator is trained on; only the ViT is bound to it.
        arguments: keyword arguments of the network; what is left out takes its default.
    """

    architecture: Architecture
    layout: FieldLayout
    grid: tuple[int, int]
    arguments: Mapping[str, Argument] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.architecture not in get_args(Architecture):
            raise InputError(
                f"unknown architecture {self.architecture!r}; expected one of "
                f"{', '.join(get_args(Architecture))}"
            )
        if len(self.grid) != 2 or any(not isinstance(side, int) or side < 1 for side in self.grid):
            raise InputError(f"emulator grid: expected two positive sizes, got {self.grid}")

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; read back by :meth:`from_json`."""
        return {
            "architecture": self.architecture,
            "layout": self.layout.to_json(),
            "grid": list(self.grid),
            "arguments": dict(self.arguments),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "EmulatorConfig":
        """Read what :meth:`to_json` wrote.

        Raises:
            InputError: a key is missing or unknown, or a value is not allowed.
        """
        expected = {"architecture", "layout", "grid", "arguments"}
        if set(values) != expected:
            raise InputError(
                f"emulator config: expected the keys {sorted(expected)}, got {sorted(values)}"
            )
        return cls(
            architecture=values["architecture"],
            layout=FieldLayout.from_json(values["layout"]),
            grid=tuple(values["grid"]),
            arguments=dict(values["arguments"]),
        )
