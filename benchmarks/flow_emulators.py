"""Equivariant, augmented and plain U-Nets on isotropic and anisotropic flows, trained and audited.

Navier–Stokes on a periodic 16×16 grid. The law commutes with all of D4. Isotropic turbulence shows
it in all poses; of anisotropic turbulence, whose eddies are stretched along the second axis, only
the half turn and the reflections of the axes leave the distribution as it is, and quarter turns are
never seen.

- plain: a U-Net;
- augmented: the same on every trajectory in all eight poses, in as many steps;
- augmented 3×: the same with three times the steps, which takes at least as long as
- equivariant: a U-Net of D4-steerable convolutions, of as many parameters (within a tenth).

All but that one are trained for the same 256 steps of 16 pairs, by :func:`train_next_step`, on 8,
32 or 128 trajectories of four steps; nothing is tuned to one of them, and there is no early
stopping. Measured on 48 other trajectories, as they are and in random poses of D4: the relative
error ‖f(x) − y‖/‖y‖ one step later and after eight, and the audit: T(r), ρ(r), and whether D4 holds
and transports.

    python -m benchmarks.flow_emulators [--quick] [--work FOLDER]

Goes on after an interruption at any moment, from results/flow_emulators.json and from the training
runs in FOLDER. One thread, about twenty minutes.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from math import isnan
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.rounds import interleaved, medians, ratios
from benchmarks.rounds import shown as shown_ratio
from benchmarks.study import RESULTS, Runs, figure, interval, shown, table, write_text
from goldstone.actions import NAVIER_STOKES_FIELDS, flow_symmetry
from goldstone.auditing import AuditSettings, audit
from goldstone.core import generator
from goldstone.nn import OrbitAugmentation
from goldstone.report.marks import INK, SERIES
from goldstone.report.svg import Axes, log_axis
from goldstone.systems.emulators import EmulatorConfig, build_emulator, count_parameters
from goldstone.systems.flows import NavierStokes2d, Trajectories, anisotropic_turbulence
from goldstone.training import TrainingConfig, train_next_step

GRID, DT = (16, 16), 0.1
LEARNED_STEPS, TESTED_STEPS, TESTED = 4, 8, 48
LAW = NavierStokes2d(viscosity=2e-3)
ELONGATION = {"isotropic": 1.0, "anisotropic": 2.0}
SIZES = (8, 32, 128)
SEEDS, STEPS, BATCH, RATE = 3, 256, 16, 2e-3
UNET = EmulatorConfig(
    "unet",
    NAVIER_STOKES_FIELDS,
    GRID,
    {"base_channels": 8, "stages": 1, "blocks_per_stage": 1, "attention": False},
)
STEERABLE = EmulatorConfig("equivariant", NAVIER_STOKES_FIELDS, GRID, {"copies": 3, "stages": 1})
ARCHITECTURES = {"plain": UNET, "augmented": UNET, "augmented 3×": UNET, "equivariant": STEERABLE}
LONGER = {"augmented 3×": 3}
"""By name: how many times the steps, so that it takes at least as long as the equivariant one."""
COLOURS = dict(zip(ARCHITECTURES, SERIES, strict=False))
AUDIT = AuditSettings(
    trajectories=32,
    samples=12,
    metrics=("euclidean",),
    bootstrap=500,
    permutations=500,
    rollout_steps=0,
)
SYMMETRY = flow_symmetry("d4", NAVIER_STOKES_FIELDS, GRID)


def flows(kind: str, number: int, steps: int, seed: int) -> Trajectories:
    """Trajectories from turbulence with the spectrum's peak at two waves a side."""
    state = anisotropic_turbulence(
        number, GRID, seed, peak=2.0, elongation=ELONGATION[kind], rms_velocity=1.0
    )
    fields = [state]
    for _ in range(steps):
        fields.append(LAW.advance(fields[-1], DT))
    return Trajectories(
        torch.stack(fields, 1),
        NAVIER_STOKES_FIELDS,
        DT,
        LAW.lengths,
        LAW.system,
        LAW.parameters,
        f"{kind}-turbulence",
        seed,
    )


