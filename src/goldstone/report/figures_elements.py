"""One number per group element: dots with intervals, beside their nulls and thresholds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from goldstone.auditing import AuditResult
from goldstone.auditing.results import ElementResult
from goldstone.core import Statistic
from goldstone.report.dots import Dot, DotPlot, dot, dot_plot
from goldstone.report.marks import SERIES
from goldstone.report.rendering import anchor

Reading = Callable[[ElementResult], Statistic | None]


@dataclass(frozen=True)
class Panel:
    """What one panel shows.

    Attributes:
        title: the quantity; also the text for readers who cannot see the panel.
        reading: its statistic for an element.
        null: what the statistic would be without the symmetry, if measured.
        lines: vertical lines by name.
        marks: a further value per element name, such as the violation by the ground truth.
        log: whether the axis is logarithmic.
    """

    title: str
    reading: Reading
    null: Reading | None = None
    lines: Mapping[str, float] = field(default_factory=dict)
    marks: Mapping[str, float] = field(default_factory=dict)
    log: bool = False
    unit: str = ""


def metrics(result: AuditResult) -> tuple[str, ...]:
    """The metrics of the gradient probes, the one of the verdict first."""
    found = {m for e in result.elements for m in (*e.pair_coherence, *e.orbit_coherence)}
    return tuple(sorted(found, key=lambda m: (m != result.verdict.metric, m)))


def tested_elements(result: AuditResult) -> tuple[ElementResult, ...]:
    """The elements without the identity, whose numbers are known beforehand."""
    tested = frozenset(result.symmetry.tested)
    return tuple(e for e in result.elements if e.name in tested)


def forward_panels(result: AuditResult) -> tuple[str, ...]:
    """Equivariance error, its ratio to the model error, and the loss ratio."""
    floor = result.model.numerical_floor
    truth = {check.name: check.violation for check in result.precheck.ground_truth}
    panels = (
        Panel(
            "Equivariance error",
            lambda e: e.equivariance_error,
            lines={"10 × rounding": 10 * floor} if floor > 0 else {},
            marks=truth,
            log=True,
            unit="‖f(g·x) − g·f(x)‖ / ‖f(x)‖",
        ),
        Panel(
            "Relative to the model error",
            lambda e: e.equivariance_error_of_model_error,
            lines={"as large as the error": 1.0},
            log=True,
            unit="‖f(g·x) − g·f(x)‖ / ‖f(x) − y‖",
        ),
        Panel(
            "Log loss ratio",
            lambda e: e.log_loss_ratio,
            lines=_threshold(result, "tolerance", np.log1p),
            unit="mean of log ℓ(g·x) − log ℓ(x)",
        ),
    )
    return _draw(result, "forward", panels)


def coherence_panels(result: AuditResult, metric: str) -> tuple[str, ...]:
    """Pair coherence beside its null, orbit coherence, common-mode coherence."""
    panels = (
        Panel(
            "Pair coherence K",
            lambda e: e.pair_coherence.get(metric),
            null=lambda e: e.null.get(metric),
            unit="K(x, g·x); null: K(x, g·x′)",
        ),
        Panel(
            "Orbit coherence ρ",
            lambda e: e.orbit_coherence.get(metric),
            lines={"0": 0.0, **_threshold(result, "least_coherence", float)},
            unit="ρ: 1 built in, 0 nothing shared",
        ),
        Panel(
            "Common-mode coherence μ",
            lambda e: e.common_mode_coherence.get(metric),
            lines={"0": 0.0},
            unit="cosine of the mean gradients",
        ),
    )
    return _draw(result, f"coherence-{anchor(metric)}", panels)


def factor_panels(result: AuditResult) -> tuple[str, ...]:
    """The factors behind transport: error sharing, and probe coherence by metric."""
    panels = [
        Panel(
            "Error sharing ς",
            lambda e: e.error_sharing,
            lines={"0": 0.0},
            unit="cosine of g·(error) and error at g·x",
        )
    ]
    panels += [_probe_panel(metric) for metric in metrics(result)]
    return _draw(result, "factors", panels)


def _probe_panel(metric: str) -> Panel:
    return Panel(
        f"Probe coherence, {metric}",
        lambda e: e.probe_coherence.get(metric),
        lines={"0": 0.0},
        unit="orbit coherence of smooth probes",
    )


def _threshold(
    result: AuditResult, name: str, transform: Callable[[float], float]
) -> dict[str, float]:
    value = setting(result, name)
    return {} if value is None else {"threshold": float(transform(value))}


def setting(result: AuditResult, name: str) -> float | None:
    """A number of the audit's settings; None if it was not recorded."""
    value = result.provenance.settings.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= -1:
        return None
    return float(value)


def _draw(result: AuditResult, key: str, panels: Sequence[Panel]) -> tuple[str, ...]:
    drawn = (_panel(tested_elements(result), panel, f"{key}-{i}") for i, panel in enumerate(panels))
    return tuple(panel for panel in drawn if panel)


def _panel(elements: Sequence[ElementResult], panel: Panel, key: str) -> str:
    dots = []
    for place, element in enumerate(elements):
        if panel.null is not None:
            dots += dot(place + 0.3, panel.null(element), "null")
        dots += dot(place, panel.reading(element), element.label)
        mark = panel.marks.get(element.name)
        if mark is not None:
            dots += dot(place, Statistic(mark), "mark")
    plot = DotPlot(
        panel.title,
        panel.unit,
        tuple(e.name for e in elements),
        tuple(dots),
        panel.lines,
        panel.log,
    )
    return dot_plot(key, plot)


def comparison_panel(
    key: str,
    title: str,
    unit: str,
    reading: Reading,
    groups: Sequence[tuple[str, Sequence[ElementResult]]],
    *,
    log: bool = False,
) -> str:
    """The same quantity of several audits: a row per element, in it a mark per audit."""
    names = tuple(dict.fromkeys(e.name for _, elements in groups for e in elements))
    places = {name: place for place, name in enumerate(names)}
    dots: list[Dot] = []
    for i, (_, elements) in enumerate(groups):
        for element in elements:
            # Only the audits that tested an element share its row.
            shared = [k for k, (_, other) in enumerate(groups) if _has(other, element.name)]
            offset = 0.6 * ((shared.index(i) + 0.5) / len(shared) - 0.5)
            place = places[element.name] + offset
            dots += dot(place, reading(element), f"series {i}", SERIES[i % len(SERIES)])
    return dot_plot(key, DotPlot(title, unit, names, tuple(dots), {}, log))


def _has(elements: Sequence[ElementResult], name: str) -> bool:
    return any(element.name == name for element in elements)
