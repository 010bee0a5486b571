"""Progress of long experiments on stderr: bars in a terminal, lines elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from goldstone.core import require

LINE_EVERY = 30.0
"""Seconds between lines of one task."""


class TerminalProgress:
    """Shows tasks, nested ones too, by rich.

    Raises:
        MissingExtraError: rich is not installed.
    """

    def __init__(self) -> None:
        console = require("rich.console", "cli").Console(file=sys.stderr)
        self._lines = not console.is_terminal
        self._bars: Any = require("rich.progress", "cli").Progress(console=console, transient=True)
        self._open = 0

    @contextmanager
    def task(self, label: str, total: int) -> Iterator["_Bar"]:
        """Open a piece of work of ``total`` units."""
        if self._lines:
            yield _Line(label, total)
            return
        if self._open == 0:
            self._bars.start()
        self._open += 1
        # Labels are no markup.
        number = self._bars.add_task(label.replace("[", "("), total=total)
        try:
            yield _Bar(self._bars, number)
        finally:
            self._bars.remove_task(number)
            self._open -= 1
            if self._open == 0:
                self._bars.stop()


class _Bar:
    def __init__(self, bars: Any, number: Any) -> None:
        self._bars, self._number = bars, number

    def advance(self, steps: int = 1, note: str = "") -> None:
        self._bars.update(self._number, advance=steps)


class _Line(_Bar):
    def __init__(self, label: str, total: int) -> None:
        self._label, self._total, self._done = label, total, 0
        self._last = time.monotonic()

    def advance(self, steps: int = 1, note: str = "") -> None:
        self._done += steps
        if time.monotonic() - self._last >= LINE_EVERY:
            self._last = time.monotonic()
            remark = f", {note}" if note else ""
            sys.stderr.write(f"{self._label}: {self._done}/{self._total}{remark}\n")
