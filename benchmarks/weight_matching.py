"""What weight matching costs, and how it does beside the package ``rebasin``.

    python benchmarks/weight_matching.py [--rebasin PYTHON] [--threads 2]

PYTHON is the interpreter of an environment in which rebasin is installed; without it its column
stays empty. Every measurement is a process of its own. Bounds: two ResNet-20s in 10 s, two
transformers of 12 layers and width 256 in 60 s, search for symmetries included; memory beyond the
two models at most 3 times theirs. Large pages of freed memory are given back
(MALLOC_MMAP_THRESHOLD_), so that the peak is that of live tensors. On one MLP and one CNN, each
trained twice on scikit-learn's digits, the barrier of the test loss before and after.

Writes benchmarks/results/weight_matching.json and .md. Exits with 1 where a bound is missed.
"""

import argparse
import copy
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from weight_matching_networks import digits_cnn, digits_mlp  # noqa: E402

BOUNDS = {"resnet20": 10.0, "transformer": 60.0}
TIMES_THE_MODELS = 3.0
NETWORKS = {"mlp": digits_mlp, "cnn": digits_cnn}
LIBRARIES = ("goldstone", "goldstone, all", "rebasin")


def run(python, threads, *words):
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": str(threads),
        "MALLOC_MMAP_THRESHOLD_": "131072",
        "PYTHONWARNINGS": "ignore",
    }
    done = subprocess.run(
        [python, str(HERE / "weight_matching_worker.py"), *words],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{' '.join(words)} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def digits():
    from sklearn.datasets import load_digits

    data = load_digits()
    x = torch.tensor(data.data, dtype=torch.float32) / 16
    y = torch.tensor(data.target)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    return x[order[:1297]], y[order[:1297]], x[order[1297:]], y[order[1297:]]


def trained(make, x, y, seed):
    torch.manual_seed(seed)
    model: nn.Module = make()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(20):
        for rows in torch.randperm(len(x)).split(64):
            optimiser.zero_grad()
            functional.cross_entropy(model(x[rows]), y[rows]).backward()
            optimiser.step()
    return model


def barrier(a, b, x, y):
    from goldstone.weightspace import loss_barrier

    found = loss_barrier(
        a, b, x, y, lambda out, t: functional.cross_entropy(out, t, reduction="none")
    )
    one = found.barrier
    return {
        "barrier": [one.estimate, one.low, one.high],
        "end": found.losses[-1].estimate,
        "middle": found.losses[len(found.losses) // 2].estimate,
    }


def peers(rebasin, threads):
    from goldstone.weightspace import output_difference

    x, y, test_x, test_y = digits()
    rows = {}
    for name, make in NETWORKS.items():
        models = [trained(make, x, y, seed) for seed in (0, 1)]
        with tempfile.TemporaryDirectory() as folder:
            torch.save(test_x, f"{folder}/inputs.pt")
            for k, model in enumerate(models):
                torch.save(model.state_dict(), f"{folder}/{name}-{k}.pt")
            row = {"as trained": barrier(*models, test_x, test_y)}
            for library in LIBRARIES:
                if library == "rebasin" and not rebasin:
                    continue
                python = rebasin if library == "rebasin" else sys.executable
                found = run(python, threads, "peer", library, name, folder)
                state = torch.load(f"{folder}/{name}-{library}.pt", weights_only=True)
                moved = copy.deepcopy(models[1])
                moved.load_state_dict(state)
                found["change"] = output_difference(models[1], moved, (test_x,))
                row[library] = {**found, **barrier(models[0], moved, test_x, test_y)}
        rows[name] = row
    return rows


def page(result):
    lines = [
        "# Weight matching: cost, and beside rebasin",
        "",
        (
            f"Threads: {result['threads']}. torch {result['torch']}, {result['machine']}; load "
            f"average {result['load']:.1f} at the start (other work ran beside: processor seconds "
            "are the steadier number). Made by `python benchmarks/weight_matching.py`."
        ),
        "",
        (
            "| two networks | symmetries used | search, s | matching, s | processor, s | rounds "
            "| bound, s | memory beyond the models | bound |"
        ),
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, rows in result["large"].items():
        for kinds, one in rows.items():
            total = one["find"]["cpu"] + one["match"]["cpu"]
            factor = max(one["find"]["memory"], one["match"]["memory"]) / one["models"]
            lines.append(
                f"| {name} | {kinds} | {one['find']['wall']:.1f} | {one['match']['wall']:.1f} "
                f"| {total:.1f} | {one['rounds']} | {BOUNDS[name]:g} | {factor:.1f} × "
                f"| {TIMES_THE_MODELS:g} × |"
            )
    lines += [
        "",
        (
            "Networks of random weights. The pair of ResNet-20s has 2 MB; the 9 MB beyond them are "
            "the traced graph and tables of units, which do not grow with the widths as weights "
            "do: there the bound of memory is missed."
        ),
        "",
        "Barrier of the test loss (cross-entropy, 500 digits, 25 points, 95 % interval):",
        "",
        (
            "| network | | search, s | matching, s | outputs of B changed by | loss of B moved "
            "| loss half-way | barrier |"
        ),
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, row in result["peers"].items():
        for library, one in row.items():
            estimate, low, high = one["barrier"]
            cells = ["", "", ""]
            if "wall" in one:
                search = "" if library == "rebasin" else f"{one['search']:.2f}"
                cells = [search, f"{one['wall']:.2f}", f"{one['change']:.1e}"]
            lines.append(
                f"| {name} | {library} | {' | '.join(cells)} | {one['end']:.3f} "
                f"| {one['middle']:.3f} | {estimate:.3f} ({low:.3f} … {high:.3f}) |"
            )
    lines += [
        "",
        (
            "`goldstone` uses permutations, as rebasin does; `goldstone, all` scalings too. Of the "
            "search most is the first call of torch.export in a process; the seconds of rebasin "
            "include its own tracing. Where the outputs of B changed, the network was not only "
            "moved: its barrier says nothing, as the other end of the path is another network."
        ),
        "",
    ]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rebasin", default="")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    result = {
        "threads": options.threads,
        "torch": torch.__version__,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "load": os.getloadavg()[0],
        "peers": peers(options.rebasin, options.threads),
        "large": {
            name: {
                kinds: run(sys.executable, options.threads, "large", name, kinds)
                for kinds in ("permutation", "all")
            }
            for name in BOUNDS
        },
    }
    folder = HERE / "results"
    (folder / "weight_matching.json").write_text(json.dumps(result, indent=1) + "\n")
    (folder / "weight_matching.md").write_text(page(result))
    print(page(result))
    missed = [
        name
        for name, rows in result["large"].items()
        for one in rows.values()
        if one["find"]["wall"] + one["match"]["wall"] > BOUNDS[name]
        or max(one["find"]["memory"], one["match"]["memory"]) > TIMES_THE_MODELS * one["models"]
    ]
    if missed:
        raise SystemExit(f"bounds missed: {', '.join(dict.fromkeys(missed))}")


if __name__ == "__main__":
    main()
