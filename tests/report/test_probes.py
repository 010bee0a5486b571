"""Sections on further probes: only what was measured, its finding in words, bounded in size."""

import re
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from goldstone.auditing import AuditResult
from goldstone.auditing.probe_results import ProbeResults
from goldstone.report import write_report
from goldstone.report.figures_history import rollout_panel
from goldstone.report.findings_equivariance import equivariance_finding
from goldstone.report.findings_lie_derivative import lie_derivative_finding
from goldstone.report.findings_orbit_metric import orbit_metric_finding
from goldstone.report.findings_stiffness import stiffness_finding
from goldstone.report.probe_sections import probe_sections
from goldstone.report.waterfall import MOST_BARS, merged

SECTION_OF = {
    "equivariance": "equivariance",
    "orbit_metric": "orbit-metric",
    "lie_derivative": "lie-derivative",
    "lie_derivative_by_layer": "lie-derivative",
    "layer_coherence": "layer-coherence",
    "stiffness": "stiffness",
    "orbit_spectrum": "orbit-spectrum",
    "unrolled": "unrolled",
    "landscape": "landscape",
    "data_symmetry": "data-symmetry",
    "teach_once": "teach-once",
    "left_out": "left-out",
}


def shown(result: AuditResult) -> list[str]:
    return [section.name for section in probe_sections(result) if section.content]


def test_every_probe_has_its_section(probed: AuditResult, page_of: Any) -> None:
    _, page = page_of(probed)
    assert {f.name for f in fields(ProbeResults)} == set(SECTION_OF)
    assert set(SECTION_OF.values()) | {"metrics"} <= set(page.text)
    places = list(page.text)
    assert places.index("rollout") < places.index("orbit-metric") < places.index("controls")


@pytest.mark.parametrize("name", sorted(SECTION_OF))
def test_only_what_was_measured_is_shown(name: str, probed: AuditResult) -> None:
    alone = ProbeResults(**{name: getattr(probed.probes, name)})
    assert shown(replace(probed, probes=alone, metrics={})) == [SECTION_OF[name]]


def test_an_audit_without_probes_has_no_section_of_them(complete: AuditResult) -> None:
    assert shown(complete) == []


def test_metrics_that_have_nothing_to_say_are_left_out(probed: AuditResult, page_of: Any) -> None:
    _, page = page_of(probed)
    text = page.text["metrics"]
    assert "Galerkin" in text
    assert "Euclidean" not in text
    for words in ("3.4×10⁻⁹", "0.0430", "0.00210", "96", "head.bias: it is not a layer's"):
        assert words in text


def test_findings_are_said_with_their_numbers(probed: AuditResult, page_of: Any) -> None:
    _, page = page_of(probed)
    said = {name: re.sub(r"\s+", " ", text) for name, text in page.text.items()}
    for section, words in {
        "equivariance": "all is exact to rounding up to layer down.0.conv (1 layer), and layer "
        "down.1.conv is the first to break it (0.150 in the mean over elements); the error is "
        "largest at layer head (0.350). 70 % of the squared error lies at wavenumbers 2 – 4.",
        "orbit-metric": "The accuracy (higher is better) is 0.975 (0.853 … 1.10) on the test set "
        "as it is",
        "lie-derivative": "of 2 directions of the Lie algebra the worst is X₂",
        "layer-coherence": "it runs from 0.100 in layer down.0.conv, where the gradients decouple "
        "most, to 0.475 in layer head",
        "stiffness": "a cosine of 0.710 in the mean over elements, beside 0.220",
        "orbit-spectrum": "The trivial irrep σ0 holds 60 % of the gradients' energy",
        "unrolled": "From one step to 4, ρ falls most under r, from 0.480 to 0.120",
        "landscape": "The largest eigenvalue of the Hessian is 31.2, of Gauss–Newton 15.6",
        "teach-once": "Taught in one pose that fast flows are viscous, to 50% of what it can gain",
        "data-symmetry": "The data are not symmetric under r: explicit breaking.",
        "left-out": "SO(2) is no finite group of at most 64 elements",
    }.items():
        assert words.lower() in said[section].lower(), section
    assert "did not reach their tolerance" in said["landscape"]
    assert (
        "Left out for want of an action, declared or inferred: 1 layer: norm.0."
        in (said["equivariance"])
    )


def test_gains_that_may_be_nothing_are_said_to_be_so(probed: AuditResult) -> None:
    finding = orbit_metric_finding(probed)
    assert finding is not None
    assert "loses 0.0135, which its interval does not tell from nothing" in finding.lead


