"""What a whole audit costs beside the gradients and forward passes that it must take.

    python benchmarks/audit_cost.py [--rounds 5] [--grid 48] [--profile]

Audits a briefly trained U-Net under D4 with default settings on simulated Navier–Stokes flows, with
one thread: forward tests alone, with gradients in the Euclidean metric, and with the default
metrics. The floor of each is counted by a hook on the model: samples evaluated without gradients,
times a naive forward pass (batches as the audit's), and gradients, times a naive
``autograd.grad``; both are timed in the same rounds. The samples that forward-mode derivatives
evaluate are counted as forward passes of the default metrics, three of them each: a tangent costs
two.

Prints, in processor time, medians of each stage and paired ratios to the floor with 95 % intervals;
writes benchmarks/results/audit_cost.json and .md. ``--profile`` prints the functions that take most
time of a default audit, and no more.
"""

import argparse
import cProfile
import json
import platform
import pstats
import statistics
import sys
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import torch
from rounds import interleaved, machine, ratio, shown

from goldstone import AuditSettings, audit
from goldstone.auditing import clock
from goldstone.systems.emulators import EmulatorConfig, build_emulator, count_parameters
from goldstone.systems.flows import NavierStokes2d, simulate
from goldstone.systems.losses import scaled_mse

ARGUMENTS = {"base_channels": 12, "stages": 2, "blocks_per_stage": 1, "attention": False}
SETTINGS = {
    "forward tests": AuditSettings(metrics=()),
    "Euclidean": AuditSettings(metrics=("euclidean",)),
    "default": AuditSettings(),
}
TANGENT = 3
"""Forward passes that one forward-mode derivative counts for."""


def flows(grid):
    """As many as a default audit looks at."""
    return simulate(
        NavierStokes2d(viscosity=2e-3),
        "anisotropic-turbulence",
        trajectories=72,
        steps=9,
        grid=(grid, grid),
        dt=0.1,
        seed=0,
    )


def trained(data):
    """A few steps: the cost does not depend on how good the model is."""
    config = EmulatorConfig("unet", data.layout, data.grid, ARGUMENTS)
    model = build_emulator(config, seed=0)
    states, following = data.fields[:, :-1].flatten(0, 1), data.fields[:, 1:].flatten(0, 1)
    model.fit(states, following)
    optimiser = torch.optim.Adam(model.parameters(), 2e-3)
    for k in range(60):
        part = slice(8 * k % len(states), 8 * k % len(states) + 8)
        optimiser.zero_grad()
        scaled_mse(model(states[part]), following[part]).mean().backward()
        optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    return model.eval(), states, following


def counted(model, data, settings):
    """Samples that an audit evaluates without gradients, and with."""
    found = Counter()

    def hook(_, inputs):
        found["gradients" if torch.is_grad_enabled() else "forward"] += len(inputs[0])

    handle = model.register_forward_pre_hook(hook)
    try:
        audit(model, data, "D4", settings=settings)
    finally:
        handle.remove()
    return found


def measure(grid, rounds):
    data = flows(grid)
    model, states, following = trained(data)
    batch = AuditSettings().batch
    parameters = tuple(model.parameters())

    def forward_passes():
        with torch.no_grad():
            for i in range(0, 4 * batch, batch):
                model(states[i : i + batch])

    def gradients():
        for i in range(16):
            value = scaled_mse(model(states[i : i + 1]), following[i : i + 1]).sum()
            torch.autograd.grad(value, parameters)

    works = {"forward passes": forward_passes, "gradients": gradients}
    works |= {n: lambda s=s: audit(model, data, "D4", settings=s) for n, s in SETTINGS.items()}
    counts = {name: counted(model, data, s) for name, s in SETTINGS.items()}
    # Stages in processor time too: the machine may be shared.
    clock.time = SimpleNamespace(perf_counter=time.process_time)
    stages = {name: [] for name in SETTINGS}
    for name in SETTINGS:
        work = works[name]
        works[name] = lambda work=work, name=name: stages[name].append(
            dict(work().provenance.seconds)
        )
    times, _ = interleaved(works, rounds, warm_up=False)
    one_pass = [t / (4 * batch) for t in times["cpu"]["forward passes"]]
    one_gradient = [t / 16 for t in times["cpu"]["gradients"]]
    plain = counts["Euclidean"]["forward"]
    found = {}
    for name, count in counts.items():
        tangents = count["forward"] - plain if name == "default" else 0
        passes = count["forward"] + (TANGENT - 1) * tangents
        floor = [
            passes * f + count["gradients"] * g for f, g in zip(one_pass, one_gradient, strict=True)
        ]
        seconds = {
            stage: statistics.median(of[stage] for of in stages[name]) for stage in stages[name][0]
        }
        total = statistics.median(times["cpu"][name])
        found[name] = {
            "forward passes": count["forward"] - tangents,
            "gradients": count["gradients"],
            "derivatives, samples": tangents,
            "seconds": total,
            "stages": seconds | {"rest": total - sum(seconds.values())},
            "floor": statistics.median(floor),
            "ratio": ratio(times["cpu"][name], floor),
        }
    return {
        "parameters": count_parameters(model),
        "grid": grid,
        "rounds": rounds,
        "forward pass": statistics.median(one_pass),
        "gradient": statistics.median(one_gradient),
        "audits": found,
    }


def table(found):
    names = list(next(iter(found["audits"].values()))["stages"])
    names = [n for n in ("precheck", "forward", "gradients", "controls", "rest") if n in names]
    every = ("precheck", "forward", "gradients", "controls", "rest")
    columns = ("audit", "passes", "gradients", "derivatives × samples", "seconds", "× floor")
    lines = [f"| {' | '.join(columns + every)} |", "|---" * (len(columns) + len(every)) + "|"]
    for name, a in found["audits"].items():
        cells = [name, a["forward passes"], a["gradients"], a["derivatives, samples"]]
        cells += [f"{a['seconds']:.2f}", shown(a["ratio"])]
        cells += [f"{a['stages'][s]:.2f}" if s in a["stages"] else "" for s in every]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def profile(grid):
    data = flows(grid)
    model, _, _ = trained(data)
    audit(model, data, "D4")
    watch = cProfile.Profile()
    watch.runcall(audit, model, data, "D4")
    pstats.Stats(watch).sort_stats("cumulative").print_stats("goldstone", 60)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--grid", type=int, default=48)
    parser.add_argument("--profile", action="store_true")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    if chosen.profile:
        profile(chosen.grid)
        sys.exit()
    facts = {"torch": torch.__version__, "python": platform.python_version(), "threads": 1}
    facts |= measure(chosen.grid, chosen.rounds) | {"machine": machine()}
    text = (
        f"# {__doc__.splitlines()[0]}\n\nU-Net of {facts['parameters']:,} parameters on "
        f"{facts['grid']}×{facts['grid']} fields, D4, default settings; seconds of the processor, "
        f"medians of {facts['rounds']} interleaved rounds, one thread, load "
        f"{facts['machine']['load'][0]} on {facts['machine']['cores']} cores. A forward pass takes "
        f"{1e3 * facts['forward pass']:.2f} ms a sample, a gradient "
        f"{1e3 * facts['gradient']:.2f} ms.\n\n{table(facts)}\n"
    )
    print(text)
    folder = Path(__file__).parent / "results"
    folder.mkdir(exist_ok=True)
    (folder / "audit_cost.json").write_text(json.dumps(facts, indent=1) + "\n")
    (folder / "audit_cost.md").write_text(text)


if __name__ == "__main__":
    main()
