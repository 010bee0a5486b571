"""What the audit's gradients cost beside a loop that takes the same gradients and drops them.

Both run in this process, in interleaved rounds, on the same U-Net and samples:

- *loop*: ``torch.autograd.grad`` of each sample's loss, the result discarded: the floor.
- *rows*: ``goldstone.curvature.per_sample_gradients``, which keeps them as rows of a matrix.
- *Gram*: the inner products of those rows with themselves, budgeted separately.

    python benchmarks/gradient_cost.py [--rounds 12] [--samples 16] [--grid 64]

prints the median times and ratios and writes them to benchmarks/results/gradient_cost.json.
"""

import argparse
import json
import platform
import statistics
import time
from pathlib import Path

import torch

from goldstone.actions import EULER_FIELDS, NAVIER_STOKES_FIELDS
from goldstone.curvature import per_sample_gradients, trainable_parameters
from goldstone.systems.emulators import EmulatorConfig, build_emulator, count_parameters
from goldstone.systems.losses import scaled_mse

MODELS = {
    "unet, demo size": (
        NAVIER_STOKES_FIELDS,
        {"base_channels": 12, "stages": 2, "blocks_per_stage": 1, "attention": False},
    ),
    "unet, half a million parameters": (
        EULER_FIELDS,
        {"base_channels": 24, "stages": 2, "blocks_per_stage": 1, "attention": True},
    ),
}


def measure(layout, arguments, grid, samples, rounds):
    model = build_emulator(EmulatorConfig("unet", layout, (grid, grid), arguments), seed=0).eval()
    source = torch.Generator().manual_seed(0)
    shape = (samples, layout.channels, grid, grid)
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

    def timed(work):
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    kept = rows()
    loop()
    times = {"loop": [], "rows": [], "gram": []}
    for k in range(rounds):
        # The order alternates, so that a drift of the machine's speed favours neither.
        order = (("loop", loop), ("rows", rows)) if k % 2 else (("rows", rows), ("loop", loop))
        for name, work in order:
            times[name].append(timed(work))
        times["gram"].append(timed(lambda: kept @ kept.T))
    ratios = [r / f for r, f in zip(times["rows"], times["loop"], strict=True)]
    medians = {name: statistics.median(values) for name, values in times.items()}
    return {
        "parameters": count_parameters(model),
        "samples": samples,
        "grid": grid,
        "rounds": rounds,
        "seconds_loop": medians["loop"],
        "seconds_rows": medians["rows"],
        "seconds_gram": medians["gram"],
        "ratio": statistics.median(ratios),
        "ratio_quartiles": statistics.quantiles(ratios, n=4)[::2],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--samples", type=int, default=16)
    parser.add_argument("--grid", type=int, default=64)
    chosen = parser.parse_args()
    found = {
        "torch": torch.__version__,
        "python": platform.python_version(),
        "threads": torch.get_num_threads(),
        "models": {},
    }
    for name, (layout, arguments) in MODELS.items():
        result = measure(layout, arguments, chosen.grid, chosen.samples, chosen.rounds)
        found["models"][name] = result
        low, high = result["ratio_quartiles"]
        print(
            f"{name} ({result['parameters']:,} parameters): loop {result['seconds_loop']:.3f} s, "
            f"rows {result['seconds_rows']:.3f} s, Gram {result['seconds_gram']:.4f} s; "
            f"rows/loop {result['ratio']:.3f} (quartiles {low:.3f} to {high:.3f})"
        )
    path = Path(__file__).parent / "results" / "gradient_cost.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
