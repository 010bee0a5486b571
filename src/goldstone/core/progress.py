"""Progress as a protocol: the library reports it without depending on a terminal library."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Task(Protocol):
    """One running piece of work."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Report ``steps`` more units done; ``note`` is a short remark such as the current loss."""
        ...


class Progress(Protocol):
    """Something that shows progress: a terminal bar, a log, or nothing."""

    def task(self, label: str, total: int) -> AbstractContextManager[Task]:
        """Open a piece of work of ``total`` units."""
        ...


class _SilentTask:
    def advance(self, steps: int = 1, note: str = "") -> None:
        pass


class SilentProgress:
    """Shows nothing: the default everywhere in the library."""

    @contextmanager
    def task(self, label: str, total: int) -> Iterator[Task]:
        """Open a piece of work that nobody watches."""
        yield _SilentTask()
