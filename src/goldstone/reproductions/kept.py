"""Measurements that are kept: finished ones are read, others made and written."""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from goldstone.core import InputError, replacing, to_json


class Kept:
    """JSON files in a folder, one for each measurement, with the processor's seconds it took.

    ``settings`` belong to all of them: a folder of other settings is refused.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self._folder = folder
        self.settings: dict[str, Any] = json.loads(json.dumps(to_json(settings)))
        note = folder / "settings.json"
        if not note.exists():
            _write(note, self.settings)
        elif (found := _read(note)) != self.settings:
            changed = sorted(
                key for key in {*found, *self.settings} if found.get(key) != self.settings.get(key)
            )
            raise InputError(
                f"{folder}: holds measurements of other settings ({', '.join(changed)}); give "
                "another folder, or remove this one to measure anew"
            )

    def measure(self, name: str, make: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
        """What ``make()`` returns, as plain JSON values; made if it is not there yet."""
        path = self._folder / f"{name}.json"
        if not path.exists():
            start = time.process_time()
            values = to_json(make())
            _write(path, {"seconds": time.process_time() - start, "values": values})
        values = _read(path)["values"]
        if not isinstance(values, dict):
            raise InputError(f"{path}: expected an object; remove the file to measure anew")
        return values

    def seconds(self, name: str) -> float:
        """The processor's seconds that a measurement took; 0 if it was not made."""
        path = self._folder / f"{name}.json"
        return float(_read(path)["seconds"]) if path.exists() else 0.0


def _write(path: Path, values: Any) -> None:
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(values, indent=1), encoding="utf-8")


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: not JSON ({error}); remove the file to measure anew") from error
    if not isinstance(values, dict):
        raise InputError(f"{path}: expected an object; remove the file to measure anew")
    return values
