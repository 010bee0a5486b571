"""What LieConv costs between all pairs of samples and between the nearest ones.

SE(2), random samples spread at one density, 16 → 16 channels, forward and backward; the lists and
the steps, which all layers of a network share, apart. Each case in a process of its own.

    python benchmarks/lie_neighbourhoods.py [--rounds 5] [--most-dense 2048]

prints a table and writes benchmarks/results/lie_neighbourhoods.json.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import torch

try:
    from benchmarks.rounds import in_fresh_process, machine, peak_memory
except ModuleNotFoundError:  # Run as a script.
    from rounds import in_fresh_process, machine, peak_memory

from goldstone.groups import SpecialEuclideanGroup
from goldstone.nn import LieConv, nearest_elements, relative_logarithms

NEIGHBOURS = 32
SIZES = (256, 512, 1024, 2048, 4096, 8192)
RADIUS = 2.0
"""Beyond which no sample is a neighbour; it holds some 100 of them."""


def one(samples, kind, rounds):
    """Seconds of the parts and the peak of memory."""
    torch.set_num_threads(1)
    group, source = SpecialEuclideanGroup(2), torch.Generator().manual_seed(0)
    elements = group.sample(source, (1, samples))
    # One density for all sizes: 8 samples for each unit of area.
    side = (samples / 8) ** 0.5
    shifts = torch.rand(1, samples, 2, generator=source, dtype=torch.float64)
    elements[..., :2, 2] = side * (shifts - 0.5)
    features = torch.randn(1, samples, 16, generator=source, requires_grad=True)
    conv = LieConv(group, 16, 16, cutoff=RADIUS)
    before = peak_memory()
    start = time.process_time()
    near = None
    if kind == "nearest":
        near = nearest_elements(group, elements, count=NEIGHBOURS, radius=RADIUS)
    searched = time.process_time()
    steps = relative_logarithms(group, elements, neighbours=near).float()
    logged = time.process_time()
    times = []
    for _ in range(rounds):
        began = time.process_time()
        conv(features, steps, None, near).square().mean().backward()
        times.append(time.process_time() - began)
    return {
        "search": searched - start,
        "steps": logged - searched,
        "layer": statistics.median(times),
        "memory": (peak_memory() - before) / 2**20,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--most-dense", type=int, default=2048)
    parser.add_argument("--one", nargs=2)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(one(int(given.one[0]), given.one[1], given.rounds)))
        return
    found = {"machine": machine(), "neighbours": NEIGHBOURS, "cases": {}}
    print(f"{'samples':>8} {'kind':>8} {'search s':>9} {'steps s':>8} {'layer s':>8} {'MiB':>7}")
    for samples in SIZES:
        for kind in ("dense", "nearest"):
            if kind == "dense" and samples > given.most_dense:
                continue
            words = ("--rounds", given.rounds, "--one", samples, kind)
            case = json.loads(in_fresh_process(__file__, *words))
            found["cases"][f"{samples} {kind}"] = case
            print(
                f"{samples:>8} {kind:>8} {case['search']:9.3f} {case['steps']:8.3f} "
                f"{case['layer']:8.4f} {case['memory']:7.0f}",
                flush=True,
            )
    path = Path(__file__).parent / "results" / "lie_neighbourhoods.json"
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
