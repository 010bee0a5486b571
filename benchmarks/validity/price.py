"""Is the price tag right? Forecast steps and samples beside what then happens, on ten models.

For every model, optimiser and broken element: T_g, the mean log loss ratio, while a copy is trained
on half transformed samples, and the forecast of the same curve from 32 held-out samples (24 of
flows and points). Both give a number of steps at each of five tolerances, 10 % to 200 %. Beside
the forecast stand simpler ones; each is scaled by one number, fitted on half of the models, and
compared on the other half: rank correlation with the actual steps, and error of the logarithm.

    python -m benchmarks.validity.price [--only NAME] [--page]

Writes benchmarks/results/validity/price.json after every model, and goes on from there; at the end
price.md and price.svg. One thread, about ten minutes. Needs scikit-learn and the report extra.
"""

import argparse
import json
import time
from math import isfinite
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.validity.price_cases import CASES, Case
from benchmarks.validity.price_page import page, picture
from goldstone.advice import price_tag
from goldstone.auditing import AuditSettings, FineTuning, Samples, Subject, measure_layer_coherence
from goldstone.auditing.further_training import train_copy
from goldstone.auditing.inspection import predict
from goldstone.auditing.orbit_samples import moved_samples
from goldstone.core import replacing, to_json

RESULTS = Path(__file__).parents[1] / "results" / "validity"
STEPS = {"flows": 200, "other": 400}
BATCH, POOLS = 16, (4, 16)
SETTINGS = AuditSettings(metrics=("euclidean",), bootstrap=500, permutations=100, batch=128)


def looks(steps: int) -> list[int]:
    found, place = {steps}, 1.0
    while place < steps:
        found.add(round(place))
        place *= 1.15
    return sorted(found)


class Measured:
    """A case with its held-out samples."""

    def __init__(self, case: Case, steps: int) -> None:
        self.case, self.steps = case, steps
        x, y = case.held_out
        self.held = Samples(x, y, torch.arange(len(x)), case.context)
        # Directions times samples set the cost: 14 to 16 of flows and points, 10 of digits.
        count = 32 if x.shape[1:] == (1, 8, 8) else 24
        self.subject = Subject.of(
            case.model, x, y, case.loss, context=case.context, settings=SETTINGS
        )
        self.few = self.subject.first(count)
        self.identity = case.symmetry.group.identity

    def log_losses(self, model: nn.Module, element: Any) -> Tensor:
        moved = moved_samples(self.held, self.case.symmetry, element)
        with torch.no_grad():
            outputs = predict(model, moved.inputs, 128)
            return self.subject.log_loss(outputs, moved.targets).double()

    def train(self, element: Any, tuning: FineTuning, pool: int | None = None) -> dict[str, Any]:
        """T_g and the growth of log ℓ(x) at the looks."""
        case, wanted, found = self.case, set(looks(tuning.steps)), {}
        x, y = case.train
        # A pool is spread over the data, which may be in the order of trajectories.
        index = torch.randperm(len(x), generator=torch.Generator().manual_seed(1))[:pool]
        pairs = Samples(x[index], y[index], torch.arange(len(index)), case.context)
        poses = [pairs, moved_samples(pairs, case.symmetry, element)]

        def draw(source: torch.Generator) -> tuple[Tensor, Tensor]:
            drawn = torch.randint(len(index), (tuning.batch,), generator=source)
            pose = torch.randint(2, (tuning.batch,), generator=source)
            parts = [
                (poses[k].inputs[drawn[pose == k]], poses[k].targets[drawn[pose == k]])
                for k in (0, 1)
            ]
            return torch.cat([p[0] for p in parts]), torch.cat([p[1] for p in parts])

        def look(step: int, model: nn.Module) -> None:
            if step in wanted:
                found[step] = [self.log_losses(model, g) for g in (self.identity, element)]

        start = time.perf_counter()
        train_copy(case.model, draw, case.loss, tuning, look=look)
        before = self.log_losses(case.model, self.identity)
        return {
            "steps": list(found),
            "log_ratio": [float((b - a).mean()) for a, b in found.values()],
            "held_pose": [float((a - before).mean()) for a, _ in found.values()],
            "seconds": time.perf_counter() - start,
        }


def measure(name: str) -> dict[str, Any]:
    """Everything of one model."""
    start = time.perf_counter()
    case = CASES[name]()
    steps = STEPS["flows" if "flows" in name else "other"]
    measured = Measured(case, steps)
    names = [case.symmetry.group.element_name(g) for g in case.elements]
    trained = time.perf_counter() - start
    rho = measure_layer_coherence(measured.few, case.symmetry, case.elements)
    before = measured.log_losses(case.model, measured.identity)
    result: dict[str, Any] = {
        "trained_steps": case.steps,
        "loss": float(before.exp().mean()),
        "elements": {
            n: {
                "log_ratio": float((measured.log_losses(case.model, g) - before).mean()),
                "rho": rho[n].total.orbit.estimate,
            }
            for n, g in zip(names, case.elements, strict=True)
        },
        "runs": {},
        "seconds": {"train": trained},
    }
    for optimiser, rate in case.rates.items():
        tuning = FineTuning(
            steps=steps,
            batch=BATCH,
            optimiser=optimiser,
            learning_rate=rate,  # type: ignore[arg-type]
        )
        forecasts = {}
        for key, parts in (("forecast", 16), ("loss gradients", 1)):
            begun = time.perf_counter()
            tag = price_tag(
                measured.few,
                case.symmetry,
                case.elements,
                tuning,
                parts=parts,
                samples=False,
            )
            forecasts[key] = tag
            result["seconds"][f"{key} {optimiser}"] = time.perf_counter() - begun
        for n, g in zip(names, case.elements, strict=True):
            run = {"actual": measured.train(g, tuning)}
            run |= {key: to_json(tag.elements[n].curve) for key, tag in forecasts.items()}
            result["runs"][f"{optimiser} {n}"] = run
        if optimiser == "adamw":
            # One element is enough for what few samples teach, the first.
            g, n = case.elements[0], names[0]
            few = price_tag(measured.few, case.symmetry, [g], tuning)
            result["pools"] = {
                "element": n,
                "actual": {m: measured.train(g, tuning, m) for m in POOLS},
                "forecast": to_json(few.elements[n].learning_curve),
            }
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", help="some models")
    parser.add_argument("--page", action="store_true", help="only write the page anew")
    given = parser.parse_args()
    torch.set_num_threads(1)
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / "price.json"
    saved = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"models": {}}
    for name in [] if given.page else CASES:
        if name in saved["models"] or name not in (given.only or CASES):
            continue
        start = time.perf_counter()
        found = _short(measure(name))
        # Another process may have added others meanwhile.
        saved = json.loads(path.read_text(encoding="utf-8")) if path.exists() else saved
        saved["models"][name] = found
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(saved, ensure_ascii=False), encoding="utf-8")
        print(f"{name}: {time.perf_counter() - start:.0f} s", flush=True)
    if set(saved["models"]) != set(CASES) and not given.page:
        return
    saved["models"] = {name: saved["models"][name] for name in CASES if name in saved["models"]}
    text = page(saved["models"])
    (RESULTS / "price.md").write_text(text, encoding="utf-8")
    (RESULTS / "price.svg").write_text(picture(saved["models"]), encoding="utf-8")
    print(text)


def _short(value: Any) -> Any:
    """Four digits of every number."""
    if isinstance(value, float):
        return float(f"{value:.4g}") if isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _short(entry) for key, entry in value.items()}
    return [_short(entry) for entry in value] if isinstance(value, list) else value


if __name__ == "__main__":
    main()
