"""The figure of flow_emulators.py: for each kind of flow, errors against data, and the audits."""

from functools import partial
from math import isnan

from benchmarks.flow_emulators_flows import KINDS, TESTED_STEPS
from benchmarks.flow_emulators_results import NETWORKS, Cells, audits, cells, sizes_of
from benchmarks.flow_emulators_runs import ARMS, PLAN
from benchmarks.study import Runs, figure, interval
from goldstone.report.marks import INK, SERIES
from goldstone.report.svg import Axes, log_axis

COLOURS = dict(zip(NETWORKS, SERIES, strict=False))


def picture(runs: Runs) -> str:
    """A row of panels for each kind of flow."""
    found = cells(runs)
    panels = []
    for kind in KINDS:
        known = runs.found[f"references, {kind}"]
        for key, title in (("error", "one step"), ("rollout", f"after {TESTED_STEPS} steps")):
            levels = {name: known[name][key] for name in ("persistence", "averaged law")}
            levels = {name: level for name, level in levels.items() if level > 1e-3}
            panels.append(partial(_errors, found, kind, key, title, levels))
        panels.append(partial(_audits, found, kind))
    return figure("U-Nets on flows", panels, columns=3, width=400, height=330)


def _errors(
    found: Cells, kind: str, key: str, title: str, levels: dict[str, float], axes: Axes
) -> None:
    axes.set_title(f"{kind.capitalize()}: {title}")
    sizes = sizes_of(found, kind) or list(PLAN[kind])
    ends = list(levels.values())
    for arm in ARMS:
        here = [n for n in sizes if (kind, arm.full_name, n) in found]
        if not here:
            continue
        values = [
            interval([run[key] for run in found[kind, arm.full_name, n].values()]) for n in here
        ]
        halves = [0.0 if isnan(half) else half for _, half in values]
        axes.errorbar(
            here, [mean for mean, _ in values], halves, color=COLOURS[arm.name], fmt="o",
            linestyle="-" if arm.longer == 1 else "--", markersize=4, linewidth=1.2,
            label="_" if arm.longer > 1 else arm.name,
        )  # fmt: skip
        ends += [mean for mean, _ in values]
    for name, level in levels.items():
        axes.axhline(level, color=INK, linewidth=0.7, linestyle=":")
        axes.annotate(name, (sizes[-1], level), fontsize=8, va="bottom", ha="right")
    log_axis(axes.yaxis, min(ends) / 1.4, max(ends) * 2)
    axes.set_xlim(sizes[0] / 1.4, sizes[-1] * 1.4)
    axes.set_xscale("log", base=2)
    axes.set_xticks(sizes, [str(n) for n in sizes])
    axes.set_xlabel("trajectories learned from (dashed: 3× the steps)")
    axes.set_ylabel("relative error")
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=9, frameon=False, labelcolor=INK, loc="upper right", ncols=3)


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
    axes.set_xlabel("T, log ratio of losses (0: holds)")
    axes.set_ylabel("ρ, orbit coherence (1: transports)")
    axes.set_ylim(-0.4, 1.15)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=9, frameon=False, labelcolor=INK, loc="center right")
