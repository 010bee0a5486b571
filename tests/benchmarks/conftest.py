"""The benchmarks are no package that is installed: they are imported from the root of the repo."""

import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

METRICS = ("euclidean", "galerkin")
ELEMENTS = ("r", "r²", "r³")


def interval(value, width):
    return [float(value), float(value - width), float(value + width)]


def record(rng, task, kind, recipe, seed, elements=ELEMENTS):
    """A model: equivariant, or with a random coupling that ρ and transfer both show."""
    built_in = kind == "equivariant"
    skilled = recipe != "untrained"
    coupling = {g: 1.0 if built_in else float(rng.uniform()) for g in elements}
    holds = dict.fromkeys(elements, built_in or recipe == "augmented")
    measured, known = {}, {}
    for g in elements:
        rho = 1.0 if built_in else coupling[g] + 0.02 * float(rng.standard_normal())
        ratio = 0.01 * rng.standard_normal() if holds[g] else rng.uniform(0.5, 2.0)
        known[g] = interval(ratio, 0.01)
        by_metric = {
            "K": interval(0.9 - 0.1 * rng.uniform(), 0.05),
            "null": interval(0.6, 0.05),
            "rho": interval(rho, 0.0 if built_in else 0.08),
            "mu": interval(0.7, 0.2),
            "probe": interval(rho, 0.1),
            "raw K": interval(0.8, 0.05),
            "raw rho": interval(rho + 0.2 * rng.standard_normal(), 0.1),
        }
        low, high = by_metric["rho"][1:]
        answer = "yes" if low > 0.1 else "no" if high < 0.1 else "undetermined"
        measured[g] = {
            "T": interval(ratio, 0.05),
            "error": interval(1e-7 if built_in else 0.1 + abs(ratio), 0.0),
            "sharing": interval(0.5, 0.1),
            "holds": ("yes" if ratio < 0.05 else "no") if skilled else "undetermined",
            "grade": "exact" if built_in else "approximate",
            "transports": answer if skilled else "undetermined",
            "p": dict.fromkeys(METRICS, 0.001 if rho > 0.1 else 0.5),
            **{k: dict.fromkeys(METRICS, v) for k, v in by_metric.items()},
        }
    lessons = [
        {
            "lesson": name,
            "novelty": dict.fromkeys(elements, 0.99),
            "still_learning": name == "two",
            "budgets": [
                {
                    "share": share,
                    "learned": True,
                    "reached": share + 0.1,
                    **{
                        kind: {g: interval(100 * coupling[g], 5.0) for g in elements}
                        for kind in ("transfer", "loss_transfer")
                    },
                }
                for share in (0.25, 0.5, 0.9)
            ],
        }
        for name in ("one", "two")
    ]
    unknown = dict.fromkeys(elements)
    apart = kind == "experts"
    return {
        "name": f"{task}-{kind}-{recipe}-{seed}",
        "task": task,
        "architecture": kind,
        "family": f"{task}, {kind}",
        "recipe": recipe,
        "seed": seed,
        "free_path": 0.1 * (seed + 1) if kind == "free path" else None,
        "skilled": skilled,
        "parameters": 1000 + seed,
        "has_skill": skilled,
        "floor": 1e-7,
        "loss": interval(0.1, 0.01),
        "holds_by_construction": holds if skilled else unknown,
        "transports_by_construction": dict.fromkeys(elements, True if built_in else None)
        if not apart
        else dict.fromkeys(elements, False),
        "holds_in_population": known,
        "elements": measured,
        "by_samples": {
            n: {
                g: {"rho": measured[g]["rho"]["euclidean"], "transports": measured[g]["transports"]}
                for g in elements
            }
            for n in ("8", "16", "32", "64")
        },
        "controls": [{"name": "shuffled pairs", "as_expected": True, "orbit": {}}],
        "lessons": lessons if skilled else [],
        "wrong": {g: measured[g] | {"holds": "no", "transports": "no"} for g in elements}
        if skilled
        else {},
        "seconds": {"train": 1.0, "audit": 2.0, "teach": 3.0},
    }


@pytest.fixture(scope="session")
def records():
    """A zoo of 3 tasks, made up, in which ρ follows transfer closely and raw K does not."""
    rng = np.random.default_rng(0)
    found = [
        record(rng, task, kind, recipe, seed)
        for task in ("digits", "flows", "graphs")
        for kind in ("perceptron", "convolutional", "equivariant", "free path", "experts")
        for recipe in ("biased", "augmented", "untrained")
        for seed in (0, 1, 2)
    ]
    return {r["name"]: r for r in found}
