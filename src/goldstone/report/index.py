"""The page that compares several audits."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from goldstone.auditing import AuditResult
from goldstone.auditing.results import AxisVerdict, ElementResult
from goldstone.core import InputError, replacing
from goldstone.report.figures_elements import comparison_panel, tested_elements
from goldstone.report.page import FILE_NAME
from goldstone.report.rendering import anchor, render

INDEX_NAME = "index.html"
MOST_ELEMENTS = 32


@dataclass(frozen=True)
class IndexEntry:
    """One audit, its name and the relative link to its page."""

    name: str
    link: str
    result: AuditResult
    worst: ElementResult | None


def write_index(directory: str | Path, audits: Sequence[tuple[str, str | Path]]) -> Path:
    """Make ``index.html`` in ``directory``, comparing ``audits`` side by side.

    Args:
        directory: where the page is written.
        audits: for each audit a name to show and its folder, relative to ``directory``; the page
            links to the ``audit.html`` in there.

    Raises:
        InputError: there are none, or an audit is missing or damaged.
        MissingExtraError: jinja2 or matplotlib is not installed.
    """
    folder = Path(directory)
    if not audits:
        raise InputError("an index needs at least one audit, got none; run an audit first")
    entries = [_entry(folder, name, Path(place)) for name, place in audits]
    elements = tuple(
        dict.fromkeys(e.name for entry in entries for e in tested_elements(entry.result))
    )
    page = render(
        "index.html",
        entries=entries,
        elements=elements[:MOST_ELEMENTS],
        left_out=max(0, len(elements) - MOST_ELEMENTS),
        element_of=_element_of,
        panels=_panels(entries),
        residual=residual_text,
    )
    with replacing(folder / INDEX_NAME) as path:
        path.write_text(page, encoding="utf-8")
    return folder / INDEX_NAME


def residual_text(axis: AxisVerdict) -> str:
    """The residual subgroups as ``low``, or ``low … up`` where they differ."""
    low = ", ".join(h.name for h in axis.residual_low) or "–"
    up = ", ".join(h.name for h in axis.residual_up) or "–"
    return low if low == up else f"{low} … {up}"


def _entry(folder: Path, name: str, place: Path) -> IndexEntry:
    result = AuditResult.load(folder / place)
    link = quote((place / FILE_NAME).as_posix())
    judged = [e for e in tested_elements(result) if e.log_loss_ratio.estimate is not None]
    worst = max(judged, key=lambda e: e.log_loss_ratio.estimate or 0.0, default=None)
    return IndexEntry(name, link, result, worst)


def _element_of(entry: IndexEntry, name: str) -> ElementResult | None:
    return next((e for e in entry.result.elements if e.name == name), None)


def _panels(entries: Sequence[IndexEntry]) -> tuple[str, ...]:
    groups = [(entry.name, tested_elements(entry.result)) for entry in entries]
    panels = (
        comparison_panel(
            "compare-error",
            "Equivariance error",
            "‖f(g·x) − g·f(x)‖ / ‖f(x)‖",
            lambda e: e.equivariance_error,
            groups,
            log=True,
        ),
        comparison_panel(
            "compare-ratio",
            "Log loss ratio",
            "mean of log ℓ(g·x) − log ℓ(x)",
            lambda e: e.log_loss_ratio,
            groups,
        ),
        *(_orbit_panel(metric, groups) for metric in _metrics(entries)),
    )
    return tuple(panel for panel in panels if panel)


def _orbit_panel(metric: str, groups: Sequence[tuple[str, Sequence[ElementResult]]]) -> str:
    title, unit = f"Orbit coherence ρ ({metric})", "ρ: 1 built in, 0 nothing shared"
    key = f"compare-orbit-{anchor(metric)}"
    return comparison_panel(key, title, unit, lambda e: e.orbit_coherence.get(metric), groups)


def _metrics(entries: Sequence[IndexEntry]) -> tuple[str, ...]:
    # Other metrics are in the single reports.
    return tuple(dict.fromkeys(entry.result.verdict.metric for entry in entries))
