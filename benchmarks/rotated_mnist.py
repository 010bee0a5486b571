"""Rotated MNIST: what group convolutions gain over augmentation at equal numbers of parameters.

12000 images to learn from and 50000 to be tested on, drawn from MNIST with a fixed seed, each
turned by an arbitrary angle of its own. A plain CNN, the same with augmentation by rotations, and
group convolutions of C4 (p4), C8, C16, and D16 restricted to C16 in the last convolution, all of
about as many parameters, trained alike (AdamW, one cycle, no tuning for any of them) on 100 to
12000 images. Measured: accuracy on the 50000 rotated test images and on 10000 upright ones; on 1000
at every 15° and at scales of 0.6 to 1.4; parameters; seconds an epoch. At equal parameters a group
convolution has more channels and costs more time, which is measured in interleaved rounds of steps.

    python -m benchmarks.rotated_mnist --mnist FILE.npz [--only NAME …] [--sizes N …] [--seeds N]
    python -m benchmarks.rotated_mnist --digits

The file holds x_train, y_train, x_test and y_test as Keras has them. Every network, size and seed
is a piece of its own and kept in results/rotated_mnist.json; within a piece the training goes on
from its last epoch (--work). The tables are of the pieces that are there. --digits is the quick
version with the 8×8 digits of scikit-learn. One thread.
"""

import argparse
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.rotated_mnist_networks import MAKERS, parameters, width_for
from benchmarks.rounds import interleaved, medians
from benchmarks.study import RESULTS, Runs, figure, interval, shown, table, write_text
from goldstone.core import derive_seed, generator, replacing
from goldstone.report.marks import INK, SERIES
from goldstone.report.svg import Axes, log_axis

ANGLES = tuple(range(0, 360, 15))
SCALES = (0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4)
SIZES = (100, 300, 1000, 3000, 12000)
COSTS = "CPU seconds of an epoch"
COLOURS = dict(zip(MAKERS, SERIES, strict=False))


@dataclass(frozen=True)
class Setting:
    """What a piece is run with.

    ``epochs`` are of 12000 images, or of ``least`` where there are fewer: so many steps in all.
    """

    data: str = "mnist"
    parameters: int = 25_000
    kernel: int = 5
    epochs: int = 10
    least: int = 2000
    batch: int = 64
    rate: float = 5e-3
    upright: int = 10_000
    systematic: int = 1000


DIGITS = Setting("digits", parameters=6000, kernel=3, epochs=20, least=600, systematic=200)


@dataclass(frozen=True)
class Images:
    """Upright images (n, 1, X, X) in [0, 1] with labels and an angle for each."""

    upright: Tensor
    labels: Tensor
    angles: Tensor

    def turned(self) -> Tensor:
        """Each image at its own angle."""
        return moved(self.upright, self.angles)

    def first(self, count: int) -> "Images":
        """The first of them."""
        return Images(self.upright[:count], self.labels[:count], self.angles[:count])


def moved(images: Tensor, angles: Tensor, scale: float = 1.0, batch: int = 2000) -> Tensor:
    """Images turned by angles (n,) in radians about their centre and scaled, bicubic, in [0, 1]."""
    parts = []
    for x, a in zip(images.split(batch), angles.split(batch), strict=True):
        cos, sin, zero = a.cos() / scale, a.sin() / scale, torch.zeros_like(a)
        rows = torch.stack((cos, -sin, zero, sin, cos, zero), -1).reshape(-1, 2, 3)
        grid = functional.affine_grid(rows, list(x.shape), align_corners=False)
        parts.append(functional.grid_sample(x, grid, "bicubic", align_corners=False).clamp(0, 1))
    return torch.cat(parts)


def mnist(path: Path) -> tuple[Images, Images]:
    """12000 training and 50000 test images, the same at every call."""
    with np.load(path) as found:
        x = np.concatenate((found["x_train"], found["x_test"]))
        y = np.concatenate((found["y_train"], found["y_test"]))
    order = torch.randperm(len(x), generator=generator(0, "rotated mnist"))[:62_000]
    images = torch.from_numpy(x)[order][:, None].float() / 255
    return _split(images, torch.from_numpy(y)[order].long(), 12_000)


def digits() -> tuple[Images, Images]:
    """1200 training and 597 test images of scikit-learn, enlarged to 16×16."""
    from sklearn.datasets import load_digits

    found = load_digits()
    order = torch.randperm(len(found.images), generator=generator(0, "rotated digits"))
    small = torch.from_numpy(found.images).float()[order][:, None] / 16
    images = functional.interpolate(small, (16, 16), mode="bilinear", align_corners=False)
    return _split(images, torch.from_numpy(found.target)[order].long(), 1200)


def _split(images: Tensor, labels: Tensor, count: int) -> tuple[Images, Images]:
    angles = 2 * math.pi * torch.rand(len(images), generator=generator(0, "angles"))
    whole = images, labels, angles
    return Images(*(v[:count] for v in whole)), Images(*(v[count:] for v in whole))


