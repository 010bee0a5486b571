"""What the audit's gradients cost beside a loop that takes the same gradients and drops them.

Both run in this process, in interleaved rounds, on the same model and samples:

- *loop*: ``torch.autograd.grad`` of each sample's loss, the result discarded: the floor;
- *rows*: ``goldstone.curvature.per_sample_gradients``, which keeps them as rows of a matrix;
- *products*: float64 inner products of those rows with themselves and with a second set, what one
  group element adds.

    python benchmarks/gradient_cost.py [--rounds 15] [--only NAME]

prints medians of the paired ratios to the loop with 95 % intervals, in processor time and on the
wall clock, one thread. Writes benchmarks/results/gradient_cost.json and .md. Exits with 1 where
rows/loop, in processor time, is over 1.15.
"""

import argparse
import json
import platform
import sys
from pathlib import Path

import torch
from rounds import interleaved, machine, medians, ratios, shown

from goldstone.actions import EULER_FIELDS, NAVIER_STOKES_FIELDS
from goldstone.curvature import inner_products, per_sample_gradients, trainable_parameters
from goldstone.systems.emulators import EmulatorConfig, build_emulator, count_parameters
from goldstone.systems.losses import scaled_mse

BOUND = 1.15
GRID = 64
U_NET = {"stages": 2, "blocks_per_stage": 1, "attention": False}
MODELS = {  # name: (layout, architecture, arguments, samples)
    "U-Net": (NAVIER_STOKES_FIELDS, "unet", U_NET | {"base_channels": 12}, 16),
    "U-Net with attention": (
        EULER_FIELDS,
        "unet",
        U_NET | {"base_channels": 24, "attention": True},
        16,
    ),
    "wide U-Net": (EULER_FIELDS, "unet", U_NET | {"base_channels": 78}, 6),
    "vision transformer": (EULER_FIELDS, "vit", {}, 16),
}


def measure(layout, architecture, arguments, samples, rounds):
    config = EmulatorConfig(architecture, layout, (GRID, GRID), arguments)
    model = build_emulator(config, seed=0).eval()
    source = torch.Generator().manual_seed(0)
    shape = (samples, layout.channels, GRID, GRID)
    inputs, targets = (torch.randn(shape, generator=source) for _ in range(2))
    parameters = tuple(trainable_parameters(model).values())

    def loop():
        for i in range(samples):
            value = scaled_mse(model(inputs[i : i + 1]), targets[i : i + 1]).sum()
            torch.autograd.grad(value, parameters)

    def rows():
        return per_sample_gradients(
            model, lambda out, i: scaled_mse(out, targets[i : i + 1]).sum(), inputs
        )

    kept = rows()
    other = kept.flip(0).contiguous()

    def products():
        return inner_products(kept), inner_products(kept, other)

    times, _ = interleaved({"loop": loop, "rows": rows, "products": products}, rounds)
    return {
        "parameters": count_parameters(model),
        "samples": samples,
        "grid": GRID,
        "rounds": rounds,
        "seconds": medians(times),
        "ratio_to_loop": ratios(times, "loop"),
    }


def table(models):
    columns = ("model", "parameters", "loop, a gradient", "rows/loop, processor")
    columns += ("rows/loop, wall", "products/loop, processor")
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for name, found in models.items():
        cpu, wall = (found["ratio_to_loop"][kind] for kind in ("cpu", "wall"))
        one = 1e3 * found["seconds"]["cpu"]["loop"] / found["samples"]
        lines.append(
            f"| {name} | {found['parameters']:,} | {one:.1f} ms | {shown(cpu['rows'])} | "
            f"{shown(wall['rows'])} | {shown(cpu['products'], 2)} |"
        )
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", choices=MODELS, help="one model; writes no files")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    found = {"torch": torch.__version__, "python": platform.python_version(), "threads": 1}
    found |= {"bound": BOUND, "before": machine(), "models": {}}
    for name in [chosen.only] if chosen.only else MODELS:
        found["models"][name] = measure(*MODELS[name], chosen.rounds)
        print(name, file=sys.stderr)
    found["after"] = machine()
    text = table(found["models"])
    print(text)
    missed = [
        name
        for name, model in found["models"].items()
        if model["ratio_to_loop"]["cpu"]["rows"]["median"] > BOUND
    ]
    verdict = f"over {BOUND}: {', '.join(missed)}" if missed else f"all rows/loop within {BOUND}"
    print(verdict)
    if not chosen.only:
        folder = Path(__file__).parent / "results"
        folder.mkdir(exist_ok=True)
        (folder / "gradient_cost.json").write_text(json.dumps(found, indent=1) + "\n")
        heading = f"# {__doc__.splitlines()[0]}\n\nOne thread, load {found['after']['load'][0]} "
        heading += f"on {found['after']['cores']} cores, torch {found['torch']}; {verdict}.\n\n"
        (folder / "gradient_cost.md").write_text(heading + text + "\n")
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
