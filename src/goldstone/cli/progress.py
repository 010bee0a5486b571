"""Progress on stderr: bars in a terminal, now and then a line elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

WORTH_A_LINE = 2.0
"""Seconds; shorter work leaves no trace."""
LINE_EVERY = 15.0


class RichProgress:
    """Shows tasks, nested ones too, on stderr, whatever stdout is used for."""

    def __init__(self) -> None:
        self._console = Console(file=sys.stderr)
        self._bars: Progress | None = None
        self._open = 0

    @contextmanager
    def task(self, label: str, total: int) -> Iterator["BarTask | LineTask"]:
        """Open a piece of work of ``total`` units."""
        if not self._console.is_terminal:
            lines = LineTask(self._console, label, total)
            yield lines
            lines.finish()
            return
        bars = self._start()
        number = bars.add_task(escape(label), total=total, note="")
        start = time.monotonic()
        try:
            yield BarTask(bars, number)
        finally:
            if time.monotonic() - start < WORTH_A_LINE:
                bars.remove_task(number)
            self._stop()

    def _start(self) -> Progress:
        if self._bars is None:
            self._bars = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                TextColumn("[dim]{task.fields[note]}"),
                console=self._console,
            )
            self._bars.start()
        self._open += 1
        return self._bars

    def _stop(self) -> None:
        self._open -= 1
        if self._open == 0 and self._bars is not None:
            self._bars.stop()
            self._bars = None


class BarTask:
    """One bar."""

    def __init__(self, bars: Progress, number: TaskID) -> None:
        self._bars, self._number = bars, number

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Move the bar."""
        self._bars.update(self._number, advance=steps, note=escape(note))


class LineTask:
    """A line every quarter of a minute, for logs; work under two seconds writes none."""

    def __init__(self, console: Console, label: str, total: int) -> None:
        self._console, self._label, self._total = console, label, total
        self._done = 0
        self._start = self._last = time.monotonic()

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Count, and write a line if the last one is long ago."""
        self._done += steps
        if time.monotonic() - self._last >= LINE_EVERY:
            self._last = time.monotonic()
            self._write(f"{self._done}/{self._total}" + (f", {note}" if note else ""))

    def finish(self) -> None:
        """Say how long it took."""
        if (seconds := time.monotonic() - self._start) >= WORTH_A_LINE:
            self._write(f"done in {seconds:.0f} s")

    def _write(self, text: str) -> None:
        self._console.out(f"{self._label}: {text}", highlight=False)
