"""Does orbit coherence ρ rank what really transfers? Flows and digits, a few minutes of one core.

For every model and element: ρ (Euclidean, unit gradients) of 48 samples beside the transfer of
lessons that were taught in one pose, at three budgets, and by plain losses; and the rank
correlation of both over the elements.

- Flows: U-Nets trained on isotropic and on anisotropic turbulence and an equivariant network, D4.
  Fast flows are taught to be four times as viscous, or to grow by a quarter.
- Digits (needs scikit-learn): a perceptron and a convolutional network on upright images, and a
  perceptron that was trained in all four quarter turns, under rotations. Ten lessons: every digit
  k is called k + 4 mod 10.

Transfers are means over the lessons that were learned; of one lesson with its interval. How often
these intervals hold the truth: benchmarks/validity/coverage.py.

    python benchmarks/teach_once.py [--only NAME]

Writes benchmarks/results/teach_once.json and .md. One thread.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from rounds import machine
from scipy.stats import spearmanr
from torch import Tensor, nn

from goldstone import Symmetry
from goldstone.actions import Context, flow_symmetry, image_symmetry
from goldstone.auditing import (
    AuditSettings,
    FineTuning,
    FlaggedLesson,
    Lesson,
    RelabelledClass,
    Samples,
    Subject,
    TaughtOnce,
    Teaching,
    measure_layer_coherence,
    scaled,
    stepped_by,
    teach_once,
)
from goldstone.core import Statistic, generator, to_json
from goldstone.systems.emulators import EmulatorConfig, build_emulator
from goldstone.systems.flows import NavierStokes2d, Trajectories, simulate
from goldstone.systems.losses import cross_entropy, scaled_mse

RESULTS = Path(__file__).parent / "results"
GRID, DT, STEPS = (32, 32), 0.1, 6
SETTINGS = AuditSettings(metrics=("euclidean",), bootstrap=2000, permutations=200, batch=128)
COHERENT = 48
Given = tuple[nn.Module, Samples, Symmetry, list[Any], list[Lesson], Any, Any]
"""Model, samples, symmetry, elements, lessons, loss, the optimiser's state."""


def trained(
    model: nn.Module, batch: Callable[[torch.Generator], Any], loss: Any, steps: int
) -> Any:
    """AdamW with one cycle of the learning rate; its state."""
    model.train()
    optimiser = torch.optim.AdamW(model.parameters(), 3e-3)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps)
    source = generator(0, "batches")
    for _ in range(steps):
        x, y = batch(source)
        optimiser.zero_grad()
        loss(model(x), y).mean().backward()
        optimiser.step()
        cycle.step()
    optimiser.zero_grad()
    model.eval()
    return optimiser.state_dict()


def turbulence(kind: str, trajectories: int, seed: int) -> Trajectories:
    return simulate(
        NavierStokes2d(viscosity=2e-3),
        f"{kind}-turbulence",
        trajectories=trajectories,
        seed=seed,
        steps=STEPS,
        grid=GRID,
        dt=DT,
    )


def flow(kind: str, architecture: str, arguments: dict[str, Any], steps: int) -> Given:
    data = turbulence(kind, 80, 0)
    x, y = data.transitions()[:2]
    model = build_emulator(EmulatorConfig(architecture, data.layout, GRID, arguments), 0)
    model.fit(x, y)

    def batch(source: torch.Generator) -> Any:
        some = torch.randint(len(x), (32,), generator=source)
        return x[some], y[some]

    state = trained(model, batch, scaled_mse, steps)
    held = turbulence(kind, COHERENT, 1)
    samples = Samples(
        held.fields[:, :-1:2].flatten(0, 1),
        held.fields[:, 1::2].flatten(0, 1),
        torch.arange(COHERENT).repeat_interleave(len(range(0, STEPS, 2))),
        held.context,
    )
    thick = NavierStokes2d(viscosity=8e-3)
    lessons: list[Lesson] = [
        FlaggedLesson(
            "fast flows are four times as viscous", stepped_by(lambda s: thick.advance(s, DT))
        ),
        FlaggedLesson("fast flows grow by a quarter", scaled(1.25)),
    ]
    d4 = flow_symmetry("d4", data.layout, GRID)
    return model, samples, d4, list(d4.group.elements()[1:]), lessons, scaled_mse, state


