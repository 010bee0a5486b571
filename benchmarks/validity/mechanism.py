"""Does raising or lowering orbit coherence while training change generalisation to unseen poses?

The seed paper claims that coherence of gradients along orbits is how symmetries are learned. Here
it is set, not watched: small networks learn digits that stand upright, or flows that are stretched
one way, with a term in the loss that raises or lowers the coherence of some elements
(:mod:`benchmarks.validity.mechanism_arms` says which, and what the placebos are), and are tested
in those poses and in others.

    python -m benchmarks.validity.mechanism [--case NAME] [--seeds 5]

Trains what benchmarks/results/validity/mechanism.json does not hold yet (a killed run goes on
there) and writes mechanism.md and mechanism.svg. About a quarter of an hour of one core.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.validity.mechanism_arms import PRIMING, Arm, Draw, added, arms, paired
from benchmarks.validity.mechanism_cases import CASES, Case
from benchmarks.validity.mechanism_page import write_page
from goldstone.auditing.coherence import PairProducts, orbit_coherence
from goldstone.core import generator, replacing
from goldstone.training.orbit_coherence_penalty import sample_gradients

RESULTS = Path(__file__).parents[1] / "results" / "validity"
SEEDS = 5
MOMENTS = (40, 60, 80, 110, 150, 200, 250, 300, 400, 500, 600)
COVECTORS = 4


def trained(case: Case, arm: Arm, seed: int) -> list[dict[str, Any]]:
    """Checkpoints of one run. Initial weights, batches and pairs are those of the seed."""
    model = case.build(seed)
    if arm.primed:
        optimiser = torch.optim.Adam(model.parameters(), case.rate)
        for step in range(PRIMING):
            optimiser.zero_grad()
            added(arm, model, case, Draw.of(case, seed, -1 - step)).backward()
            optimiser.step()
    optimiser = torch.optim.Adam(model.parameters(), case.rate)
    x, y = case.train
    found: list[dict[str, Any]] = []
    for step in range(MOMENTS[-1] + 1):
        if step in MOMENTS or (arm.primed and not step):
            found.append({"step": step, **measured(case, model)})
            if found[-1]["train"] < case.enough:
                break
        draw = Draw.of(case, seed, step)
        optimiser.zero_grad()
        loss = case.loss(model(x[draw.batch]), y[draw.batch]).mean()
        if arm.strength and not arm.primed:
            loss = loss + added(arm, model, case, draw)
        loss.backward()
        optimiser.step()
    return found


def measured(case: Case, model: nn.Module) -> dict[str, Any]:
    """Losses and coherences on held-out samples, and the loss of the first training samples."""
    with torch.no_grad():
        x, y = case.held.inputs, case.held.targets
        train = case.loss(model(case.train[0][:384]), case.train[1][:384])
        upright, right = _judged(case, model, x, y)
        # Not at early moments, which no run is compared at.
        ready = float(upright.mean()) < 3 * case.levels[0]
        plain = _gradients(case, model, x, y) if ready else {}
        poses = {}
        for name, (gx, gy) in case.posed.items():
            loss, correct = _judged(case, model, gx, gy)
            poses[name] = _means(T=loss.log() - upright.log(), loss=loss, accuracy=correct)
            if name in case.coherent and ready:
                moved = _gradients(case, model, gx, gy, name)
                poses[name] |= _coherences(case, plain, moved)
    return {**_means(train=train, loss=upright, accuracy=right), "poses": poses}


def _judged(case: Case, model: nn.Module, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor | None]:
    outputs = model(x)
    loss = case.loss(outputs, y).clamp_min(1e-7)
    return loss, (outputs.argmax(1) == y).float() if case.labelled else None


def _gradients(
    case: Case, model: nn.Module, x: Tensor, y: Tensor, element: str = ""
) -> dict[str, Tensor]:
    """Of the loss, of a covector for each sample, and of few covectors for all."""
    x, y = x[case.probed], y[case.probed]
    n, outputs = len(x), (10,) if case.labelled else y.shape[1:]
    own = torch.randn(n, *outputs, generator=generator(0, "own covectors"))
    few = torch.randn(COVECTORS, *outputs, generator=generator(0, "few covectors"))
    shared = few[torch.arange(n) % COVECTORS]
    if element:
        g, after = case.elements[element], case.held.context.at(1)
        own, shared = (case.symmetry.on_output.act(g, v, after) for v in (own, shared))
    return {
        "rho": sample_gradients(model, case.loss, x, y),
        "probe": sample_gradients(model, paired, x, own),
        "kernel": sample_gradients(model, paired, x, shared),
    }


def _coherences(case: Case, a: dict[str, Tensor], b: dict[str, Tensor]) -> dict[str, float]:
    """The audit's ρ, of unit gradients, of each kind; of few covectors within each of these."""
    found = {}
    for kind in a:
        rows = torch.cat([a[kind], b[kind]]).double()
        products = PairProducts.from_gram(rows @ rows.T).unit()
        if kind == "kernel":
            products = products.matched(torch.arange(len(a[kind])) % COVECTORS)
        found[kind] = orbit_coherence(products)
        if kind == "rho" and case.labelled:
            classes = case.held.targets[case.probed]
            found["rho within class"] = orbit_coherence(products.matched(classes))
    return {kind: round(value, 4) for kind, value in found.items() if value is not None}


def _means(**values: Tensor | None) -> dict[str, float]:
    return {name: round(float(v.mean()), 5) for name, v in values.items() if v is not None}


def run(path: Path, chosen: list[str], seeds: int) -> dict[str, Any]:
    """All runs, those that the file has read from it."""
    saved: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"runs": {}}
    for name in chosen:
        case = CASES[name]()
        for seed in range(seeds):
            for arm in arms(case):
                key = f"{name} | {arm.name} | {seed}"
                if key in saved["runs"]:
                    continue
                start = time.process_time()
                checkpoints = trained(case, arm, seed)
                seconds = round(time.process_time() - start, 2)
                saved["runs"][key] = {"seconds": seconds, "checkpoints": checkpoints}
                with replacing(path) as temporary:
                    temporary.write_text(json.dumps(saved, ensure_ascii=False), encoding="utf-8")
                print(f"{key}: {seconds} s, loss {checkpoints[-1]['loss']}", flush=True)
    return saved


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", choices=list(CASES), help="one case")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--out", type=Path, default=RESULTS, help="the folder of the results")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    names = [chosen.case] if chosen.case else list(CASES)
    saved = run(chosen.out / "mechanism.json", names, chosen.seeds)
    print(write_page(saved["runs"], chosen.out))


if __name__ == "__main__":
    main()
