"""Finished batches of a simulation on disk, so that it can be killed and gone on with."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from goldstone.core import InputError, replacing
from goldstone.systems.flows.files import (
    check_suffix,
    read_metadata,
    read_trajectories,
    write_trajectories,
)
from goldstone.systems.flows.trajectories import Trajectories


class PartStore:
    """The folder PATH.parts: ``request.json`` (the arguments) and one array per batch.

    Every file in it is complete or absent. The data set itself is put together inside the folder
    and moved to PATH in one step; only then the folder goes.
    """

    def __init__(self, path: Path, request: Mapping[str, Any]) -> None:
        self._path = path
        self._suffix = check_suffix(path)
        self._folder = path.with_name(path.name + ".parts")
        # Through JSON and back, to compare equal with what was read.
        self._request = json.loads(json.dumps(request))

    def open(self, overwrite: bool) -> Trajectories | None:
        """Make ready to go on with the request, or return its data set if it is finished.

        Raises:
            InputError: the file or the folder is of another request, without ``overwrite``.
        """
        if self._path.exists() and not overwrite:
            found = (read_metadata(self._path) or {}).get("provenance", {}).get("request")
            self._refuse_other(found, self._path)
            shutil.rmtree(self._folder, ignore_errors=True)
            return read_trajectories(self._path)
        note = self._folder / "request.json"
        if note.exists():
            found = _read_json(note)
            if overwrite and found != self._request:
                shutil.rmtree(self._folder)
            else:
                self._refuse_other(found, self._folder)
        if not note.exists():
            with replacing(note) as temporary:
                temporary.write_text(json.dumps(self._request, indent=1))
        return None

    def read(self, number: int) -> Tensor | None:
        """A finished batch, or None."""
        part = self._part(number)
        return torch.from_numpy(np.load(part, allow_pickle=False)) if part.exists() else None

    def write(self, number: int, fields: Tensor) -> None:
        """Keep a finished batch."""
        with replacing(self._part(number)) as temporary:
            np.save(temporary, fields.numpy(), allow_pickle=False)

    def finish(self, data: Trajectories) -> None:
        """Write the data set to its path and remove the folder."""
        assembled = self._folder / f"assembled{self._suffix}"
        write_trajectories(assembled, data, provenance={"request": self._request})
        assembled.replace(self._path)
        shutil.rmtree(self._folder)

    def _part(self, number: int) -> Path:
        return self._folder / f"part-{number:05d}.npy"

    def _refuse_other(self, found: Any, place: Path) -> None:
        if found == self._request:
            return
        found = found if isinstance(found, dict) else {}
        differing = ", ".join(
            f"{key}: {found.get(key)} there, {value} asked"
            for key, value in self._request.items()
            if found.get(key) != value
        )
        raise InputError(
            f"{place} belongs to a simulation with other arguments ({differing}); choose another "
            "path, delete it, or start anew with overwrite=True"
        )


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except ValueError:
        return None
