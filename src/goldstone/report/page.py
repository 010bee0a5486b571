"""The report on one audit, made from its saved files alone."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from goldstone.auditing import AuditResult
from goldstone.core import replacing
from goldstone.report.dots import MOST_ROWS
from goldstone.report.figures_elements import (
    coherence_panels,
    factor_panels,
    forward_panels,
    metrics,
    setting,
    tested_elements,
)
from goldstone.report.figures_fields import field_figures
from goldstone.report.figures_history import (
    coset_panels,
    history_panels,
    loss_panel,
    rollout_panel,
)
from goldstone.report.figures_maps import cell_panels, torus_panels
from goldstone.report.figures_shifts import curve_panels
from goldstone.report.full_table import full_table
from goldstone.report.lattice import lattice
from goldstone.report.probe_sections import probe_sections
from goldstone.report.rendering import render
from goldstone.report.section import Section
from goldstone.report.words import baselines, nouns

FILE_NAME = "audit.html"


def write_report(directory: str | Path) -> Path:
    """Make ``audit.html`` from the ``audit.json`` and ``audit.npz`` in ``directory``.

    The page is one file that loads nothing: style, figures and pictures are inside. The same
    audit gives the same bytes. It replaces an older page atomically.

    Raises:
        InputError: the audit is missing, damaged, or of a newer schema.
        MissingExtraError: jinja2 or matplotlib is not installed.
    """
    folder = Path(directory)
    page = render_report(AuditResult.load(folder))
    with replacing(folder / FILE_NAME) as path:
        path.write_text(page, encoding="utf-8")
    return folder / FILE_NAME


def render_report(result: AuditResult) -> str:
    """The page of ``result`` as HTML text."""
    sections = [section for section in _sections(result) if section.content]
    return render(
        "audit.html",
        result=result,
        sections=sections,
        many=len(tested_elements(result)) > MOST_ROWS,
        metrics=metrics(result),
        nouns=nouns(result),
        baselines=baselines(result),
        tolerance=setting(result, "tolerance"),
        least_coherence=setting(result, "least_coherence"),
    )


def _sections(result: AuditResult) -> tuple[Section, ...]:
    return (
        Section("fields", "Fields, moved and emulated", field_figures(result)),
        Section("forward", "Does the symmetry hold?", forward_panels(result)),
        Section("transport", "Does learning transport?", _transport(result)),
        Section("elements", "Every element", result.elements),
        Section("labels", "What the labels mean"),
        Section("shifts", "Along shifts", _shifts(result)),
        Section("subgroups", "Subgroup lattice", lattice(result)),
        Section("history", "Over training", _history(result)),
        Section("rollout", "Over rollout steps", rollout_panel(result)),
        *probe_sections(result),
        Section("controls", "Controls", result.controls),
        Section("precheck", "Precheck of the symmetry"),
        Section("provenance", "Provenance"),
        Section("glossary", "What every quantity is"),
        Section("numbers", "Every number", _numbers(result)),
    )


def _transport(result: AuditResult) -> Mapping[str, Any]:
    by_metric = [(metric, coherence_panels(result, metric)) for metric in metrics(result)]
    shown = [(metric, panels) for metric, panels in by_metric if panels]
    return {"coherences": shown, "factors": factor_panels(result)} if shown else {}


def _shifts(result: AuditResult) -> Mapping[str, Any]:
    found = {
        "curves": curve_panels(result),
        "torus": torus_panels(result),
        "cell": cell_panels(result),
    }
    return found if any(found.values()) or result.shifts is not None else {}


def _history(result: AuditResult) -> Mapping[str, Any]:
    panels = history_panels(result)
    if not panels:
        return {}
    return {"elements": panels, "cosets": coset_panels(result), "loss": loss_panel(result)}


def _numbers(result: AuditResult) -> Any:
    return full_table(result) if len(result.elements) <= MOST_ROWS else ()
