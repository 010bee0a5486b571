"""Trajectories in .npz and HDF5 files. The layout is documented in docs/data-format.md."""

import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from goldstone.actions import FieldLayout
from goldstone.core import InputError, replacing, require
from goldstone.systems.flows.trajectories import Trajectories

_FORMAT = "goldstone-trajectories"
_VERSION = 1
_HDF5_SUFFIXES = (".h5", ".hdf5")
_LAYOUT_HELP = "see docs/data-format.md"


def write_trajectories(
    path: str | Path, data: Trajectories, *, provenance: Mapping[str, Any] | None = None
) -> None:
    """Write a data set; the suffix (.npz, .h5 or .hdf5) says how. Atomic: see ``core.replacing``.

    ``provenance`` is kept with it as JSON, and read back by :func:`read_metadata`.

    Raises:
        InputError: the suffix is another one.
        MissingExtraError: HDF5 without h5py (the extra ``hdf5``).
    """
    suffix = check_suffix(path)
    metadata = json.dumps(_metadata_of(data, provenance))
    fields = data.fields.detach().cpu().numpy()
    with replacing(path) as temporary:
        if suffix == ".npz":
            np.savez(temporary, fields=fields, metadata=np.array(metadata))
        else:
            h5py = require("h5py", "hdf5")
            with h5py.File(temporary, "w") as file:
                # One chunk per snapshot: any trajectory or time can be read alone.
                file.create_dataset("fields", data=fields, chunks=(1, 1, *fields.shape[2:]))
                file.attrs["metadata"] = metadata


def read_trajectories(
    path: str | Path,
    *,
    layout: FieldLayout | None = None,
    dt: float | None = None,
    lengths: tuple[float, float] | None = None,
    trajectories: slice | None = None,
) -> Trajectories:
    """Read a data set that :func:`write_trajectories` wrote, or a plain file of yours.

    A plain file has one array ``fields`` (trajectory, time, channel, X, Y) and no metadata: then
    ``layout`` and ``dt`` must be given (``lengths`` defaults to the unit square) and ``system``
    is ``unknown``. Arguments override what the file says.

    ``trajectories`` reads only some of them; from HDF5 the others are not loaded.

    Raises:
        InputError: the file is missing, damaged or no such data set, or its numbers are not
            finite or do not fit the layout.
        MissingExtraError: HDF5 without h5py (the extra ``hdf5``).
    """
    metadata, fields = _load(path, trajectories)
    if fields.ndim != 5 or fields.dtype not in (np.float32, np.float64):
        raise InputError(
            f"{path}: expected 'fields' of shape (trajectory, time, channel, X, Y) in float32 or "
            f"float64, got the shape {fields.shape} of {fields.dtype}; transpose or convert it"
        )
    if trajectories is not None and fields.shape[0] == 0:
        last = "" if trajectories.stop is None else trajectories.stop
        raise InputError(
            f"{path}: expected at least one trajectory in {trajectories.start or 0}:{last}, the "
            "file has fewer; ask for earlier ones"
        )
    known = {} if metadata is None else _checked(metadata, path)
    if metadata is None and (layout is None or dt is None):
        raise InputError(
            f"{path}: a plain file without metadata needs its layout (what the channels are) and "
            f"dt (time between snapshots) as arguments; {_LAYOUT_HELP}"
        )
    if layout is not None:
        known["layout"] = layout
    if dt is not None:
        known["dt"] = dt
    if lengths is not None:
        known["lengths"] = lengths
    try:
        return Trajectories(fields=torch.from_numpy(fields), **known)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def read_metadata(path: str | Path) -> dict[str, Any] | None:
    """What a file says of itself besides its fields, or None for a plain file."""
    metadata, _ = _load(path, slice(0, 0))
    return metadata


def check_suffix(path: str | Path) -> str:
    """The suffix of a data file, which must be one that can be written and read here."""
    suffix = Path(path).suffix.lower()
    if suffix in _HDF5_SUFFIXES:
        require("h5py", "hdf5")
    if suffix != ".npz" and suffix not in _HDF5_SUFFIXES:
        raise InputError(f"{path}: expected a file name that ends in .npz, .h5 or .hdf5")
    return suffix


def _metadata_of(data: Trajectories, provenance: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "version": _VERSION,
        "layout": data.layout.to_json(),
        "dt": data.dt,
        "lengths": list(data.lengths),
        "system": data.system,
        "parameters": dict(data.parameters),
        "initial_condition": data.initial_condition,
        "seed": data.seed,
        "provenance": dict(provenance or {}),
    }


def _load(
    path: str | Path, trajectories: slice | None
) -> tuple[dict[str, Any] | None, np.ndarray[Any, Any]]:
    suffix = check_suffix(path)
    if not Path(path).is_file():
        raise InputError(f"{path}: there is no such file; `goldstone simulate` writes one")
    chosen = slice(None) if trajectories is None else trajectories
    load = _load_npz if suffix == ".npz" else _load_hdf5
    try:
        text, fields = load(Path(path), chosen)
        metadata = None if text is None else json.loads(text)
    except InputError:
        raise
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(
            f"{path}: the file is damaged, cut short or of another format ({error}); "
            "write or copy it again"
        ) from error
    return metadata, fields


def _load_npz(path: Path, chosen: slice) -> tuple[str | None, np.ndarray[Any, Any]]:
    try:
        archive = np.load(path, allow_pickle=False)
    except ValueError as error:  # numpy's own words advise to load it unsafely
        raise InputError(
            f"{path}: the file is damaged, cut short or no .npz archive; write or copy it again"
        ) from error
    if isinstance(archive, np.ndarray):
        raise InputError(f"{path}: expected an .npz archive, got a single array; use np.savez")
    with archive:
        _require_fields(path, archive.files)
        text = str(archive["metadata"]) if "metadata" in archive.files else None
        return text, archive["fields"][chosen]


def _load_hdf5(path: Path, chosen: slice) -> tuple[str | None, np.ndarray[Any, Any]]:
    h5py = require("h5py", "hdf5")
    with h5py.File(path, "r") as file:
        _require_fields(path, [name for name in file if isinstance(file[name], h5py.Dataset)])
        text = str(file.attrs["metadata"]) if "metadata" in file.attrs else None
        return text, file["fields"][chosen]


def _require_fields(path: Path, names: Sequence[str]) -> None:
    if "fields" not in names:
        raise InputError(
            f"{path}: expected an array named 'fields', got {', '.join(sorted(names)) or 'none'}; "
            f"{_LAYOUT_HELP}"
        )


def _checked(metadata: Any, path: str | Path) -> dict[str, Any]:
    """The metadata as arguments of ``Trajectories``."""
    if not isinstance(metadata, dict) or metadata.get("format") != _FORMAT:
        raise InputError(f"{path}: the metadata is not that of {_FORMAT}; {_LAYOUT_HELP}")
    if metadata.get("version") != _VERSION:
        raise InputError(
            f"{path}: expected version {_VERSION} of the format, got {metadata.get('version')}; "
            "a newer goldstone may read it"
        )
    try:
        seed = metadata["seed"]
        return {
            "layout": FieldLayout.from_json(metadata["layout"]),
            "dt": float(metadata["dt"]),
            "lengths": tuple(float(size) for size in metadata["lengths"]),
            "system": str(metadata["system"]),
            "parameters": {str(k): float(v) for k, v in metadata["parameters"].items()},
            "initial_condition": str(metadata["initial_condition"]),
            "seed": None if seed is None else int(seed),
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"{path}: the metadata is incomplete or wrong ({type(error).__name__}: {error}); "
            f"{_LAYOUT_HELP}"
        ) from error