@cache
def held_out(kind: str) -> Trajectories:
    """The same for all models."""
    return flows(kind, TESTED, TESTED_STEPS, 10_000)


def moved(data: Trajectories, elements: Tensor) -> Trajectories:
    """Every trajectory moved by an element of its own, as a whole."""
    each = elements.repeat_interleave(data.steps + 1, 0)
    fields: Any = OrbitAugmentation(SYMMETRY).move(each, data.fields.flatten(0, 1))
    return replace(data, fields=fields.reshape(data.fields.shape))


def in_all_poses(data: Trajectories) -> Trajectories:
    """All trajectories in the eight poses of D4."""
    group = SYMMETRY.group
    whole = group.tensor(group.elements())
    fields = [moved(data, g.expand(len(data), *g.shape)).fields for g in whole]
    return replace(data, fields=torch.cat(fields))


def in_random_poses(data: Trajectories) -> Trajectories:
    """Each trajectory in one pose, the same at every call."""
    rng = generator(0, "poses")
    return moved(data, OrbitAugmentation(SYMMETRY).draw(len(data), rng))


@torch.no_grad()
def relative_errors(model: nn.Module, data: Trajectories) -> tuple[float, float]:
    """Mean ‖f(x) − y‖/‖y‖ one step later, over all steps, and of a rollout at its last step."""
    x, y, _ = data.transitions()
    one = _relative(model(x), y)
    state = data.fields[:, 0]
    for _ in range(data.steps):
        state = model(state)
    return one, _relative(state, data.fields[:, -1])


def _relative(found: Tensor, true: Tensor) -> float:
    wrong, size = (v.flatten(1).norm(dim=1) for v in (found - true, true))
    return float((wrong / size).mean())


def audited(model: nn.Module, kind: str) -> dict[str, Any]:
    """What the audit says of D4, and T and ρ of each element with their intervals."""
    found = audit(model, held_out(kind), SYMMETRY, ground_truth=LAW, settings=AUDIT)
    tested = [e for e in found.elements if e.name != "e"]

    def values(statistic: Any) -> list[float | None]:
        return [statistic.estimate, statistic.low, statistic.high]

    return {
        "holds": found.verdict.holds.answer,
        "transports": found.verdict.transports.answer,
        "has_skill": found.model.has_skill,
        "elements": {
            e.name: {
                "T": values(e.log_loss_ratio),
                "rho": values(e.orbit_coherence["euclidean"]),
                "error": values(e.equivariance_error),
                "holds": e.holds,
                "transports": e.transports,
            }
            for e in tested
        },
    }