class Convolutional(nn.Module):
    """Two convolutions, the mean over the image, a linear head."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 32, 3, padding=1),
            nn.ReLU(),
        )
        self.head = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x).mean((2, 3)))


def digits(kind: str, name: str) -> Given:
    from sklearn.datasets import load_digits

    found = load_digits()
    x = torch.tensor(found.images, dtype=torch.float32)[:, None] / 16
    y = torch.tensor(found.target)
    order = torch.randperm(len(x), generator=generator(0, "digits"))
    x, y = x[order], y[order]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model: nn.Module = (
            Convolutional()
            if kind == "convolutional"
            else nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
        )

    def batch(source: torch.Generator) -> Any:
        some = torch.randint(900, (64,), generator=source)
        turns = int(torch.randint(4, (), generator=source)) if kind == "augmented" else 0
        return x[some].rot90(turns, (2, 3)), y[some]

    state = trained(model, batch, cross_entropy, 1500 if kind != "convolutional" else 900)
    samples = Samples(x[900:], y[900:], torch.arange(len(x) - 900), Context())
    symmetry = image_symmetry(name, (8, 8), 1)
    lessons: list[Lesson] = [RelabelledClass(k, (k + 4) % 10) for k in range(10)]
    elements = [g for g in symmetry.elements or symmetry.group.elements() if g]
    return model, samples, symmetry, elements, lessons, cross_entropy, state


UNET = {"base_channels": 8, "stages": 2, "blocks_per_stage": 1, "attention": False}
CASES: dict[str, Callable[[], Given]] = {
    "U-Net, isotropic": lambda: flow("isotropic", "unet", UNET, 120),
    "U-Net, anisotropic": lambda: flow("anisotropic", "unet", UNET, 120),
    "equivariant, anisotropic": lambda: flow(
        "anisotropic", "equivariant", {"copies": 2, "stages": 1}, 40
    ),
    "perceptron, upright": lambda: digits("perceptron", "rotations"),
    "perceptron, all quarter turns": lambda: digits("augmented", "rotations"),
    "convolutional, upright": lambda: digits("convolutional", "rotations"),
}


def measure(name: str) -> dict[str, Any]:
    start = time.perf_counter()
    model, samples, symmetry, elements, lessons, loss, state = CASES[name]()
    ready = time.perf_counter()
    subject = Subject.measure(model, samples, loss, SETTINGS)
    # One sample of each trajectory for the coherence.
    per = len(samples.trajectory) // samples.trajectories
    index = (torch.arange(COHERENT) * per) + per // 2
    few = Samples(samples.inputs[index], samples.targets[index], torch.arange(48), samples.context)
    coherent = Subject.measure(model, few, loss, SETTINGS)
    rho = measure_layer_coherence(coherent, symmetry, elements)
    between = time.perf_counter()
    teaching = Teaching(FineTuning(steps=120, batch=16, learning_rate=3e-4))
    found = [
        teach_once(subject, symmetry, elements, lesson, teaching, optimiser=state)
        for lesson in lessons
    ]
    end = time.perf_counter()
    names = [symmetry.group.element_name(g) for g in elements]
    rhos = [rho[n].total.orbit.estimate for n in names]
    means: dict[str, dict[str, list[float]]] = {}
    ranks = {}
    for kind in ("transfer", "loss_transfer"):
        for place, share in enumerate(teaching.shares):
            learned = [t.budgets[place] for t in found if t.budgets and t.budgets[place].learned]
            if not learned:
                continue
            values = torch.tensor(
                [[getattr(b.elements[n], kind).estimate for b in learned] for n in names]
            )
            error = values.std(1) / values.shape[1] ** 0.5 if values.shape[1] > 1 else values[:, 0]
            means[f"{kind} {share}"] = {
                n: [float(m), float(e)]
                for n, m, e in zip(names, values.mean(1), error, strict=True)
            }
            if float(values.mean(1).max() - values.mean(1).min()) > 1e-2:
                found_rank = spearmanr(rhos, values.mean(1).numpy()).statistic
                ranks[f"{kind} {share}"] = float(found_rank)
    return {
        "loss": float(loss(subject.predictions, samples.targets).mean()),
        "seconds": {"train": ready - start, "coherence": between - ready, "teach": end - between},
        "rho": {n: to_json(rho[n].total.orbit) for n in names},
        "lessons": [shortened(t) for t in found],
        "learned": sum(any(b.learned for b in t.budgets) for t in found),
        "means": means,
        "ranks": ranks,
    }


def shortened(found: TaughtOnce) -> dict[str, Any]:
    """What is kept of a lesson."""
    kept = ("lesson", "optimiser", "taught", "held_out", "posed", "novelty", "achievable")
    budgets = [
        {
            "share": budget.share,
            "steps": budget.steps,
            "reached": budget.reached,
            "learned": budget.learned,
            "elements": {
                name: {
                    kind: [statistic.estimate, statistic.low, statistic.high]
                    for kind in ("transfer", "loss_transfer", "contrast")
                    if (statistic := getattr(element, kind))
                }
                for name, element in budget.elements.items()
            },
        }
        for budget in found.budgets
    ]
    return {**{name: getattr(found, name) for name in kept}, "budgets": budgets}


def page(results: dict[str, Any]) -> str:
    """The tables."""
    lines = ["# Taught once", "", "Written by `python benchmarks/teach_once.py`.", ""]
    for name, case in results.items():
        first = case["lessons"][0]
        lines += [f"## {name}", ""]
        seconds, many = case["seconds"], len(case["lessons"])
        said = f"Loss {case['loss']:.3g}; {case['learned']} of {many} lessons were learned; "
        said += f"{first['posed']:.0%} of the samples were moved into the taught pose; "
        said += f"{seconds['teach'] / many:.1f} s a lesson, {seconds['coherence']:.1f} s for ρ. "
        lines += [said + "Per cent ± standard error over lessons.", ""]
        columns = list(case["means"])
        lines += ["| g | novelty | ρ | " + " | ".join(columns) + " |"]
        lines += ["|" + "---|" * (3 + len(columns))]
        for g, rho in case["rho"].items():
            cells = ["{:.0f} ± {:.0f}".format(*case["means"][c][g]) for c in columns]
            row = [g, f"{first['novelty'][g]:.2f}", _cell(rho, 2), *cells]
            lines.append("| " + " | ".join(row) + " |")
        said = ", ".join(f"{k}: {v:.2f}" for k, v in case["ranks"].items())
        lines += ["", f"Rank correlation with ρ: {said or 'none, all alike'}.", ""]
    return "\n".join(lines) + "\n"


def _cell(s: dict[str, Any], digits: int) -> str:
    known = Statistic(s["estimate"], s["low"], s["high"])
    if known.estimate is None or known.low is None or known.high is None:
        return "–"
    return f"{known.estimate:.{digits}f} ({known.low:.{digits}f} … {known.high:.{digits}f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="one case")
    only = parser.parse_args().only
    torch.set_num_threads(1)
    results = {}
    for name in CASES:
        if only in (None, name):
            results[name] = measure(name)
            print(name, results[name]["seconds"], results[name]["ranks"], flush=True)
    text = page(results)
    if only is None:
        RESULTS.mkdir(exist_ok=True)
        saved = {"machine": machine(), "cases": results}
        (RESULTS / "teach_once.json").write_text(json.dumps(saved, ensure_ascii=False))
        (RESULTS / "teach_once.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
