"""The figures, drawn as the report draws."""

from collections.abc import Sequence

from goldstone.report.lines import Line, line_plot
from goldstone.report.marks import SERIES
from goldstone.reproductions.asymmetric_networks.found import Found
from goldstone.reproductions.asymmetric_networks.sizes import (
    ALIGNED,
    ARMS,
    BAYESIAN,
    CONTROLS,
    INTERPOLATED,
)
from goldstone.reproductions.figures import side_by_side
from goldstone.reproductions.results import over_seeds

CAPTIONS = {
    "barriers": (
        "Test loss on the straight line between two networks, mean over pairs with 95 % intervals "
        "(W: asymmetric by fixed weights; κ = 0: these weights are zero; σ: by its activation)."
    ),
    "from-start": (
        "Training loss on the straight line from the initial weights to the trained ones, SGD of "
        "random hyperparameters: each network thin, the mean thick."
    ),
    "speed": (
        "Steps until the training loss is 0.1, against the share of entries fixed, for three "
        "sizes κ of these entries; 95 % intervals over seeds."
    ),
    "posterior": (
        "Test accuracy of Bayesian networks over training, by depth: mean and 95 % interval."
    ),
}
SHORT = {
    "standard": "standard",
    ALIGNED: "aligned",
    "W-asymmetric": "W",
    "W-asymmetric, zeros": "W, κ = 0",
    "σ-asymmetric": "σ",
    "σ-asymmetric, N(0, 1)": "σ, N(0, 1)",
    "standard, point estimate": "not Bayesian",
}
_COLOURS = dict(zip(SHORT, SERIES, strict=False))


def drawings(found: Found) -> dict[str, str]:
    """By name, those of which something was measured."""
    drawn = {
        "barriers": side_by_side([_between(found, "digits"), _between(found, "MNIST")]),
        "from-start": side_by_side([_from_start(found, arm) for arm in INTERPOLATED], columns=3),
        "speed": side_by_side([_speed(found)]),
        "posterior": side_by_side(
            [_posterior(found, depth) for depth in found.sizes.bayesian_depths], columns=3
        ),
    }
    return {name: drawing for name, drawing in drawn.items() if drawing}


def _line(
    name: str, colour: str, runs: Sequence[Sequence[float]], most: float = float("inf")
) -> Line:
    """The mean over runs with its interval, cut to 0 … most, where the quantity lies."""
    spread = [over_seeds(values) for values in zip(*runs, strict=True)]
    banded = len(runs) > 1
    return Line(
        name,
        tuple(one.estimate for one in spread),
        colour,
        low=tuple(max(one.low or 0.0, 0.0) for one in spread) if banded else (),
        high=tuple(min(one.high or 0.0, most) for one in spread) if banded else (),
    )


def _between(found: Found, data: str) -> str:
    arms = ("standard", ALIGNED, *ARMS[1:])
    lines = [
        _line(SHORT[arm], _COLOURS[arm], [one["losses"] for one in runs])
        for arm in arms
        if (runs := found.lines(data, arm))
    ]
    if not lines:
        return ""
    return line_plot(
        f"asymmetric-between-{data}", f"between two networks, {data}", "position on the line",
        _positions(found.sizes.points), lines, unit="test loss", width=420, height=300,
    )  # fmt: skip


def _from_start(found: Found, arm: str) -> str:
    curves = [run["curve"] for run in found.runs("interpolation", arm) if run["curve"]]
    if not curves:
        return ""
    colour = _COLOURS[arm]
    thin = [Line("", tuple(curve), colour, thin=True) for curve in curves]
    mean = tuple(over_seeds(values).estimate for values in zip(*curves, strict=True))
    return line_plot(
        f"asymmetric-start-{INTERPOLATED.index(arm)}", f"from its start, {arm}",
        "position on the line", _positions(found.sizes.points),
        [*thin, Line("mean", mean, colour)], unit="training loss",
    )  # fmt: skip


def _speed(found: Found) -> str:
    sizes = found.sizes
    none = steps(found, 0, 1.0)
    lines = [
        _line(
            f"κ = {scale:g}",
            SERIES[k],
            list(
                zip(none, *(steps(found, n, scale) for n in sizes.speed_counts), strict=True)
            ),
        )
        for k, scale in enumerate(sizes.speed_scales)
    ]  # fmt: skip
    return line_plot(
        "asymmetric-speed", "steps until the training loss is 0.1", "share of entries fixed",
        [n / 64 for n in (0, *sizes.speed_counts)], lines, unit="steps", width=420,
    )  # fmt: skip


def steps(found: Found, count: int, scale: float) -> list[float]:
    """Steps to the level of each seed; all there were where it was not reached."""
    most = float(found.sizes.speed_epochs * 20)
    runs = found.runs("speed", count, f"{scale:g}")
    return [most if run["steps"] is None else float(run["steps"]) for run in runs]


def _posterior(found: Found, depth: int) -> str:
    lines = [
        _line(SHORT[arm], _COLOURS[arm], [run["history"] for run in runs], most=1.0)
        for arm in (*BAYESIAN, *CONTROLS)
        if (runs := found.runs("posterior", depth, arm))
    ]
    epochs = [float(k) for k in range(1, found.sizes.bayesian_epochs + 1)]
    return line_plot(
        f"asymmetric-posterior-{depth}", f"{depth} hidden layers", "epoch", epochs, lines,
        unit="test accuracy",
    )  # fmt: skip


def _positions(points: int) -> list[float]:
    return [k / (points - 1) for k in range(points)]
