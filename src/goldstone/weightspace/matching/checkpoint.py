"""A search that goes on where it was stopped."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from goldstone.core import InputError, replacing
from goldstone.weightspace.symmetries.parameter_symmetry import StateDict


class Checkpoint:
    """A file of tensors and numbers that belongs to one task; without a path, nothing is kept.

    Args:
        path: of the file, replaced atomically.
        task: what the values belong to, plain JSON values; a file of another task is refused.
    """

    def __init__(self, path: str | Path | None, task: Mapping[str, Any]) -> None:
        self._path = None if path is None else Path(path)
        self._task = json.dumps(task, sort_keys=True)

    def read(self) -> dict[str, Any] | None:
        """What was last written; None if there is no file.

        Raises:
            InputError: the file is damaged, or belongs to another task.
        """
        if self._path is None or not self._path.exists():
            return None
        try:
            values = torch.load(self._path, map_location="cpu", weights_only=True)
            task = values.pop("task")
        except Exception as error:  # torch raises many kinds for damaged files
            raise InputError(
                f"{self._path}: cannot be read as a checkpoint of a search; remove it to start anew"
            ) from error
        if task != self._task:
            raise InputError(
                f"{self._path}: belongs to a search with other networks or settings; give another "
                "path, or remove it to start anew"
            )
        found: dict[str, Any] = values
        return found

    def write(self, values: Mapping[str, Any]) -> None:
        """Keep tensors, numbers, and lists and dicts of them."""
        if self._path is not None:
            with replacing(self._path) as temporary:
                torch.save({**values, "task": self._task}, temporary)


def digest(*states: StateDict) -> str:
    """SHA-256 of the names and bits of weights."""
    found = hashlib.sha256()
    for state in states:
        for name, x in sorted(state.items()):
            found.update(f"{name} {x.dtype} {tuple(x.shape)}\n".encode())
            found.update(x.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()