def test_contributions_of_layers_and_what_they_cancel(probed: AuditResult) -> None:
    finding = lie_derivative_finding(probed)
    assert finding is not None
    assert "layer head adds most: 0.0671, 142 % of the total" in finding.lead
    assert "1 layer takes 0.0200 away" in finding.lead


def test_merged_bars_keep_their_sum_and_order() -> None:
    parts = [(f"layer {i}", (-1.0) ** i * i) for i in range(100)]
    bars, rest = merged(parts)
    assert [name for name, _ in bars] == [f"layer {i}" for i in range(100 - MOST_BARS + 1, 100)]
    assert rest is not None
    assert sum(value for _, value in bars) + rest == pytest.approx(sum(v for _, v in parts))
    assert merged(parts[:5]) == (parts[:5], None)


def test_bars_too_small_to_see_are_merged_where_there_are_many() -> None:
    parts = [("first", -2.0), *((f"layer {i}", 0.0) for i in range(20)), ("last", 5.0)]
    assert merged(parts) == ([parts[0], parts[-1]], 0.0)


def test_a_symmetry_of_the_input_alone_is_not_measured_by_its_motion(
    probed: AuditResult,
) -> None:
    whole = probed.probes.lie_derivative
    assert whole is not None
    still = replace(
        whole,
        directions=tuple(
            replace(d, relative_to_motion=replace(d.relative_to_motion, estimate=1.0))
            for d in whole.directions
        ),
    )
    finding = lie_derivative_finding(replace(probed, probes=ProbeResults(lie_derivative=still)))
    assert finding is not None
    assert "leaves the output where it is" in finding.lead
    assert len(finding.figures[0].panels) == 1


def test_rotations_are_drawn_by_angle(probed: AuditResult) -> None:
    metric = probed.probes.orbit_metric
    assert metric is not None
    turned = replace(
        metric,
        elements=tuple(replace(e, angle=15.0 * i) for i, e in enumerate(metric.elements, 1)),
    )
    for found, words in ((turned, "rotation, in degrees"), (metric, "accuracy of f(g·x)")):
        finding = orbit_metric_finding(replace(probed, probes=ProbeResults(orbit_metric=found)))
        assert finding is not None
        assert words in finding.figures[0].panels[0]


def test_undefined_statistics_are_dashes_and_draw_nothing(
    undefined: AuditResult, page_of: Any
) -> None:
    text, page = page_of(undefined)
    assert "None" not in page.whole
    assert not re.search(r"\bnan\b", text.lower())
    for section in ("equivariance", "stiffness", "orbit-metric", "orbit-spectrum", "unrolled"):
        assert "–" in page.text[section]
    finding = stiffness_finding(undefined)
    assert finding is not None
    assert finding.figures == ()


def test_pairs_are_not_called_flows(undefined: AuditResult, page_of: Any) -> None:
    _, page = page_of(undefined)
    assert not re.search(r"\bflows?\b|trajector|next state", page.whole)
    assert "the best constant prediction" in page.text["verdict"]


def test_large_audits_stay_readable_and_small(large: AuditResult, page_of: Any) -> None:
    text, page = page_of(large)
    assert len(text.encode()) < 1_600_000
    equivariance = page.text["equivariance"]
    assert "100. encoder.block.99.attention.output" in equivariance
    assert "Of 64 elements the highest line and the median are drawn heavy" in equivariance
    assert "48 further elements are not shown" in page.text["layer-coherence"]
    assert "32 irreps of smaller shares are in the table only" in page.text["orbit-spectrum"]
    rows = [tag for tag, _ in page.tags if tag == "tr"]
    assert len(rows) < 2500


def test_a_rollout_of_the_probe_stands_in_for_one_of_the_audit(probed: AuditResult) -> None:
    bare = tuple(replace(e, rollout_equivariance_error=()) for e in probed.elements)
    assert "Equivariance error over rollout steps" in rollout_panel(replace(probed, elements=bare))
    assert rollout_panel(replace(probed, elements=bare, probes=ProbeResults())) == ""


def test_few_elements_have_columns_of_their_own_and_many_a_summary(
    probed: AuditResult, large: AuditResult
) -> None:
    few, many = (equivariance_finding(result) for result in (probed, large))
    assert few is not None
    assert many is not None
    assert few.tables[0].head == ("layer", "action", "r", "r²", "r³", "s", "sr", "sr²", "sr³")
    assert many.tables[0].head == ("layer", "action", "mean", "largest", "at")
    last = many.tables[2].rows[0]
    assert last[0] == "velocity 1"
    assert last[1] == pytest.approx(0.21)


def test_the_same_probes_give_the_same_bytes(
    probed: AuditResult, rendered: Callable[[AuditResult], Path]
) -> None:
    path = rendered(probed)
    first = path.read_bytes()
    assert write_report(path.parent).read_bytes() == first
