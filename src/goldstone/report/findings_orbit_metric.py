"""The transformed test set: a metric by element, its worst case, averaging at test time."""

from goldstone.auditing import AuditResult, OrbitMetric
from goldstone.core import Statistic
from goldstone.report.dots import Dot, DotPlot, dot, dot_plot
from goldstone.report.lines import Line, line_plot
from goldstone.report.marks import BLUE
from goldstone.report.numbers import number
from goldstone.report.section import Figure, Finding, Table
from goldstone.report.words import UNDEFINED, measured

FEWEST_ANGLES = 4


def orbit_metric_finding(result: AuditResult) -> Finding | None:
    """The metric of f(g·x) against g·y for every element."""
    metric = result.probes.orbit_metric
    if metric is None:
        return None
    panel = _by_angle(metric) or _by_element(result, metric)
    caption = (
        f"The {metric.metric} of f(g·x) against g·y, {_better(metric)}, with 95 % intervals. "
        "Dashed: on the test set as it is, and on average over it and all moved ones."
    )
    figure = Figure((panel,), caption, kind="wide", labels=_by_angle(metric) == "")
    return Finding(_lead(metric), (figure,) if panel else (), _tables(metric))


def _better(metric: OrbitMetric) -> str:
    return "higher is better" if metric.higher_is_better else "lower is better"


def _lead(metric: OrbitMetric) -> str:
    if metric.value.estimate is None and metric.average.estimate is None:
        return UNDEFINED
    worst = next((e for e in metric.elements if e.name == metric.worst), None)
    at = "" if worst is None else f"; the worst element is {worst.name}, {measured(worst.value)}"
    each = (
        ""
        if metric.worst_case is None
        else f" With each sample at its own worst element it is {measured(metric.worst_case)}."
    )
    gain = metric.gain.estimate
    helps = (
        "cannot be told"
        if gain is None
        else f"{'gains' if gain >= 0 else 'loses'} {number(abs(gain))}"
        + (", which its interval does not tell from nothing" if _spans_zero(metric.gain) else "")
    )
    return (
        f"The {metric.metric} ({_better(metric)}) is {measured(metric.value)} on the test set as "
        f"it is, and {measured(metric.average)} on average over the orbit{at}.{each} Averaging "
        f"predictions over the orbit at test time {helps}."
    )


def _spans_zero(statistic: Statistic) -> bool:
    low, high = statistic.low, statistic.high
    return low is not None and high is not None and low <= 0 <= high


def _levels(metric: OrbitMetric) -> dict[str, float]:
    levels = {"as it is": metric.value.estimate, "average": metric.average.estimate}
    return {name: value for name, value in levels.items() if value is not None}


def _by_angle(metric: OrbitMetric) -> str:
    """The metric against the angle; empty unless the elements are rotations of the plane."""
    turned = [(e.angle, e.value) for e in metric.elements if e.angle is not None]
    if len(turned) < len(metric.elements) or len({angle for angle, _ in turned}) < FEWEST_ANGLES:
        return ""
    points = sorted([*turned, (0.0, metric.value)], key=lambda point: point[0])
    statistics = [statistic for _, statistic in points]
    line = Line(
        "",
        tuple(s.estimate for s in statistics),
        BLUE,
        low=tuple(s.low for s in statistics),
        high=tuple(s.high for s in statistics),
    )
    return line_plot(
        "orbit-metric",
        f"{metric.metric} by angle",
        "rotation, in degrees",
        [angle for angle, _ in points],
        [line],
        unit=metric.metric,
        width=400,
        height=270,
        levels=_levels(metric),
    )


def _by_element(result: AuditResult, metric: OrbitMetric) -> str:
    labels = {e.name: e.label for e in result.elements}
    dots: list[Dot] = []
    for place, element in enumerate(metric.elements):
        dots += dot(place, element.value, labels.get(element.name, "undetermined"))
    plot = DotPlot(
        f"{metric.metric} by element",
        f"{metric.metric} of f(g·x) against g·y",
        tuple(e.name for e in metric.elements),
        tuple(dots),
        _levels(metric),
        width=400,
        longest=18,
    )
    return dot_plot("orbit-metric", plot)


def _tables(metric: OrbitMetric) -> tuple[Table, ...]:
    whole = (
        ("the test set as it is", metric.value),
        ("average over the orbit", metric.average),
        ("each sample at its own worst element", metric.worst_case),
        ("prediction averaged over the orbit", metric.averaged),
        ("what averaging gains (positive is better)", metric.gain),
    )
    return (
        Table(f"{metric.metric}, {_better(metric)}", ("", metric.metric), whole),
        Table(
            "By element; the change is paired by sample",
            ("g", "angle, °", metric.metric, "change"),
            tuple((e.name, e.angle, e.value, e.change) for e in metric.elements),
        ),
    )
