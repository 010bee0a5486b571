"""The figures, drawn as the report draws."""

from collections.abc import Sequence

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
)

CAPTIONS = {
    "barriers": (
        "Test loss on the straight line between two transformers after each alignment of the "
        "second, mean over pairs (left), with 95 % intervals (right, three of them)."
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
                _between("all", runs, METHODS, banded=False),
                _between("some", runs, (VANILLA, MATCHED, LEARNED), banded=True),
            ]
        ),
        "learning": side_by_side([_learning(runs)]),
    }
    return {name: drawing for name, drawing in drawn.items() if drawing}


def _between(key: str, runs: Runs, methods: Sequence[str], *, banded: bool) -> str:
    lines = []
    for method in methods:
        losses = [run["losses"] for run in runs[method]]
        spread = [over_seeds(values) for values in zip(*losses, strict=True)]
        bands = banded and len(losses) > 1
        lines.append(
            Line(
                _SHORT[method],
                tuple(one.estimate for one in spread),
                _COLOURS[method],
                low=tuple(one.low for one in spread) if bands else (),
                high=tuple(one.high for one in spread) if bands else (),
            )
        )
    points = len(runs[VANILLA][0]["losses"])
    return line_plot(
        f"transformer-between-{key}", "between two transformers", "position on the line",
        [k / (points - 1) for k in range(points)], lines, unit="test loss (nats a character)",
        width=430, height=330,
    )  # fmt: skip


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