def trained(name: str, setting: Setting, train: Images, seed: int, work: Path) -> nn.Module:
    """The trained network; goes on from the last epoch that was finished."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(seed, "weights", name))
        width = width_for(name, setting.kernel, setting.parameters)
        model = MAKERS[name](width, setting.kernel)
    n = len(train.labels)
    x = train.turned()
    batches = -(-max(n, setting.least) // setting.batch)
    optimiser = torch.optim.AdamW(model.parameters(), setting.rate, weight_decay=1e-2)
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, setting.rate, total_steps=batches * setting.epochs
    )
    path, begun = work / f"{setting.data}-{name}-{n}-{seed}.pt", 0
    claim = repr(setting)
    if path.exists() and (kept := torch.load(path, weights_only=True))["claim"] == claim:
        model.load_state_dict(kept["model"])
        optimiser.load_state_dict(kept["optimiser"])
        cycle.load_state_dict(kept["cycle"])
        begun = kept["epoch"]
    for epoch in range(begun, setting.epochs):
        model.train()
        rng = generator(seed, "batches", epoch)
        for _ in range(batches):
            some = torch.randint(n, (min(setting.batch, max(n, 2)),), generator=rng)
            inputs = x[some]
            if name == "augmented":
                angles = 2 * math.pi * torch.rand(len(some), generator=rng)
                inputs = moved(inputs, angles)
            optimiser.zero_grad()
            functional.cross_entropy(model(inputs), train.labels[some]).backward()
            optimiser.step()
            cycle.step()
        work.mkdir(parents=True, exist_ok=True)
        state = {
            "model": model.state_dict(),
            "optimiser": optimiser.state_dict(),
            "cycle": cycle.state_dict(),
        }
        with replacing(path) as temporary:
            torch.save({**state, "epoch": epoch + 1, "claim": claim}, temporary)
        print(f"  {name}, {n} images, seed {seed}: epoch {epoch + 1}", flush=True)
    return model.eval()


def epoch_costs(setting: Setting, side: int, rounds: int = 6) -> dict[str, float]:
    """CPU seconds of an epoch of 12000 images by network: steps in interleaved rounds."""
    rng = generator(0, "inputs")
    x = torch.rand(setting.batch, 1, side, side, generator=rng)
    y = torch.randint(10, (setting.batch,), generator=rng)
    angles = 2 * math.pi * torch.rand(setting.batch, generator=rng)

    def step(name: str, model: nn.Module, optimiser: torch.optim.Optimizer) -> None:
        inputs = moved(x, angles) if name == "augmented" else x
        optimiser.zero_grad()
        functional.cross_entropy(model(inputs), y).backward()
        optimiser.step()

    works = {}
    for name, make in MAKERS.items():
        model = make(width_for(name, setting.kernel, setting.parameters), setting.kernel)
        works[name] = partial(step, name, model, torch.optim.AdamW(model.parameters(), 0.0))
    times, _ = interleaved(works, rounds)
    return {name: v * 12_000 / setting.batch for name, v in medians(times)["cpu"].items()}


@torch.no_grad()
def accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Share of right answers."""
    parts = zip(images.split(500), labels.split(500), strict=True)
    return sum(float((model(x).argmax(1) == y).sum()) for x, y in parts) / len(labels)


def piece(
    name: str, setting: Setting, size: int, seed: int, data: tuple[Images, Images], work: Path
) -> dict[str, Any]:
    """Train one network, or go on with it, and test it."""
    model = trained(name, setting, data[0].first(size), seed, work)
    test = data[1]
    few, standard = test.first(setting.systematic), test.first(setting.upright)
    y, still = few.labels, torch.zeros(len(few.labels))
    return {
        "parameters": parameters(model),
        "rotated": accuracy(model, test.turned(), test.labels),
        "upright": accuracy(model, standard.upright, standard.labels),
        "by_angle": [
            accuracy(model, moved(few.upright, still + math.radians(a)), y) for a in ANGLES
        ],
        "by_scale": [accuracy(model, moved(few.upright, few.angles, s), y) for s in SCALES],
    }


def study(
    runs: Runs,
    setting: Setting,
    data: tuple[Images, Images],
    work: Path,
    names: Sequence[str],
    sizes: Sequence[int],
    seeds: int,
) -> None:
    """Run the pieces that are not there yet."""
    side = data[0].upright.shape[-1]
    runs.get(COSTS, asdict(setting), lambda: epoch_costs(setting, side))
    for seed in range(seeds):
        for size in sizes:
            for name in names:
                runs.get(
                    f"{setting.data}, {name}, {size} images, seed {seed}",
                    asdict(setting),
                    partial(piece, name, setting, size, seed, data, work),
                )


def cells(runs: Runs) -> dict[tuple[str, int], list[dict[str, Any]]]:
    """By network and size: the seeds that were run."""
    found: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for key, run in runs.found.items():
        if key == COSTS:
            continue
        _, name, size, _ = key.split(", ")
        found.setdefault((name, int(size.split()[0])), []).append(run)
    return dict(
        sorted(found.items(), key=lambda item: (item[0][1], list(MAKERS).index(item[0][0])))
    )


