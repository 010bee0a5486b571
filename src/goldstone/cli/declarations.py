"""What the symmetry is and what the channels are: by short names, or in a TOML file."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from goldstone.actions import FLOW_SYMMETRIES, FieldLayout, Pivot, Symmetry, flow_symmetry
from goldstone.core import InputError
from goldstone.groups import FiniteGroup
from goldstone.systems.flows import INITIAL_CONDITIONS

_PIVOTS = ("cell", "node")
_WITHOUT_PIVOT = ("shifts", "translations", "boosts")
_KEYS: Mapping[str, tuple[str, ...]] = {
    "symmetry": ("name", "pivot", "elements"),
    "data": ("dt", "lengths", "system", "parameters"),
    "fields": (),
}


@dataclass(frozen=True)
class Declaration:
    """The symmetry as declared; None where it is left to the data file or to the defaults.

    Attributes:
        name: one of ``FLOW_SYMMETRIES``.
        pivot: the fixed point of a point group.
        elements: names (finite groups) or vectors (Lie groups) of the elements to test.
        layout: what the channels are.
        dt: time between snapshots.
        lengths: size of the domain.
        system: whose solver is the ground truth.
        parameters: of the system.
    """

    name: str
    pivot: str | None = None
    elements: tuple[Any, ...] = ()
    layout: FieldLayout | None = None
    dt: float | None = None
    lengths: tuple[float, float] | None = None
    system: str | None = None
    parameters: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.name.lower() not in FLOW_SYMMETRIES:
            known = "; ".join(f"{name} ({text})" for name, text in FLOW_SYMMETRIES.items())
            raise InputError(
                f"unknown symmetry {self.name!r}; expected a .toml file or one of: {known}"
            )
        if self.pivot not in (None, *_PIVOTS):
            raise InputError(
                f"pivot: expected 'cell' (the centre of the grid's cells) or 'node' (the first "
                f"grid point), got {self.pivot!r}"
            )
        if self.pivot is not None and self.name.lower() in _WITHOUT_PIVOT:
            raise InputError(f"pivot: {self.name!r} turns nothing and has none; leave it out")

    def symmetry(self, layout: FieldLayout, grid: tuple[int, int]) -> Symmetry | str:
        """The symmetry on fields of this layout and grid; its short name where that says it all.

        Raises:
            InputError: it does not suit them, or has no such element.
        """
        built = flow_symmetry(self.name, layout, grid, cast(Pivot, self.pivot or "cell"))
        if not self.elements:
            return built if self.pivot else self.name
        return replace(built, elements=tuple(_element(built, entry) for entry in self.elements))


def read_declaration(text: str) -> Declaration:
    """From a short name, or from the TOML file whose name ``text`` is.

    Raises:
        InputError: the name is unknown, or the file is missing, damaged or has other keys.
    """
    path = Path(text)
    if path.suffix.lower() != ".toml":
        return Declaration(text)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"--symmetry: there is no file {path}; check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: no valid TOML ({error}); mend it there") from error
    try:
        return _declaration(content)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _declaration(content: Mapping[str, Any]) -> Declaration:
    for table, keys in _KEYS.items():
        entries = content.get(table, {})
        if keys and not isinstance(entries, Mapping):
            raise InputError(f"expected a table [{table}], got {entries!r}")
        if keys and (unknown := sorted(set(entries) - set(keys))):
            raise InputError(f"[{table}]: unknown {', '.join(unknown)}; it takes {', '.join(keys)}")
    if unknown := sorted(set(content) - set(_KEYS)):
        raise InputError(f"unknown {', '.join(unknown)}; it takes [symmetry], [[fields]], [data]")
    symmetry, data, fields = (content.get(table, {}) for table in ("symmetry", "data", "fields"))
    if not isinstance(symmetry.get("name"), str):
        raise InputError('[symmetry]: expected a name such as name = "d4"')
    if not isinstance(symmetry.get("elements", []), list):
        raise InputError('[symmetry]: expected a list of elements such as elements = ["r", "s"]')
    if fields and not (isinstance(fields, list) and all(isinstance(f, Mapping) for f in fields)):
        raise InputError("expected one table [[fields]] per field, with name = … and fibre = …")
    return Declaration(
        name=symmetry["name"],
        pivot=symmetry.get("pivot"),
        elements=tuple(symmetry.get("elements", ())),
        layout=FieldLayout.from_json(fields) if fields else None,
        dt=_number(data["dt"], "dt") if "dt" in data else None,
        lengths=_lengths(data["lengths"]) if "lengths" in data else None,
        system=_system(data["system"]) if "system" in data else None,
        parameters=_parameters(data),
    )


def _system(value: Any) -> str:
    if value not in INITIAL_CONDITIONS:
        raise InputError(
            f"[data]: expected a system with a solver, one of {', '.join(INITIAL_CONDITIONS)}, got "
            f"{value!r}"
        )
    return str(value)


def _parameters(data: Mapping[str, Any]) -> dict[str, float]:
    found = data.get("parameters", {})
    if not isinstance(found, Mapping) or (found and "system" not in data):
        raise InputError(
            f"[data]: expected parameters = {{viscosity = 0.002}} beside system = …, got {found!r}"
        )
    return {name: _number(value, f"parameters.{name}") for name, value in found.items()}


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InputError(f"[data]: expected a number for {name}, got {value!r}")
    return float(value)


def _lengths(value: Any) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise InputError(f"[data]: expected lengths = [1.0, 1.0] (along x, y), got {value!r}")
    return _number(value[0], "lengths"), _number(value[1], "lengths")


def _element(symmetry: Symmetry, entry: Any) -> Any:
    group = symmetry.group
    if isinstance(group, FiniteGroup):
        if not isinstance(entry, str):
            raise InputError(
                f"elements: expected names of elements of {group.name} such as "
                f"{group.element_name(group.generators()[0])!r}, got {entry!r}"
            )
        try:
            element = group.parse(entry)
        except InputError as error:
            raise InputError(f"elements: {error}") from error
    else:
        if not isinstance(entry, list) or not all(isinstance(x, (int, float)) for x in entry):
            raise InputError(
                f"elements: expected vectors of {group.name} such as [0.5, 0.0], got {entry!r}"
            )
        element = tuple(float(x) for x in entry)
        group.check_contains(element)
    if element == group.identity:
        raise InputError("elements: the identity moves nothing; leave it out")
    return element
