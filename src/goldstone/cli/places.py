"""Folders that results are written to."""

import tempfile
from pathlib import Path

from goldstone.core import InputError


def writable_directory(path: Path, option: str = "--out") -> Path:
    """Make ``path`` and try it, before the long work whose results it shall hold.

    Raises:
        InputError: it cannot be written to.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path):
            pass
    except OSError as error:
        reason = "it is a file" if path.is_file() else error.strerror or str(error)
        raise InputError(
            f"{option}: cannot write to {path} ({reason}); choose another directory"
        ) from error
    return path