def page(runs: Runs) -> str:
    """The tables of what is there."""
    found = cells(runs)
    wanted = [(n, s) for s in SIZES for n in MAKERS] if "mnist" in runs.path.name else []
    missing = [f"{n} at {s}" for n, s in wanted if (n, s) not in found]
    lines = [
        f"# {runs.path.stem.replace('_', ' ').capitalize().replace('mnist', 'MNIST')}",
        "",
        (
            "Written by `python -m benchmarks.rotated_mnist`, which says what is measured. Error "
            "in per cent, mean ± 95 % interval over seeds where there are several."
        ),
        "",
    ]
    if missing:
        lines += [f"Not run yet (network at number of images): {', '.join(missing)}.", ""]
    head = ["images", "network", "seeds", "parameters", "CPU s an epoch of 12000", "error, rotated"]
    head += ["error, upright", "worst angle", "best angle"]
    rows = []
    for (name, size), some in found.items():
        worst, best = (
            shown([100 * (1 - extreme(r["by_angle"])) for r in some]) for extreme in (min, max)
        )
        rotated, upright = (shown([100 * (1 - r[k]) for r in some]) for k in ("rotated", "upright"))
        seconds = shown([runs.found[COSTS][name]], 2)
        count = str(some[0]["parameters"])
        rows.append(
            [str(size), name, str(len(some)), count, seconds, rotated, upright, worst, best]
        )
    lines += [*table(head, rows), "", "## By scale", ""]
    rows = [
        [str(size), name]
        + [shown([100 * (1 - r["by_scale"][k]) for r in some], 2) for k in range(len(SCALES))]
        for (name, size), some in found.items()
    ]
    return "\n".join([*lines, *table(["images", "network", *map(str, SCALES)], rows), ""])


def picture(runs: Runs) -> str:
    """Error against number of images; by angle and by scale at the largest number."""
    found = cells(runs)
    largest = max(size for _, size in found)

    def by_size(axes: Axes) -> None:
        axes.set_title("Rotated test images")
        sizes = sorted({size for _, size in found})
        for name, colour in COLOURS.items():
            points = [
                (size, *interval([100 * (1 - r["rotated"]) for r in found[name, size]]))
                for size in sizes
                if (name, size) in found
            ]
            if points:
                x, y, half = zip(*points, strict=True)
                axes.errorbar(x, y, half, fmt="o-", color=colour, label=name, markersize=4)
        axes.set_xlim(sizes[0] / 1.3, sizes[-1] * 1.3)
        axes.set_xscale("log")
        axes.set_xticks(sizes, [str(n) for n in sizes])
        axes.minorticks_off()
        log_axis(axes.yaxis, 0.5, 100)
        axes.set_xlabel("images learned from")
        axes.set_ylabel("error, %")
        axes.legend(fontsize=9, frameon=False, labelcolor=INK)

    def along(key: str, places: Sequence[float], label: str, axes: Axes) -> None:
        axes.set_title(f"{largest} images, {label}")
        for name, colour in COLOURS.items():
            some = found.get((name, largest), [])
            if some:
                values = [
                    interval([100 * (1 - r[key][k]) for r in some])[0] for k in range(len(places))
                ]
                axes.plot(places, values, "o-", color=colour, label=name, markersize=3)
        axes.set_ylim(bottom=0)
        axes.set_xlabel(label)
        axes.set_ylabel("error, %")

    panels = [
        by_size,
        partial(along, "by_angle", ANGLES, "angle, °"),
        partial(along, "by_scale", SCALES, "scale"),
    ]
    return figure("Rotated MNIST", panels, columns=3, width=390)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mnist", type=Path, help="x_train, y_train, x_test, y_test")
    parser.add_argument("--digits", action="store_true", help="the quick version")
    parser.add_argument("--only", nargs="+", choices=list(MAKERS), default=list(MAKERS))
    parser.add_argument("--sizes", nargs="+", type=int)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=Setting.epochs)
    parser.add_argument("--parameters", type=int, default=Setting.parameters)
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    parser.add_argument("--work", type=Path, default=Path("out/rotated_mnist"))
    given = parser.parse_args(arguments)
    if given.digits == (given.mnist is not None):
        parser.error("expected either --mnist FILE.npz or --digits")
    torch.set_num_threads(1)
    setting = DIGITS if given.digits else Setting(epochs=given.epochs, parameters=given.parameters)
    data = digits() if given.digits else mnist(given.mnist)
    sizes = given.sizes or ((100, 1000) if given.digits else SIZES)
    name = "rotated_digits" if given.digits else "rotated_mnist"
    runs = Runs(given.out / f"{name}.json")
    study(runs, setting, data, given.work, given.only, sizes, given.seeds)
    write_text(given.out / f"{name}.md", page(runs))
    write_text(given.out / f"{name}.svg", picture(runs))
    print(page(runs))


if __name__ == "__main__":
    main()
