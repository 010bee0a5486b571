"""audit.json and audit.npz: written atomically, and read with an error that says what is wrong."""

import json
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goldstone.core import InputError, replacing


def write_result(
    folder: Path, numbers: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> None:
    """Write ``audit.npz``, then ``audit.json``, into the folder, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / "audit.npz") as path:
        named: dict[str, Any] = dict(arrays)
        np.savez_compressed(path, **named)
    with replacing(folder / "audit.json") as path:
        text = json.dumps(numbers, indent=1, ensure_ascii=False, allow_nan=False)
        path.write_text(text + "\n", encoding="utf-8")


def read_numbers(path: Path, newest: int) -> dict[str, Any]:
    """The JSON values of an audit of schema version ``newest`` or older.

    Raises:
        InputError: the file is missing, truncated, none of goldstone's, or of a newer schema.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"no audit in {path.parent}: {path} is missing") from error
    except (ValueError, OSError) as error:
        raise _damaged(path, error) from error
    if not isinstance(data, dict) or not isinstance(data.get("schema_version"), int):
        raise InputError(
            f"the {path.name} in {path.parent} is none of goldstone's; run the audit again"
        )
    if data["schema_version"] > newest:
        raise InputError(f"the audit in {path.parent} was written by a newer goldstone; upgrade")
    return {key: value for key, value in data.items() if key != "arrays"}


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of an audit.

    Raises:
        InputError: the file is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except FileNotFoundError as error:
        raise InputError(f"no audit in {path.parent}: {error.filename} is missing") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError(f"the audit in {path} is damaged ({error}); run it again")
