"""Does the constraint pay? The inertia tensor of five masses, learned from 1,000 samples.

The task of Finzi, Welling & Wilson (2021): masses m_i and positions x_i to
Σ_i m_i (|x_i|² 1 − x_i x_iᵀ), equivariant under O(3). Models: ``EquivariantMLP``, a plain MLP of as
many parameters, a plain one sixty times as large, and that one on randomly turned samples. Each
takes the best of three learning rates by 500 validation samples; its error is that on 2,000 test
samples, as a fraction of the targets' mean square. And what a layer costs beside ``nn.Linear``.

    python benchmarks/equivariant_mlp.py [--seeds 5] [--steps 600]

Resumable: runs that benchmarks/results/equivariant_mlp.json holds are not repeated.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import torch
from torch import nn

from goldstone.core import generator
from goldstone.groups import CyclicGroup, OrthogonalGroup
from goldstone.nn import EquivariantLinear, EquivariantMLP
from goldstone.representations import (
    DirectSum,
    O3Irrep,
    RegularRepresentation,
    StandardRepresentation,
    TrivialRepresentation,
    multiple,
)

GROUP = OrthogonalGroup(3)
VECTOR, SCALAR = StandardRepresentation(GROUP), TrivialRepresentation(GROUP)
SOURCE, TARGET = multiple(SCALAR, 5) + multiple(VECTOR, 5), VECTOR * VECTOR
HIDDEN = DirectSum(GROUP, (O3Irrep(0, 1),) * 16 + (O3Irrep(1, -1),) * 8 + (O3Irrep(2, 1),) * 8)
RATES = (1e-2, 3e-2, 1e-1)
PLAIN_RATES = (3e-3, 1e-2, 3e-2)
RESULTS = Path(__file__).parent / "results" / "equivariant_mlp.json"


def samples(count, seed):
    source = generator(seed, "inertia")
    masses = nn.functional.softplus(torch.randn(count, 5, generator=source))
    positions = torch.randn(count, 5, 3, generator=source)
    squares = positions.square().sum(-1)[..., None, None] * torch.eye(3)
    outer = positions[..., :, None] * positions[..., None, :]
    tensor = (masses[..., None, None] * (squares - outer)).sum(1)
    return torch.cat([masses, positions.flatten(1)], 1), tensor.flatten(1)


def plain(width):
    layers = (nn.Linear(20, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU())
    return nn.Sequential(*layers, nn.Linear(width, 9))


def parameters(model):
    return sum(parameter.numel() for parameter in model.parameters())


def equally_large(size):
    return plain(next(w for w in range(1, 1000) if parameters(plain(w)) >= size))


MODELS = {
    "equivariant": (lambda: EquivariantMLP(SOURCE, HIDDEN, TARGET), False),
    "plain, equal parameters": (lambda: equally_large(1201), False),
    "plain, 256 wide": (lambda: plain(256), False),
    "plain, 256 wide, turned samples": (lambda: plain(256), True),
}


def trained(make, rate, turned, data, steps, seed):
    x, y = data
    torch.manual_seed(seed)
    model = make()
    optimiser = torch.optim.Adam(model.parameters(), rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps)
    source = generator(seed, "batches")
    for _ in range(steps):
        chosen = torch.randint(len(x), (128,), generator=source)
        a, b = x[chosen], y[chosen]
        if turned:
            g = GROUP.sample(source, (1,))
            a, b = (z @ rep(g)[0].float().T for z, rep in ((a, SOURCE), (b, TARGET)))
        loss = (model(a) - b).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return model.eval()


def measured(name, seed, steps):
    make, turned = MODELS[name]
    x, y = samples(3500, seed)
    y = y / y.square().mean().sqrt()
    train, validation, test = (
        (x[part], y[part]) for part in (slice(1000), slice(1000, 1500), slice(1500, None))
    )
    found = []
    began = time.perf_counter()
    for rate in RATES if name == "equivariant" else PLAIN_RATES:
        model = trained(make, rate, turned, train, steps, seed)
        with torch.no_grad():
            errors = [float((model(a) - b).square().mean()) for a, b in (validation, test)]
        found.append((*errors, rate))
    _, error, rate = min(found)
    return {
        "error": error,
        "rate": rate,
        "parameters": parameters(model),
        "seconds": time.perf_counter() - began,
    }


def layer_costs(rounds=30):
    """Interleaved medians in milliseconds: nn.Linear, the layer, the layer's plain form."""
    c8 = RegularRepresentation(CyclicGroup(8))
    wide = DirectSum(GROUP, (O3Irrep(0, 1),) * 64 + (O3Irrep(1, -1),) * 32 + (O3Irrep(2, 1),) * 16)
    rows = {}
    for name, rep in (("C8, 32 regular", multiple(c8, 32)), ("O(3), 64+32+16", wide)):
        began = time.perf_counter()
        layer = EquivariantLinear(rep, rep)
        build = time.perf_counter() - began
        for batch in (256, 2048):
            x = torch.randn(batch, rep.dimension)
            models = {
                "nn.Linear": nn.Linear(rep.dimension, rep.dimension),
                "layer": layer,
                "to_plain": layer.to_plain(),
            }
            times = {kind: [] for kind in models}
            with torch.no_grad():
                for _ in range(rounds):
                    for kind, model in models.items():
                        start = time.perf_counter()
                        model(x)
                        times[kind].append(1e3 * (time.perf_counter() - start))
            rows[f"{name}, batch {batch}"] = {
                "dimension": rep.dimension,
                "build_s": build,
                **{kind: statistics.median(values) for kind, values in times.items()},
            }
    return rows


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=600)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for seed in range(arguments.seeds):
        for name in MODELS:
            key = f"{name}, {arguments.steps} steps, seed {seed}"
            if key not in results:
                results[key] = measured(name, seed, arguments.steps)
                RESULTS.write_text(json.dumps(results, indent=1) + "\n")
            print(key, {k: float(f"{v:.3g}") for k, v in results[key].items()}, flush=True)
    for name in MODELS:
        keys = (f"{name}, {arguments.steps} steps, seed {seed}" for seed in range(arguments.seeds))
        errors = [results[key]["error"] for key in keys]
        print(f"{name}: {statistics.mean(errors):.4f} ({min(errors):.4f} to {max(errors):.4f})")
    results["layer costs, ms"] = layer_costs()
    print(json.dumps(results["layer costs, ms"], indent=1))
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