def measured(
    kind: str, name: str, size: int, seed: int, steps: int, largest: int, work: Path
) -> dict[str, Any]:
    """Train one model, or go on with it, and measure it."""
    data = flows(kind, largest, LEARNED_STEPS, seed).select(slice(size))
    if name.startswith("augmented"):
        data = in_all_poses(data)
    pairs = len(data) * data.steps
    epochs = max(1, round(steps / -(-pairs // BATCH)))
    settings = TrainingConfig(
        epochs=epochs, batch_size=BATCH, learning_rate=RATE, seed=seed, checkpoint_every=epochs
    )
    folder = work / f"{kind}-{name}-{size}-{seed}-{steps}"
    start = time.perf_counter()
    trained = train_next_step(ARCHITECTURES[name], settings, data, folder)
    seconds = time.perf_counter() - start
    model = trained.emulator.eval()
    test = held_out(kind)
    one, far = relative_errors(model, test)
    posed_one, posed_far = relative_errors(model, in_random_poses(test))
    return {
        "error": one,
        "rollout": far,
        "posed_error": posed_one,
        "posed_rollout": posed_far,
        "training_loss": trained.history.epochs[-1].train_loss,
        "steps": epochs * -(-pairs // BATCH),
        "parameters": count_parameters(model),
        "seconds": seconds,
        "audit": audited(model, kind),
    }


def cost_of_a_step(rounds: int = 60) -> dict[str, Any]:
    """CPU seconds of a training step by network, in interleaved rounds, and their ratio."""
    x = torch.randn(BATCH, 2, *GRID, generator=generator(0, "inputs"))

    def step(model: nn.Module, optimiser: torch.optim.Optimizer) -> None:
        optimiser.zero_grad()
        model(x).square().mean().backward()
        optimiser.step()

    works = {}
    for name in ("plain", "equivariant"):
        model = build_emulator(ARCHITECTURES[name])
        works[name] = partial(step, model, torch.optim.AdamW(model.parameters(), 0.0))
    times, _ = interleaved(works, rounds)
    ratio = ratios(times, "plain")["cpu"]["equivariant"]
    return {"cpu": medians(times)["cpu"], "ratio": ratio}


def persistence(kind: str) -> dict[str, float]:
    """The errors of "nothing changes"."""
    one, far = relative_errors(nn.Identity(), held_out(kind))
    return {"error": one, "rollout": far}


def study(
    runs: Runs, work: Path, *, sizes: Sequence[int] = SIZES, seeds: int = SEEDS, steps: int = STEPS
) -> None:
    """Run what is not there yet, seed by seed."""
    runs.get("cost of a step", {}, cost_of_a_step)
    for kind in ELONGATION:
        runs.get(f"persistence, {kind}", {}, partial(persistence, kind))
    for seed in range(seeds):
        for size in sizes:
            for kind in ELONGATION:
                for name, config in ARCHITECTURES.items():
                    taken = round(steps * LONGER.get(name, 1))
                    runs.get(
                        f"{kind}, {name}, {size} trajectories, seed {seed}",
                        {"steps": taken, "rate": RATE, "network": dict(config.arguments)},
                        partial(measured, kind, name, size, seed, taken, max(sizes), work),
                    )


def found_runs(runs: Runs, kind: str, name: str, size: int) -> Iterator[dict[str, Any]]:
    """The seeds of one cell."""
    start = f"{kind}, {name}, {size} trajectories,"
    return (run for key, run in runs.found.items() if key.startswith(start))


def sizes_of(runs: Runs) -> list[int]:
    """Numbers of trajectories that were run."""
    keys = (key.split(", ") for key in runs.found)
    return sorted({int(parts[2].split()[0]) for parts in keys if len(parts) == 4})


def page(runs: Runs) -> str:
    """The tables."""
    lines = ["# Flow emulators", ""]
    lines += [
        (
            "Written by `python -m benchmarks.flow_emulators`, which says what is measured. "
            "Mean ± 95 % interval over seeds; the ratio is of pairs of one seed."
        ),
        "",
    ]
    done = sum("audit" in run for run in runs.found.values())
    planned = SEEDS * len(SIZES) * len(ELONGATION) * len(ARCHITECTURES)
    if done < planned:
        lines += [f"Not finished: {done} of {planned} runs ({SEEDS} seeds).", ""]
    cost = runs.found["cost of a step"]
    one, other = (1000 * cost["cpu"][name] for name in ("plain", "equivariant"))
    lines += [
        (
            f"A training step of 16 samples: plain {one:.1f} ms, equivariant {other:.1f} ms of one "
            f"core, {shown_ratio(cost['ratio'])} times as much."
        ),
        "",
    ]
    for kind in ELONGATION:
        still = runs.found[f"persistence, {kind}"]
        lines += [f"## {kind.capitalize()} turbulence", ""]
        lines += [
            (
                f"Persistence: {still['error']:.3f} one step later, {still['rollout']:.3f} after "
                f"{TESTED_STEPS} steps. T and ρ of the quarter turn r; answers for D4, a seed each."
            ),
            "",
        ]
        rows = []
        for size in sizes_of(runs):
            for name in ARCHITECTURES:
                some = list(found_runs(runs, kind, name, size))
                if some:
                    against = list(found_runs(runs, kind, "equivariant", size))
                    rows.append([str(size), name, *_row(some, against)])
        head = [
            "trajectories",
            "U-Net",
            "parameters",
            "steps",
            "seeds",
            "error",
            "error / equivariant",
            "rollout",
            "error, random poses",
        ]
        head += ["rollout, random poses", "T(r)", "ρ(r)", "holds", "transports"]
        lines += [*table(head, rows), ""]
    return "\n".join(lines)


def _row(some: Sequence[dict[str, Any]], against: Sequence[dict[str, Any]]) -> list[str]:
    keys = ("error", "rollout", "posed_error", "posed_rollout")
    turn = [run["audit"]["elements"]["r"] for run in some]
    # Runs are in the order of their seeds: pairs have learned from the same trajectories.
    ratio = [a["error"] / b["error"] for a, b in zip(some, against, strict=False)]
    return [
        *(str(some[0][k]) for k in ("parameters", "steps")),
        str(len(some)),
        *(shown([run[k] for run in some]) for k in keys[:1]),
        shown(ratio),
        *(shown([run[k] for run in some]) for k in keys[1:]),
        *(shown([t[k][0] for t in turn]) for k in ("T", "rho")),
        *(", ".join(run["audit"][axis] for run in some) for axis in ("holds", "transports")),
    ]


def picture(runs: Runs) -> str:
    """A row of panels for each flow: error, rollout in random poses, and what the audit says."""
    sizes = sizes_of(runs)

    def errors(kind: str, key: str, title: str, axes: Axes) -> None:
        axes.set_title(title)
        still = runs.found[f"persistence, {kind}"][key]
        ends = [still]
        for name, colour in COLOURS.items():
            for posed, style in (("", "-"), ("posed_", "--")):
                values = [
                    interval([run[posed + key] for run in found_runs(runs, kind, name, size)])
                    for size in sizes
                ]
                label = "_" if posed else name
                axes.errorbar(
                    sizes, [v[0] for v in values], [v[1] for v in values], color=colour,
                    fmt="o", linestyle=style, label=label, markersize=4, linewidth=1.2,
                )  # fmt: skip
                ends += [v[0] for v in values if not isnan(v[0])]
        axes.axhline(still, color=INK, linewidth=0.7, linestyle=":")
        axes.annotate("persistence", (sizes[0], still), fontsize=8, va="bottom")
        log_axis(axes.yaxis, min(ends) / 1.4, max(ends) * 2)
        axes.set_xlim(sizes[0] / 1.4, sizes[-1] * 1.4)
        axes.set_xscale("log", base=2)
        axes.set_xticks(sizes, [str(n) for n in sizes])
        axes.set_xlabel("trajectories learned from (dashed: random poses)")
        axes.set_ylabel("relative error")
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize=9, frameon=False, labelcolor=INK, loc="upper right", ncols=2)

    def audit_of(kind: str, axes: Axes) -> None:
        axes.set_title("Audit: every g of D4, every seed")
        marks = ("v", "s", "o")
        for name, colour in COLOURS.items():
            for size, mark in zip(sizes, marks, strict=False):
                points = [
                    (e["T"][0], e["rho"][0])
                    for run in found_runs(runs, kind, name, size)
                    for e in run["audit"]["elements"].values()
                ]
                if not points:
                    continue
                axes.plot(*zip(*points, strict=True), mark, color=colour, alpha=0.6,
                          markersize=4, fillstyle="none", label=f"{name}, {size}")  # fmt: skip
        axes.set_xlabel("T, log ratio of losses (0: holds)")
        axes.set_ylabel("ρ, orbit coherence (1: transports)")
        axes.set_ylim(-0.3, 1.08)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize=8, frameon=False, labelcolor=INK)

    panels = []
    for kind in ELONGATION:
        panels += [
            partial(errors, kind, "error", f"{kind.capitalize()}: one step"),
            partial(errors, kind, "rollout", f"{kind.capitalize()}: after {TESTED_STEPS} steps"),
            partial(audit_of, kind),
        ]
    return figure("U-Nets on flows", panels, columns=3, width=400, height=330)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that it runs")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    parser.add_argument("--work", type=Path, default=Path("out/flow_emulators"))
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    runs = Runs(given.out / "flow_emulators.json")
    if given.quick:
        study(runs, given.work, sizes=(8,), seeds=1, steps=4)
    else:
        study(runs, given.work, seeds=given.seeds)
    write_text(given.out / "flow_emulators.md", page(runs))
    write_text(given.out / "flow_emulators.svg", picture(runs))
    print(page(runs))


if __name__ == "__main__":
    main()
