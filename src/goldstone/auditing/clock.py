"""Seconds spent, by name."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Clock:
    """Measures named stretches of work."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        """The time between entering and leaving."""
        start = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - start
