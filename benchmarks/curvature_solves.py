"""What each metric costs beside the gradients themselves, and how far it is from Gauss–Newton.

On the U-Net of the demo, briefly trained, with pairs of gradients along an orbit:

- *gradients*: ``per_sample_gradients`` of all right-hand sides, the unit of every ratio;
- each metric: everything it takes for the inner products of all right-hand sides (curvature,
  factors, eigenvectors, solves), in interleaved rounds in this process; medians of the ratios;
- *Galerkin* and *conjugate gradients*: once, their cost is only reported;
- distance: of the cosines of pairs and of all products, to conjugate gradients in the full
  Gauss–Newton metric of the same reference samples, at the same λ;
- streaming: time of sketching, error of the products, and peak memory beside that of dense rows
  (on Linux).

    OMP_NUM_THREADS=1 python benchmarks/curvature_solves.py [--rounds 5] [--grid 32]

prints a table and writes benchmarks/results/curvature_solves.json.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch
from torch import nn

from goldstone.actions import NAVIER_STOKES_FIELDS
from goldstone.curvature import (
    adam_metric,
    ekfac,
    empirical_fisher_diagonal,
    empirical_fisher_gram,
    galerkin_gram,
    gauss_newton_diagonal,
    gauss_newton_gram,
    inner_products,
    kfac,
    kronecker_factors,
    output_jvps,
    per_sample_gradients,
    probe_rows,
    randomised_gauss_newton_gram,
    sketch_gradients,
)
from goldstone.systems.emulators import EmulatorConfig, build_emulator, count_parameters
from goldstone.systems.losses import scaled_mse

ARGUMENTS = {"base_channels": 12, "stages": 2, "blocks_per_stage": 1, "attention": False}
BOUNDED = ("empirical Fisher", "randomised Gauss–Newton", "diagonal", "Adam", "K-FAC")


def smooth(count, grid, source):
    """Periodic random fields of low wavenumbers, (count, 2, grid, grid)."""
    spectrum = torch.fft.rfft2(torch.randn(count, 2, grid, grid, generator=source))
    k = torch.fft.fftfreq(grid, 1 / grid)[:, None] ** 2 + torch.fft.rfftfreq(grid, 1 / grid) ** 2
    fields = torch.fft.irfft2(spectrum * torch.exp(-k / 16), s=(grid, grid))
    return fields / fields.std()


def trained(grid, source):
    """The network after a few steps of learning to blur and stretch, with its optimiser."""
    config = EmulatorConfig("unet", NAVIER_STOKES_FIELDS, (grid, grid), ARGUMENTS)
    model = build_emulator(config, seed=0)
    optimiser = torch.optim.Adam(model.parameters(), 1e-3)
    for _ in range(80):
        x = smooth(8, grid, source)
        loss = scaled_mse(model(x), target(x)).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    return model.eval(), optimiser


def target(x):
    """A step that is not isotropic, so that a quarter turn is not learned."""
    return 0.9 * x + 0.1 * x.roll(1, -1) - 0.05 * x**2


def cosines(gram):
    norms = gram.diagonal().clamp_min(0).sqrt()
    return gram / norms[:, None] / norms


def distances(gram, wanted):
    """Of the cosines of pairs (mean), of all cosines (root mean square), of the products."""
    half = len(gram) // 2
    found, right = cosines(gram), cosines(wanted)
    pairs = (found - right)[:half, half:].diagonal().abs().mean()
    everything = (found - right).square().mean().sqrt()
    # Up to a factor: Fisher's and Adam's metrics have units of their own.
    fitted = gram * ((gram * wanted).sum() / gram.square().sum())
    products = (fitted - wanted).norm() / wanted.norm()
    return {"pairs": float(pairs), "cosines": float(everything), "products": float(products)}


def measure(grid, samples, reference, rounds):
    source = torch.Generator().manual_seed(0)
    model, optimiser = trained(grid, source)
    x, held = smooth(samples, grid, source), smooth(reference, grid, source)
    turned = torch.rot90(x, 1, (-2, -1))
    inputs = torch.cat([x, turned])
    targets = torch.cat([target(x), torch.rot90(target(x), 1, (-2, -1))])

    def loss(output, i):
        return scaled_mse(output, targets[i : i + 1]).sum()

    def gradients():
        return per_sample_gradients(model, loss, inputs)

    rows = gradients()
    # λ as the audit sets it: relative to the mean curvature along the gradients.
    few = rows[:: max(1, len(rows) // 8)]
    pushed, _ = output_jvps(model, held, few)
    along = float(pushed.square().mean(1).sum() / few.square().sum())
    damping = 1e-3 * along
    wanted = target(held)

    def held_gradients():
        return per_sample_gradients(
            model, lambda y, i: scaled_mse(y, wanted[i : i + 1]).sum(), held
        )

    probes = torch.cat(list(probe_rows(model, held, 4)))
    mean = float(probes.double().square().sum()) / rows.shape[1]
    relative = damping / mean
    fisher_damping = 1e-3 * float(held_gradients().square().sum()) / len(held) ** 2
    state = optimiser.state_dict()

    def factors():
        return kronecker_factors(model, held)

    metrics = {
        "Euclidean": lambda: inner_products(rows),
        "empirical Fisher": lambda: (
            empirical_fisher_gram(rows, fisher_damping, held_gradients()).gram
        ),
        "empirical Fisher, own span": lambda: empirical_fisher_gram(rows, fisher_damping).gram,
        "randomised Gauss–Newton": lambda: (
            randomised_gauss_newton_gram(model, held, rows, damping, 1, 2).gram
        ),
        "diagonal": lambda: gauss_newton_diagonal(model, held, relative, 2).gram(rows),
        "diagonal of empirical Fisher": lambda: empirical_fisher_diagonal(
            held_gradients(), 1e-3
        ).gram(rows),
        "Adam": lambda: adam_metric(model, state).gram(rows),
        "K-FAC": lambda: kfac(factors(), relative).gram(rows),
        "K-FAC, reduce": lambda: kfac(
            kronecker_factors(model, held, weight_sharing="reduce"), relative
        ).gram(rows),
        "EK-FAC": lambda: ekfac(model, held, factors(), relative, seed=1).gram(rows),
        "sketch (all of it)": lambda: sketch_gradients(model, loss, inputs).gram().gram,
    }
    grams = {name: work() for name, work in metrics.items()}
    names = ["gradients", *metrics]
    times = {name: [] for name in names}
    for k in range(rounds):
        # The order turns, so that a drift of the machine's speed favours nobody.
        for name in names[k % len(names) :] + names[: k % len(names)]:
            start = time.perf_counter()
            (metrics.get(name) or gradients)()
            times[name].append(time.perf_counter() - start)
    unit = statistics.median(times["gradients"])

    def galerkin():
        j, _ = output_jvps(model, held, rows)
        return galerkin_gram(inner_products(rows), inner_products(j) / j.shape[1], 1e-4, 1e-3)

    slow = {}
    start = time.perf_counter()
    grams["Galerkin"] = galerkin()
    slow["Galerkin"] = time.perf_counter() - start
    start = time.perf_counter()
    solve = gauss_newton_gram(model, held, rows, damping, 1e-3, 60)
    slow["conjugate gradients"] = time.perf_counter() - start
    exact = inner_products(rows)
    sketched = sketch_gradients(model, loss, inputs).gram()
    norms = exact.diagonal().sqrt()
    scale = norms[:, None] * norms
    found = {
        "parameters": count_parameters(model),
        "grid": grid,
        "right_hand_sides": len(rows),
        "reference": reference,
        "rounds": rounds,
        "relative_damping": {"along the gradients": 1e-3, "to the mean": relative},
        "seconds_gradients": unit,
        "ratio": {
            name: statistics.median(
                t / g for t, g in zip(times[name], times["gradients"], strict=True)
            )
            for name in metrics
        }
        | {name: seconds / unit for name, seconds in slow.items()},
        "conjugate_gradients": {"residual": solve.residual, "iterations": solve.iterations},
        "distance_to_gauss_newton": {
            name: distances(gram, solve.gram)
            for name, gram in grams.items()
            if "sketch" not in name
        },
        "pair_cosines": {
            name: float(cosines(gram)[: len(x), len(x) :].diagonal().mean())
            for name, gram in (grams | {"conjugate gradients": solve.gram}).items()
        },
        "sketch": {
            "error_of_cosines": float(((sketched.gram - exact) / scale).square().mean().sqrt()),
            "claimed": float((sketched.standard_error / scale).square().mean().sqrt()),
        },
        "coverage": [c.treatment for c in factors().coverage],
    }
    found["within_bound"] = {name: found["ratio"][name] <= 2 for name in BOUNDED}
    return found


def memory(kind, width=2000, depth=2, samples=128):
    """In a process of its own: peak memory of dense rows, of sketches, or of one gradient."""
    torch.manual_seed(0)
    layers = [nn.Linear(width // 2, width // 2) for _ in range(depth)]
    model = nn.Sequential(*layers)
    inputs = torch.randn(samples, width // 2)

    def scalar(output, _):
        return output.square().sum()

    if kind == "dense":
        per_sample_gradients(model, scalar, inputs)
    elif kind == "sketch":
        sketch_gradients(model, scalar, inputs)
    else:
        for i in range(2):
            value = scalar(model(inputs[i : i + 1]), i)
            torch.autograd.grad(value, list(model.parameters()))
    # Not getrusage: what it calls the peak may be that of the process this one was forked from.
    status = Path("/proc/self/status").read_text().splitlines()
    print(next(line.split()[1] for line in status if line.startswith("VmHWM")))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--samples", type=int, default=12)
    parser.add_argument("--reference", type=int, default=6)
    parser.add_argument("--grid", type=int, default=32)
    parser.add_argument("--memory", choices=["dense", "sketch", "loop"])
    chosen = parser.parse_args()
    if chosen.memory:
        memory(chosen.memory)
        return
    found = measure(chosen.grid, chosen.samples, chosen.reference, chosen.rounds)
    peaks = {}
    for kind in ("loop", "dense", "sketch"):
        run = subprocess.run(
            [sys.executable, __file__, "--memory", kind], capture_output=True, text=True, check=True
        )
        peaks[kind] = 1024 * int(run.stdout)
    found["memory"] = peaks | {
        "sketch_over_dense": (peaks["sketch"] - peaks["loop"]) / (peaks["dense"] - peaks["loop"])
    }
    found |= {
        "torch": torch.__version__,
        "python": platform.python_version(),
        "threads": torch.get_num_threads(),
    }
    print(
        f"{found['parameters']:,} parameters, {found['right_hand_sides']} gradients in "
        f"{found['seconds_gradients']:.2f} s"
    )
    print(f"{'':30} ratio   cosines of pairs (distance)   distance of all cosines, of products")
    for name, ratio in found["ratio"].items():
        apart = found["distance_to_gauss_newton"].get(name)
        line = f"{name:30} {ratio:5.2f}"
        if apart:
            line += (
                f"   {found['pair_cosines'][name]:+.3f} ({apart['pairs']:.3f})"
                f"   {apart['cosines']:.3f}   {apart['products']:.2f}"
            )
        print(line)
    full = found["pair_cosines"]["conjugate gradients"]
    print(f"full Gauss–Newton: pairs {full:+.3f}; {found['conjugate_gradients']}")
    print(f"sketch: {found['sketch']}, memory {found['memory']['sketch_over_dense']:.3f} of dense")
    print(f"within 2× the gradients: {found['within_bound']}")
    path = Path(__file__).parent / "results" / "curvature_solves.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
