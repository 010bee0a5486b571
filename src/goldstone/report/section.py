"""The parts of a page that share one form: a finding in words, its figures, its numbers."""

from dataclasses import dataclass
from typing import Any, Literal

from goldstone.core import Statistic

Cell = str | float | Statistic | None


@dataclass(frozen=True)
class Section:
    """A part of the page; ``name`` is its anchor, and its template unless another is named."""

    name: str
    title: str
    content: Any = True
    template: str = ""


@dataclass(frozen=True)
class Figure:
    """Panels side by side with what they show.

    Attributes:
        panels: SVG made by this package.
        caption: how to read them, in plain text.
        title: over the panels.
        kind: *wide* panels, or a *chart* at its own width that scrolls on narrow screens.
        series: names of the marks of series 0, 1, …, for the key.
        labels: whether the key of labels is shown.
    """

    panels: tuple[str, ...]
    caption: str
    title: str = ""
    kind: Literal["", "wide", "chart"] = ""
    series: tuple[str, ...] = ()
    labels: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of names, numbers and statistics; ``words`` are the columns of plain text."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    words: tuple[int, ...] = ()


@dataclass(frozen=True)
class Finding:
    """What a probe found: the sentence that says it, the figures that show it, the tables."""

    lead: str
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    remarks: tuple[str, ...] = ()
