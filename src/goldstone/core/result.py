"""Results as plain JSON and back: frozen dataclasses that only ever gain fields."""

import dataclasses
import math
import types
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from goldstone.core.errors import InputError

T = TypeVar("T")


def to_json(value: Any) -> Any:
    """Dataclasses, tuples and mappings as JSON values; NaN and infinities become null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_json(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_json(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(entry) for entry in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    raise TypeError(f"a result cannot hold {type(value).__name__}")


def from_json(kind: type[T], data: Any, place: str = "result") -> T:
    """Read what :func:`to_json` wrote into the dataclass ``kind``; unknown keys are ignored.

    Raises:
        InputError: a value is missing or of another type; the message names its place.
    """
    result: T = _read(kind, data, place)
    return result


def _read(kind: Any, data: Any, place: str) -> Any:
    origin = get_origin(kind)
    if kind is Any:
        return data
    if origin in (Union, types.UnionType):
        options = get_args(kind)
        if data is None and type(None) in options:
            return None
        return _read(next(o for o in options if o is not type(None)), data, place)
    if origin is Literal:
        if data not in get_args(kind):
            raise InputError(f"{place}: expected one of {get_args(kind)}, got {data!r}")
        return data
    if origin is tuple:
        return _read_tuple(get_args(kind), data, place)
    if origin in (Mapping, dict):
        if not isinstance(data, Mapping):
            raise InputError(f"{place}: expected an object, got {type(data).__name__}")
        entry = get_args(kind)[1]
        return {key: _read(entry, item, f"{place}.{key}") for key, item in data.items()}
    if dataclasses.is_dataclass(kind):
        return _read_dataclass(kind, data, place)
    if kind is float and data is None:
        # What is not finite was written as null; optional numbers were read above.
        return math.nan
    if kind is float and isinstance(data, int) and not isinstance(data, bool):
        return float(data)
    if not isinstance(data, kind) or (kind is int and isinstance(data, bool)):
        raise InputError(f"{place}: expected {kind.__name__}, got {data!r}")
    return data


def _read_tuple(entries: tuple[Any, ...], data: Any, place: str) -> tuple[Any, ...]:
    if not isinstance(data, (list, tuple)):
        raise InputError(f"{place}: expected a list, got {type(data).__name__}")
    if len(entries) == 2 and entries[1] is Ellipsis:
        return tuple(_read(entries[0], item, f"{place}[{i}]") for i, item in enumerate(data))
    if len(entries) != len(data):
        raise InputError(f"{place}: expected a list of {len(entries)}, got {len(data)}")
    return tuple(
        _read(entry, item, f"{place}[{i}]")
        for i, (entry, item) in enumerate(zip(entries, data, strict=True))
    )


def _read_dataclass(kind: Any, data: Any, place: str) -> Any:
    if not isinstance(data, Mapping):
        raise InputError(f"{place}: expected an object, got {type(data).__name__}")
    hints = get_type_hints(kind)
    values = {}
    for field in dataclasses.fields(kind):
        if field.name in data:
            values[field.name] = _read(hints[field.name], data[field.name], f"{place}.{field.name}")
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise InputError(f"{place}: the key {field.name!r} is missing; is the file complete?")
    return kind(**values)
