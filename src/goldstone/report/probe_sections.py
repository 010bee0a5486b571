"""The sections on an audit's further probes: one for each question that was asked."""

from collections.abc import Callable

from goldstone.auditing import AuditResult
from goldstone.report.findings_data import data_symmetry_finding
from goldstone.report.findings_equivariance import equivariance_finding
from goldstone.report.findings_landscape import landscape_finding
from goldstone.report.findings_layer_coherence import layer_coherence_finding
from goldstone.report.findings_lie_derivative import lie_derivative_finding
from goldstone.report.findings_metrics import metrics_finding
from goldstone.report.findings_orbit_metric import orbit_metric_finding
from goldstone.report.findings_spectrum import spectrum_finding
from goldstone.report.findings_stiffness import stiffness_finding
from goldstone.report.findings_teach_once import teach_once_finding
from goldstone.report.findings_unrolled import unrolled_finding
from goldstone.report.section import Finding, Section

_FINDINGS: tuple[tuple[str, str, Callable[[AuditResult], Finding | None]], ...] = (
    ("orbit-metric", "The transformed test set", orbit_metric_finding),
    ("equivariance", "Where does the symmetry break?", equivariance_finding),
    ("lie-derivative", "The Lie derivative", lie_derivative_finding),
    ("layer-coherence", "Where do gradients decouple?", layer_coherence_finding),
    ("stiffness", "Do gradients point alike?", stiffness_finding),
    ("orbit-spectrum", "What do poses share?", spectrum_finding),
    ("unrolled", "Over several steps", unrolled_finding),
    ("teach-once", "Taught once", teach_once_finding),
    ("landscape", "In the loss landscape", landscape_finding),
    ("data-symmetry", "Is the data symmetric?", data_symmetry_finding),
    ("metrics", "Metrics of the gradients", metrics_finding),
)


def probe_sections(result: AuditResult) -> tuple[Section, ...]:
    """A section for every probe that was run, and one for the reasons of those left out."""
    sections = [
        Section(name, title, finding(result), "finding") for name, title, finding in _FINDINGS
    ]
    return (*sections, Section("left-out", "Probes left out", result.probes.left_out))
