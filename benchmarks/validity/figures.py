"""The figures of docs/validity.md, drawn by the report's own code."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.validity.choosing import CUT
from benchmarks.validity.coverage_tables import SIZES
from benchmarks.validity.observations import DEFAULT_LEAST
from benchmarks.validity.populations import SHAPES
from benchmarks.validity.tables import DECLARED, EUCLIDEAN, FIRST, RANKED, found
from goldstone.core import Statistic
from goldstone.report.dots import DotPlot, dot_plot, series_dots
from goldstone.report.heat import HeatMap, heat_map
from goldstone.report.lines import Line, line_plot
from goldstone.report.marks import MUTED, SERIES
from goldstone.report.svg import Axes, end_labels, inline_svg, log_axis
from goldstone.reproductions.figures import side_by_side

Scores = Mapping[str, Any]
Coverage = Mapping[str, Sequence[Mapping[str, Any]]]
_MARKERS = ("o", "s", "^", "D", "v", "P")
_NAMES = {
    ("euclidean", "ρ"): "ρ",
    ("euclidean", "raw ρ"): "ρ, raw gradients",
    ("euclidean", "K − null"): "K − null",
    ("euclidean", "probe"): "probe coherence",
    ("euclidean", "μ"): "common mode μ",
    ("euclidean", "K"): "raw cosine K",
    ("euclidean", "raw K"): "K, raw gradients",
    ("forward", "−T"): "forward, −T",
    ("forward", "−error"): "forward, −error",
    ("forward", "sharing"): "error sharing",
}


def areas(scores: Scores) -> str:
    """AUROC by score: of *holds*, and of *transports*."""
    panels: list[str] = []
    for axis, truths in (
        ("holds", {"construction": "by construction", "population": "in the population"}),
        ("transports", {"transfer": DECLARED, "construction": "by construction"}),
    ):
        series = [
            [
                _statistic(
                    found(
                        scores, axis=axis, measure="auroc", truth=truth, metric=m, statistic=s
                    ).get("value")
                )
                for m, s in FIRST
            ]
            for truth in truths.values()
        ]
        panels.append(
            dot_plot(
                f"areas-{axis}",
                DotPlot(
                    title=f"{axis.capitalize()}: " + " ●, ".join(truths) + " ■",
                    unit="AUROC, with 95 % intervals over families",
                    rows=tuple(_NAMES[key] for key in FIRST),
                    dots=series_dots(*series),
                    lines={"chance": 0.5},
                    per="score",
                    width=440,
                    longest=20,
                ),
            )
        )
    return side_by_side(panels)


def scatter(scores: Scores) -> str:
    """Transfer against ρ, K and −T, a mark for each element of each model."""
    titles = {"ρ": "Orbit coherence ρ", "K": "Raw cosine K", "−T": "Forward: −T"}
    return side_by_side([_scattered(scores, key, title) for key, title in titles.items()], 3)


def _scattered(scores: Scores, key: str, title: str) -> str:
    points = scores["points"]
    x, y = (np.array(points[k], dtype=float) for k in (key, "transfer"))
    task = np.array(points["task"])
    if not (np.isfinite(x) & np.isfinite(y)).any():
        return ""

    def draw(axes: Axes) -> None:
        axes.set_title(title)
        axes.set_ylabel("transfer, %")
        axes.set_ylim(-30, 130)
        low, high = np.nanquantile(x, (0.01, 0.99))
        axes.set_xlim(low - 0.08 * (high - low + 0.1), high + 0.08 * (high - low + 0.1))
        axes.axhline(CUT, color=MUTED, linewidth=0.9, linestyle=(0, (4, 2)), zorder=1)
        if key == "ρ":
            axes.axvline(DEFAULT_LEAST, color=MUTED, linewidth=0.9, linestyle=(0, (4, 2)), zorder=1)
        for k, name in enumerate(scores["tasks"]):
            here = task == name
            axes.plot(
                np.clip(x[here], *axes.get_xlim()),
                np.clip(y[here], -30, 130),
                _MARKERS[k % len(_MARKERS)],
                color=SERIES[k % len(SERIES)],
                markersize=3.6,
                alpha=0.75,
                markeredgewidth=0,
                label=name,
            )
        if key == "ρ":
            axes.legend(fontsize=9, frameon=False, loc="lower right", handletextpad=0.1)

    return inline_svg(f"scatter-{title[:3]}", f"transfer against {title}", draw, 300, 270)


def metrics(scores: Scores) -> str:
    """Rank correlation with transfer of every metric and statistic."""
    names = list(scores["thresholds"])
    columns = tuple(dict.fromkeys(s for m, s in FIRST if m == EUCLIDEAN))
    values = np.full((len(names), len(columns)), np.nan)
    for i, metric in enumerate(names):
        for j, statistic in enumerate(columns):
            where = {"axis": "transports", "metric": metric, "statistic": statistic}
            row = found(scores, measure="rank", truth=RANKED, **where)
            estimate = row["value"][0] if row else None
            values[i, j] = np.nan if estimate is None else estimate
    heat = HeatMap(
        title="Rank correlation with transfer",
        label="statistic",
        rows=tuple(name.replace("gauss-newton", "GN") for name in names),
        columns=columns,
        values=values,
    )
    return side_by_side([heat_map("metrics", heat)])


def operating(scores: Scores) -> str:
    """The verdict over ρ_min and over the number of pairs."""
    limits = scores["thresholds"][EUCLIDEAN]
    keys = {
        "right yes": "yes if true",
        "wrong yes": "yes if false",
        "wrong no": "no if true",
        "decided": "decided",
    }
    first = line_plot(
        "thresholds",
        "Over the threshold",
        "ρ_min",
        [float(least) for least in limits],
        _lines({name: [e[key] for e in limits.values()] for name, key in keys.items()}),
        unit="share",
        width=440,
        height=270,
    )
    sizes = scores["samples"]
    keys = {
        "decided": "decided",
        "wrong": "wrong if decided",
        "right yes": "yes if true",
    }
    second = line_plot(
        "samples",
        "Over the number of samples",
        "pairs of gradients",
        list(range(len(sizes))),
        _lines({name: [e[key] for e in sizes.values()] for name, key in keys.items()}),
        unit="share",
        ticks=list(sizes),
        width=400,
        height=270,
    )
    return side_by_side([first, second])


def free_path(scores: Scores) -> str:
    """ρ, T and transfer as the free path grows, a line for each task."""
    titles = {"ρ": "Orbit coherence ρ", "T": "Log loss ratio T", "transfer": "Transfer, %"}
    return side_by_side([_over_weight(scores, key, title) for key, title in titles.items()], 3)


def _over_weight(scores: Scores, key: str, title: str) -> str:
    tasks = scores["free path"]
    lines = {
        task: [(p["ε"], p[key]) for p in entry["points"] if p[key] is not None]
        for task, entry in tasks.items()
    }
    places = [weight for line in lines.values() for weight, _ in line]
    if not places:
        return ""

    def draw(axes: Axes) -> None:
        axes.set_title(title)
        axes.set_xlabel("ε of the free path")
        ends = []
        for k, (task, line) in enumerate(lines.items()):
            if line:
                colour = SERIES[k % len(SERIES)]
                axes.plot(*zip(*line, strict=True), "o-", color=colour, markersize=3.5)
                ends.append((line[-1][1], task, colour))
        log_axis(axes.xaxis, min(places) / 1.3, max(places) * 1.3)
        end_labels(axes, ends)

    return inline_svg(f"free-path-{key[:2]}", f"{title} by ε, for each task", draw, 310, 240)


def coverage(cells: Coverage) -> str:
    """Share of intervals that hold the truth, over the number of samples."""
    panels: list[str] = []
    for shape in SHAPES:
        for statistic in ("ρ, unit", "ρ, raw", "μ, unit"):
            lines = []
            for k, r in enumerate((0.0, 0.1, 0.5, 0.9)):
                values = tuple(
                    next(
                        (
                            c["covered"]
                            for c in cells.get(f"coherences, {shape}, {r}, {n}", ())
                            if c["statistic"] == statistic
                        ),
                        None,
                    )
                    for n in SIZES
                )
                lines.append(Line(f"r = {r:g}", values, SERIES[k]))
            panels.append(
                line_plot(
                    f"coverage-{len(panels)}",
                    f"{statistic.replace(', ', ' of ')} gradients, {shape.split(',')[0]}",
                    "pairs of gradients",
                    list(range(len(SIZES))),
                    lines,
                    unit="covered",
                    ticks=[str(n) for n in SIZES],
                    levels={"95 %": 0.95},
                    width=330,
                    height=230,
                )
            )
    return side_by_side(panels, 3)


FIGURES: dict[str, Callable[[Scores], str]] = {
    "areas": areas,
    "scatter": scatter,
    "metrics": metrics,
    "operating": operating,
    "free-path": free_path,
}
"""By the name of the file."""


def _lines(series: Mapping[str, Sequence[Sequence[float | None]]]) -> list[Line]:
    return [
        Line(
            name,
            tuple(v[0] for v in values),
            SERIES[k],
            low=tuple(v[1] for v in values),
            high=tuple(v[2] for v in values),
        )
        for k, (name, values) in enumerate(series.items())
    ]


def _statistic(value: Sequence[float | None] | None) -> Statistic | None:
    return None if value is None else Statistic(value[0], value[1], value[2])
