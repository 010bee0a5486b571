"""Tables and figure of rotated_mnist.py."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from benchmarks.rotated_mnist_networks import MAKERS
from benchmarks.study import Runs, figure, interval, shown, table
from goldstone.report.marks import INK, SERIES
from goldstone.report.svg import Axes, log_axis

ANGLES = tuple(range(0, 360, 15))
SCALES = (0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4)
SIZES = {"mnist": (100, 300, 1000, 3000, 12000), "digits": (100, 1200)}
COSTS = "CPU seconds of an epoch"
COLOURS = dict(zip([n for n in MAKERS if "maxima" not in n], SERIES, strict=False))
KEY = re.compile(r"(?P<name>.+), (?P<size>\d+) images, (?P<steps>\d+) steps, seed \d+")
PUBLISHED = (
    "Published errors with all 12000 images: 2.28 % for p4 (Cohen & Welling 2016, 25 000 "
    "parameters), 0.68 % for the best steerable network (Weiler & Cesa 2019, a far larger one with "
    "augmentation)."
)


class Cell(NamedTuple):
    """What is averaged over seeds."""

    size: int
    steps: int
    name: str


Cells = dict[Cell, list[dict[str, Any]]]


def cells(runs: Runs) -> Cells:
    """The seeds that were run, by size, steps and network."""
    found: Cells = {}
    for key, run in runs.found.items():
        if match := KEY.fullmatch(key):
            cell = Cell(int(match["size"]), int(match["steps"]), match["name"])
            found.setdefault(cell, []).append(run)
    return dict(
        sorted(found.items(), key=lambda item: (*item[0][:2], list(MAKERS).index(item[0].name)))
    )


def _errors(some: Sequence[dict[str, Any]], key: str) -> list[float]:
    return [100 * (1 - run[key]) for run in some]


def _error_shown(some: Sequence[dict[str, Any]]) -> str:
    """Mean error with its interval over seeds; for one seed over test images."""
    if len(some) > 1:
        return shown(_errors(some, "rotated"))
    ((error,), count) = _errors(some, "rotated"), some[0]["tested"]
    half = 1.96 * (error * (100 - error) / count) ** 0.5
    return f"{error:.2f} ± {half:.2f}"


def page(runs: Runs) -> str:
    """The tables of what is there."""
    found = cells(runs)
    full = "mnist" in runs.path.name
    there = {(c.name, c.size) for c in found}
    wanted = [(n, s) for s in SIZES["mnist"] for n in MAKERS] if full else []
    missing = [f"{n} at {s}" for n, s in wanted if (n, s) not in there]
    lines = [
        f"# {runs.path.stem.replace('_', ' ').capitalize().replace('mnist', 'MNIST')}",
        "",
        (
            "Written by `python -m benchmarks.rotated_mnist`, which says what is measured. Error "
            "in per cent, mean ± 95 % interval over seeds; over test images (binomial) where there "
            "is one seed."
        ),
        "",
    ]
    if full:
        lines += [PUBLISHED, ""]
    if missing:
        lines += [f"Not run (network at number of images): {', '.join(missing)}.", ""]
    head = ["images", "steps", "network", "seeds", "parameters", "CPU s an epoch of 12000"]
    head += ["error", "at the worst angle", "at the best angle"]
    rows = []
    for cell, some in found.items():
        extremes = [
            shown([100 * (1 - pick(r["by_angle"])) for r in some], 2) for pick in (min, max)
        ]
        rows.append(
            [
                str(cell.size),
                str(cell.steps),
                cell.name,
                str(len(some)),
                str(some[0]["parameters"]),
                shown([runs.found[COSTS][cell.name]], 2),
                _error_shown(some),
                *extremes,
            ]
        )
    lines += table(head, rows)
    lines += ["", "## Error by scale", ""]
    lines += _along(found, "by_scale", SCALES, SCALES, "scale", _error)
    lines += ["", "## Change of the logits when an image turns", ""]
    lines += [
        (
            "‖f(g x) − f(x)‖ by the angle of g, as a multiple of that of two different images. "
            "The image is interpolated, so that no network is exact but at quarter turns."
        ),
        "",
    ]
    some_angles = (15, 30, 45, 90)
    for key, title in (("change_before", "Before training:"), ("change_after", "After:")):
        lines += [title, "", *_along(found, key, ANGLES, some_angles, "angle, °", float), ""]
    return "\n".join(lines)


def _error(value: float) -> float:
    return 100 * (1 - value)


def _along(
    found: Cells,
    key: str,
    kept_at: Sequence[float],
    places: Sequence[float],
    label: str,
    measure: Callable[[float], float],
) -> Iterator[str]:
    """A table with a column for each of ``places``, of what was kept at ``kept_at``."""
    rows = [
        [str(cell.size), str(cell.steps), cell.name]
        + [shown([measure(r[key][kept_at.index(p)]) for r in some], 2) for p in places]
        for cell, some in found.items()
    ]
    return table(["images", "steps", f"network, by {label}", *map(str, places)], rows)


def picture(runs: Runs) -> str:
    """Error against number of images; by angle and by scale at the largest number."""
    found = cells(runs)
    steps = min(cell.steps for cell in found)
    same = {(c.name, c.size): some for c, some in found.items() if c.steps == steps}
    largest = max(size for _, size in same)

    def by_size(axes: Axes) -> None:
        axes.set_title(f"Rotated test images, {steps} steps")
        sizes = sorted({size for _, size in same})
        for name, colour in COLOURS.items():
            points = [
                (size, *interval(_errors(same[name, size], "rotated")))
                for size in sizes
                if (name, size) in same
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
            some = same.get((name, largest), [])
            if some:
                values = [
                    interval([_error(r[key][k]) for r in some])[0] for k in range(len(places))
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
