"""The figure of flow_emulators.py: errors against data, the price of D4 by flow, and the audits."""

from functools import partial
from math import exp, isnan, log

from benchmarks.flow_emulators_flows import KINDS, TESTED_STEPS
from benchmarks.flow_emulators_results import (
    NETWORKS,
    Cells,
    audits,
    cells,
    compared,
    errors,
    paired,
    sizes_of,
)
from benchmarks.flow_emulators_runs import ARMS, AUDIT, LARGEST
from benchmarks.study import Runs, figure, interval
from goldstone.report.marks import INK, SERIES
from goldstone.report.svg import Axes, log_axis

COLOURS = dict(zip(NETWORKS, SERIES, strict=False))
_FEWEST = 2
"""Seeds that make a point of a curve."""


def picture(runs: Runs) -> str:
    """Isotropic errors against data and ratios by flow; below them the audits of each flow."""
    found = cells(runs)
    still = runs.found["references, isotropic"]["persistence"]
    panels = [
        partial(_curves, found, "error", "one step", still["error"]),
        partial(_curves, found, "rollout", f"after {TESTED_STEPS} steps", still["rollout"]),
        partial(_ratios, found),
        *(partial(_audits, found, kind) for kind in KINDS),
    ]
    return figure("U-Nets on flows", panels, columns=3, width=400, height=330)


def _curves(found: Cells, key: str, title: str, still: float, axes: Axes) -> None:
    axes.set_title(f"Isotropic: {title}")
    sizes = sizes_of(found, "isotropic") or [LARGEST]
    ends = [still]
    for arm in ARMS:
        each = {
            n: list(errors(found, "isotropic", (arm.full_name,), n, key).values()) for n in sizes
        }
        points = {n: interval(values) for n, values in each.items() if len(values) >= _FEWEST}
        if not points:
            continue
        axes.errorbar(
            list(points), [mean for mean, _ in points.values()],
            [half for _, half in points.values()], color=COLOURS[arm.name], fmt="o",
            linestyle="-" if arm.longer == 1 else "--", markersize=4, linewidth=1.2,
            label="_" if arm.longer > 1 else arm.name,
        )  # fmt: skip
        ends += [mean for mean, _ in points.values()]
    axes.axhline(still, color=INK, linewidth=0.7, linestyle=":")
    axes.annotate("persistence", (sizes[-1], still), fontsize=8, va="bottom", ha="right")
    log_axis(axes.yaxis, min(ends) / 1.4, max(ends) * 2)
    axes.set_xlim(sizes[0] / 1.4, sizes[-1] * 1.4)
    axes.set_xscale("log", base=2)
    axes.set_xticks(sizes, [str(n) for n in sizes])
    axes.set_xlabel("trajectories learned from (dashed: 3× the steps)")
    axes.set_ylabel("relative error")
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=9, frameon=False, labelcolor=INK, loc="upper right", ncols=3)


def _ratios(found: Cells, axes: Axes) -> None:
    """Above 1, D4 pays."""
    axes.set_title(f"What D4 is worth: {LARGEST} trajectories")
    for row, kind in enumerate(KINDS):
        for column, network in enumerate(NETWORKS[:2]):
            for k, comparison in enumerate(("equal steps", "equal time")):
                arms, other = compared(comparison, network)
                one, own = (errors(found, kind, a, LARGEST) for a in (arms, (other,)))
                mean, half = interval([log(v) for v in paired(one, own)])
                if isnan(mean):
                    continue
                half = 0.0 if isnan(half) else half
                ends = [[exp(mean) - exp(mean - half)], [exp(mean + half) - exp(mean)]]
                axes.errorbar(
                    [exp(mean)], [row + 0.3 * column + 0.12 * k], xerr=ends, fmt="os"[k],
                    color=COLOURS[network], fillstyle=("full", "none")[k], markersize=5,
                    label=f"{network}, {comparison}" if row == 0 else "_",
                )  # fmt: skip
    axes.axvline(1.0, color=INK, linewidth=0.7, linestyle=":")
    axes.set_yticks([row + 0.2 for row in range(len(KINDS))], [k.capitalize() for k in KINDS])
    axes.set_ylim(len(KINDS), -0.9)
    axes.set_xlabel("error over the equivariant one's (above 1: it pays)")
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=8.5, frameon=False, labelcolor=INK, loc="upper center", ncols=2)


def _audits(found: Cells, kind: str, axes: Axes) -> None:
    axes.set_title(f"{kind.capitalize()}: audits of every g")
    for network in NETWORKS:
        points = [
            (element["T"][0], element["rho"][0])
            for audit in audits(found, kind, network)
            for element in audit["elements"].values()
            if element["rho"][0] is not None
        ]
        if points:
            axes.plot(
                *zip(*points, strict=True), "o", color=COLOURS[network], alpha=0.5,
                markersize=3.5, fillstyle="none", label=network,
            )  # fmt: skip
    for line, threshold in (
        (axes.axvline, AUDIT.log_tolerance),
        (axes.axhline, AUDIT.least_coherence),
    ):
        line(threshold, color=INK, linewidth=0.7, linestyle=":")
    low, high = axes.get_xlim()
    axes.set_xlim(min(low, -0.15), max(high, 0.15))
    axes.set_xlabel("T, log ratio of losses (left of the line: holds)")
    axes.set_ylabel("ρ, orbit coherence (above: transports)")
    axes.set_ylim(-0.4, 1.15)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=9, frameon=False, labelcolor=INK, loc="center right")
