"""Rotated MNIST: what group convolutions gain over augmentation at equal numbers of parameters.

12000 images to learn from and 50000 to be tested on, drawn from MNIST with a fixed seed, each
turned by an arbitrary angle of its own. A plain CNN, the same with augmentation by rotations, and
group convolutions of C4 (p4; with augmentation too), C8, C16, and D16 restricted to C16 in the last
convolution, all of about as many parameters, trained alike (as many steps whatever the number of
images, AdamW, one cycle, bfloat16 autocast, no tuning for any of them) on 100 to 12000 images.
Measured: accuracy on rotated test images (all 50000 for the largest number, else 10000), at every
15° and at scales of 0.6 to 1.4 (a fiftieth of them); by how much the logits change when an image
turns, before and after training; parameters; seconds an epoch. At equal parameters a group
convolution has more channels and costs more time, which is measured in interleaved rounds of steps.

    python -m benchmarks.rotated_mnist --mnist FILE.npz [--only NAME …] [--sizes N …] [--seeds N …]
    python -m benchmarks.rotated_mnist --mnist FILE.npz --sizes 12000 --steps 5000
    python -m benchmarks.rotated_mnist --digits

The file holds x_train, y_train, x_test and y_test as Keras has them. Every network, size, number of
steps and seed is a piece of its own and kept in results/rotated_mnist.json; within a piece the
training goes on from where it was (--work). The tables are of the pieces that are there. --digits
is the quick version with the 8×8 digits of scikit-learn. One thread.
"""

import argparse
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.rotated_mnist_images import Images, digits, mnist, moved
from benchmarks.rotated_mnist_networks import MAKERS, augmented, parameters, width_for
from benchmarks.rotated_mnist_page import ANGLES, COSTS, SCALES, SIZES, page, picture
from benchmarks.rounds import interleaved, medians
from benchmarks.study import RESULTS, Runs, write_text
from goldstone.core import derive_seed, generator, replacing

KEPT_EVERY = 100  # steps


@dataclass(frozen=True)
class Setting:
    """What a piece is run with, its number of steps aside."""

    data: str = "mnist"
    parameters: int = 25_000
    kernel: int = 5
    batch: int = 64
    rate: float = 5e-3
    tested: int = 10_000


DIGITS = Setting("digits", parameters=6000, kernel=3, tested=597)
STEPS = {"mnist": 1000, "digits": 400}


def make(name: str, setting: Setting, seed: int) -> nn.Module:
    """The untrained network."""
    with torch.random.fork_rng(devices=[]):
        kind = name.removesuffix(" with maxima").removesuffix(" augmented")
        torch.manual_seed(derive_seed(seed, "weights", kind))
        width = width_for(name, setting.kernel, setting.parameters)
        return MAKERS[name](width, setting.kernel)


def step(model: nn.Module, optimiser: torch.optim.Optimizer, x: Tensor, labels: Tensor) -> None:
    """One step of training in bfloat16 autocast."""
    optimiser.zero_grad()
    with torch.autocast("cpu", torch.bfloat16):
        loss = functional.cross_entropy(model(x), labels)
    loss.backward()
    optimiser.step()


def trained(
    name: str, setting: Setting, steps: int, train: Images, seed: int, work: Path
) -> nn.Module:
    """The trained network; goes on from where it was kept."""
    model = make(name, setting, seed)
    x, n = train.turned(), len(train.labels)
    optimiser = torch.optim.AdamW(model.parameters(), setting.rate, weight_decay=1e-2)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, setting.rate, total_steps=steps)
    parts = {"model": model, "optimiser": optimiser, "cycle": cycle}
    path, begun = work / f"{setting.data}-{name}-{n}-{steps}-{seed}.pt", 0
    claim = repr(setting)
    if path.exists() and (kept := torch.load(path, weights_only=True))["claim"] == claim:
        for key, part in parts.items():
            part.load_state_dict(kept[key])
        begun = kept["steps"]
    model.train()
    for k in range(begun, steps):
        rng = generator(seed, "batches", k)
        some = torch.randint(n, (setting.batch,), generator=rng)
        inputs = x[some]
        if augmented(name):
            inputs = moved(inputs, 2 * math.pi * torch.rand(len(some), generator=rng))
        step(model, optimiser, inputs, train.labels[some])
        cycle.step()
        if (k + 1) % KEPT_EVERY == 0 or k + 1 == steps:
            work.mkdir(parents=True, exist_ok=True)
            state = {key: part.state_dict() for key, part in parts.items()}
            with replacing(path) as temporary:
                torch.save({**state, "steps": k + 1, "claim": claim}, temporary)
            print(f"  {name}, {n} images, seed {seed}: step {k + 1}", flush=True)
    return model.eval()


