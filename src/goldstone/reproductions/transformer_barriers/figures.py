"""The figures, drawn as the report draws."""

from goldstone.report.dots import DotPlot, dot_plot, series_dots
from goldstone.report.lines import Line, line_plot
from goldstone.report.marks import SERIES
from goldstone.reproductions.figures import side_by_side
from goldstone.reproductions.results import over_seeds
from goldstone.reproductions.transformer_barriers.claims import (
    ACTIVATIONS,
    LEARNED,
    LEARNED_PERMUTED,
    MATCHED,
    METHODS,
    PERMUTED,
    VANILLA,
    Runs,
    barriers,
)

CAPTIONS = {
    "barriers": (
        "Test loss on the straight line between two transformers after each alignment of the "
        "second, mean over pairs, and the barriers with 95 % intervals. Matching is of weights "
        "along permutations or all symmetries unless it is of activations or learned."
    ),
    "learning": (
        "Loss halfway between the networks while the symmetries are learned, on the same windows "
        "of the training text: each pair thin, the mean thick."
    ),
}
_SHORT = {
    VANILLA: "vanilla",
    ACTIVATIONS: "activations",
    PERMUTED: "permutations",
    LEARNED_PERMUTED: "learned perm",
    MATCHED: "all",
    LEARNED: "learned all",
}
_COLOURS = dict(zip(METHODS, SERIES, strict=False))


def drawings(runs: Runs) -> dict[str, str]:
    """By name, those of which something was measured."""
    drawn = {
        "barriers": side_by_side(
            [
                _between(runs),
                _barriers(runs),
            ]
        ),
        "learning": side_by_side([_learning(runs)]),
    }
    return {name: drawing for name, drawing in drawn.items() if drawing}


def _between(runs: Runs) -> str:
    lines = []
    for method in METHODS:
        losses = [run["losses"] for run in runs[method]]
        mean = tuple(over_seeds(values).estimate for values in zip(*losses, strict=True))
        lines.append(Line(_SHORT[method], mean, _COLOURS[method]))
    points = len(runs[VANILLA][0]["losses"])
    return line_plot(
        "transformer-between", "between two transformers", "position on the line",
        [k / (points - 1) for k in range(points)], lines, unit="test loss (nats a character)",
        width=430, height=330,
    )  # fmt: skip


def _barriers(runs: Runs) -> str:
    plot = DotPlot(
        title="barrier after each alignment",
        unit="nats a character",
        rows=tuple(_SHORT[method] for method in METHODS),
        dots=series_dots([over_seeds(barriers(runs, method)) for method in METHODS]),
        lines={},
        log=True,
        per="alignment",
        width=360,
    )
    return dot_plot("transformer-barriers", plot)


def _learning(runs: Runs) -> str:
    lines: list[Line] = []
    steps: list[float] = []
    for method in (LEARNED_PERMUTED, LEARNED):
        each = [[value for _, value in run["middle"]] for run in runs[method]]
        steps = [float(step) for step, _ in runs[method][0]["middle"]]
        colour = _COLOURS[method]
        lines += [Line("", tuple(values), colour, thin=True) for values in each]
        mean = tuple(over_seeds(values).estimate for values in zip(*each, strict=True))
        lines.append(Line(_SHORT[method], mean, colour))
    return line_plot(
        "transformer-learning", "loss halfway while it learns", "step", steps, lines,
        unit="nats a character", width=430,
    )  # fmt: skip
