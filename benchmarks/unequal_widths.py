"""Barriers between networks of unequal widths: zero units and copied units, side by side.

    python -m benchmarks.unequal_widths

Two spirals, MLPs with two hidden layers, three pairs each; writes results/unequal_widths.md. One
thread, about two minutes.
"""

import time

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.study import RESULTS, shown, table, write_text
from goldstone.weightspace import (
    loss_barrier,
    parameter_symmetries,
    semi_permutation_matching,
    weight_matching,
    widened,
)

ACTIVATIONS: dict[str, type[nn.Module]] = {"ReLU": nn.ReLU, "GELU": nn.GELU}
WIDTHS = ((20, 32), (32, 64), (16, 64))
PAIRS = 3
METHODS = ("zero units, as given", "permutations", "all kinds", "copied units")


def spirals() -> tuple[Tensor, Tensor]:
    """200 points on two arms."""
    t = torch.linspace(0.3, 1, 100)
    angle = torch.cat([6 * t, 6 * t + torch.pi])
    points = 2 * torch.stack([angle.cos(), angle.sin()], 1) * t.repeat(2)[:, None]
    return points, torch.arange(2).repeat_interleave(100)


def each(out: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy of each sample."""
    return functional.cross_entropy(out, target, reduction="none")


def trained(seed: int, width: int, activation: type[nn.Module]) -> nn.Module:
    """A network after 250 steps of Adam."""
    torch.manual_seed(seed)
    layers = (nn.Linear(2, width), activation(), nn.Linear(width, width), activation())
    model = nn.Sequential(*layers, nn.Linear(width, 2))
    x, y = spirals()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(250):
        optimiser.zero_grad()
        torch.autograd.backward(each(model(x), y).mean())
        optimiser.step()
    return model


def compared(seed: int, narrow: int, wide: int, activation: type[nn.Module]) -> list[float]:
    """Barriers by method, then distances of those that were matched, then seconds of copying."""
    a, b = trained(2 * seed, wide, activation), trained(2 * seed + 1, narrow, activation)
    x, y = spirals()
    symmetries = parameter_symmetries(a, (x,))
    padded = widened(b, a, (x,))
    permuted = weight_matching(a, padded, symmetries, kinds=("permutation",))
    moved = weight_matching(a, padded, symmetries)
    start = time.perf_counter()
    copied = semi_permutation_matching(a, b, (x,))
    seconds = time.perf_counter() - start
    models = (padded, permuted.model(a), moved.model(a), copied.model(a))
    barriers = [loss_barrier(a, one, x, y, each).barrier.estimate or 0.0 for one in models]
    return [*barriers, permuted.distance, moved.distance, copied.distance, seconds]


def main() -> None:
    """Measure, print and write the table."""
    torch.set_num_threads(1)
    rows = []
    for name, activation in ACTIVATIONS.items():
        for narrow, wide in WIDTHS:
            found = [compared(seed, narrow, wide, activation) for seed in range(PAIRS)]
            columns = list(zip(*found, strict=True))
            cells = [shown(column) for column in columns]
            rows.append([name, f"{narrow} into {wide}", *cells])
    head = ["", "widths", *METHODS, *(f"distance, {m}" for m in METHODS[1:]), "copying, s"]
    words = f"Barriers and distances, mean ± 95 % interval over {PAIRS} pairs; two spirals.\n"
    text = "\n".join(("# Networks of unequal widths", "", words, *table(head, rows))) + "\n"
    write_text(RESULTS / "unequal_widths.md", text)
    print(text)


if __name__ == "__main__":
    main()