def epoch_costs(setting: Setting, side: int, rounds: int = 6) -> dict[str, float]:
    """CPU seconds of an epoch of 12000 images by network: steps in interleaved rounds."""
    rng = generator(0, "inputs")
    x = torch.rand(setting.batch, 1, side, side, generator=rng)
    y = torch.randint(10, (setting.batch,), generator=rng)
    angles = 2 * math.pi * torch.rand(setting.batch, generator=rng)

    def work(name: str, model: nn.Module, optimiser: torch.optim.Optimizer) -> None:
        step(model, optimiser, moved(x, angles) if augmented(name) else x, y)

    works = {}
    for name in MAKERS:
        model = make(name, setting, 0)
        works[name] = partial(work, name, model, torch.optim.AdamW(model.parameters(), 0.0))
    times, _ = interleaved(works, rounds)
    return {name: v * 12_000 / setting.batch for name, v in medians(times)["cpu"].items()}


@torch.no_grad()
def untrained(name: str, setting: Setting, seed: int, images: Tensor) -> nn.Module:
    """The network before training, with the batch statistics of some images."""
    model = make(name, setting, seed).train()
    for x in images.split(setting.batch):
        model(x)
    return model.eval()


@torch.no_grad()
def accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Share of right answers."""
    parts = zip(images.split(500), labels.split(500), strict=True)
    return sum(float((model(x).argmax(1) == y).sum()) for x, y in parts) / len(labels)


@torch.no_grad()
def change_by_angle(model: nn.Module, images: Tensor) -> list[float]:
    """How far logits move when images turn by each of ``ANGLES``: 1 is as far as to other images.

    √(Σₓ ‖f(g x) − f(x)‖² / 2 Σₓ ‖f(x) − f̄‖²), f̄ the mean over images.
    """
    here, still = model(images), torch.zeros(len(images))
    apart = 2**0.5 * (here - here.mean(0)).norm()
    turned = [model(moved(images, still + math.radians(a))) for a in ANGLES]
    return [float((there - here).norm() / apart) for there in turned]


def piece(
    name: str,
    setting: Setting,
    steps: int,
    size: int,
    seed: int,
    data: tuple[Images, Images],
    work: Path,
) -> dict[str, Any]:
    """Train one network, or go on with it, and test it."""
    model = trained(name, setting, steps, data[0].first(size), seed, work)
    tested = 5 * setting.tested if size == SIZES[setting.data][-1] else setting.tested
    test = data[1].first(tested)
    few = test.first(max(len(test.labels) // 50, 200))
    before = untrained(name, setting, seed, test.first(640).turned())
    y, still = few.labels, torch.zeros(len(few.labels))
    return {
        "parameters": parameters(model),
        "tested": len(test.labels),
        "rotated": accuracy(model, test.turned(), test.labels),
        "by_angle": [
            accuracy(model, moved(few.upright, still + math.radians(a)), y) for a in ANGLES
        ],
        "by_scale": [accuracy(model, moved(few.upright, few.angles, s), y) for s in SCALES],
        "change_before": change_by_angle(before, few.upright[:200]),
        "change_after": change_by_angle(model, few.upright[:200]),
    }


def study(
    runs: Runs,
    setting: Setting,
    steps: int,
    data: tuple[Images, Images],
    work: Path,
    names: Sequence[str],
    sizes: Sequence[int],
    seeds: Sequence[int],
) -> None:
    """Run the pieces that are not there yet."""
    side = data[0].upright.shape[-1]
    runs.get(COSTS, asdict(setting), lambda: epoch_costs(setting, side))
    for seed in seeds:
        for size in sizes:
            for name in names:
                runs.get(
                    f"{name}, {size} images, {steps} steps, seed {seed}",
                    asdict(setting),
                    partial(piece, name, setting, steps, size, seed, data, work),
                )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mnist", type=Path, help="x_train, y_train, x_test, y_test")
    parser.add_argument("--digits", action="store_true", help="the quick version")
    parser.add_argument("--only", nargs="+", choices=list(MAKERS), default=list(MAKERS))
    parser.add_argument("--sizes", nargs="+", type=int)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--steps", type=int, help="of training, whatever the number of images")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    parser.add_argument("--work", type=Path, default=Path("out/rotated_mnist"))
    given = parser.parse_args(arguments)
    if given.digits == (given.mnist is not None):
        parser.error("expected either --mnist FILE.npz or --digits")
    torch.set_num_threads(1)
    setting = DIGITS if given.digits else Setting()
    data = digits() if given.digits else mnist(given.mnist)
    steps = given.steps or STEPS[setting.data]
    sizes = given.sizes or SIZES[setting.data]
    name = f"rotated_{setting.data}"
    runs = Runs(given.out / f"{name}.json")
    study(runs, setting, steps, data, given.work, given.only, sizes, given.seeds)
    write_text(given.out / f"{name}.md", page(runs))
    write_text(given.out / f"{name}.svg", picture(runs))
    print(page(runs))


if __name__ == "__main__":
    main()
