"""Objects of the user's own Python code: MODULE:NAME or FILE.py:NAME."""

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from goldstone.core import InputError


def names_code(text: str) -> bool:
    """Whether ``text`` looks like MODULE:NAME or FILE.py:NAME."""
    source, colon, name = text.rpartition(":")
    return bool(source and colon and name)


def load_object(text: str, place: str) -> Any:
    """What MODULE:NAME or FILE.py:NAME names; its module or file is run.

    ``place`` begins the errors, such as ``--loss 'my.py:loss'``.

    Raises:
        InputError: there is no such thing, or running it failed.
    """
    source, _, name = text.rpartition(":")
    return _attribute(place, _load_source(place, source), name)


def described(error: BaseException) -> str:
    """Type and message of an error in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _load_source(place: str, source: str) -> ModuleType:
    path = Path(source)
    try:
        if path.suffix == ".py":
            return _run_file(place, path)
        with _importing_from(Path.cwd()):
            return importlib.import_module(source)
    except InputError:
        raise
    except ModuleNotFoundError as error:
        if error.name is not None and source.split(".")[: error.name.count(".") + 1] == (
            error.name.split(".")
        ):
            raise InputError(
                f"{place}: there is no module {error.name!r} here or among the installed "
                "packages; check its spelling, or give the file: path/to/file.py:NAME"
            ) from error
        raise InputError(
            f"{place}: {source} needs {error.name!r}, which is not installed"
        ) from error
    except (Exception, SystemExit) as error:
        raise InputError(
            f"{place}: running {source} failed with {described(error)}; --debug shows where"
        ) from error


def _run_file(place: str, path: Path) -> ModuleType:
    if not path.is_file():
        raise InputError(f"{place}: there is no file {path}; check the path")
    name = path.stem
    described = importlib.util.spec_from_file_location(name, path)
    if described is None or described.loader is None:
        raise InputError(f"{place}: {path} cannot be run as Python")
    module = importlib.util.module_from_spec(described)
    # As `python FILE.py` would: its neighbours can be imported. A module of the same name that is
    # already in use, such as a package's, stays what it is.
    with _importing_from(path.resolve().parent):
        sys.modules.setdefault(name, module)
        described.loader.exec_module(module)
    return module


@contextmanager
def _importing_from(folder: Path) -> Iterator[None]:
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        if str(folder) in sys.path:
            sys.path.remove(str(folder))


def _attribute(place: str, module: ModuleType, name: str) -> Any:
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            public = [
                key
                for key, value in vars(module).items()
                if callable(value)
                and not key.startswith("_")
                and getattr(value, "__module__", None) == module.__name__
            ]
            raise InputError(
                f"{place}: {module.__name__} has no {name!r}; it defines "
                f"{', '.join(public[:8]) or 'no class or function'}"
            )
        found = getattr(found, part)
    return found
