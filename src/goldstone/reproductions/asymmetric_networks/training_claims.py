"""Claims on training: the way from the initialisation, and how long it takes."""

from collections.abc import Callable, Sequence
from statistics import fmean as mean

from goldstone.report.numbers import number
from goldstone.reproductions.asymmetric_networks.barriers import (
    global_convexity,
    local_convexity,
    rise,
)
from goldstone.reproductions.asymmetric_networks.figures import steps
from goldstone.reproductions.asymmetric_networks.found import Found
from goldstone.reproductions.asymmetric_networks.sizes import INTERPOLATED
from goldstone.reproductions.results import Claim, Comparison, Outcome, over_seeds

_INTERPOLATION = {
    "standard": ("26.3 %", "0.079 ± 0.109", "0.548 ± 0.139", "0.823 ± 0.229"),
    "σ-asymmetric": ("87.3 %", "0.004 ± 0.047", "0.675 ± 0.143", "0.976 ± 0.098"),
    "W-asymmetric": ("100 %", "−0.027 ± 0.026", "0.769 ± 0.165", "1.00 ± 0.00"),
}


def training_claims(found: Found, source: str) -> tuple[Claim, Claim]:
    """Monotone interpolation, and speed against what is fixed."""
    return _from_start(found, source), _speed(found, source)


def _from_start(found: Found, source: str) -> Claim:
    rows = []
    monotone = {}
    for arm in INTERPOLATED:
        runs = found.runs("interpolation", arm)
        curves = [run["curve"] for run in runs if run["curve"]]
        monotone[arm] = [float(rise(curve) <= 0) for curve in curves]
        measures: tuple[tuple[str, Callable[[Sequence[float]], float]], ...] = (
            ("share of monotone paths", lambda curve: float(rise(curve) <= 0)),
            ("largest rise Δ", rise),
            ("local convexity", local_convexity),
            ("global convexity", global_convexity),
        )
        for (name, measure), published in zip(measures, _INTERPOLATION[arm], strict=True):
            words = f"{len(runs) - len(curves)} diverged" if len(curves) < len(runs) else ""
            rows.append(
                Comparison(
                    f"{arm}: {name}", published, over_seeds([measure(c) for c in curves]), words
                )
            )
        both = [curve for run in found.runs("digits", arm) for curve in run["from start"]]
        falls = [float(rise(curve) <= 0) for curve in both]
        rows.append(Comparison(f"{arm}: share of monotone paths, AdamW", "", over_seeds(falls)))
    w, standard = mean(monotone["W-asymmetric"]), mean(monotone["standard"])
    most = max(
        rise(run["curve"])
        for arm in INTERPOLATED
        for run in found.runs("interpolation", arm)
        if run["curve"]
    )
    outcome: Outcome = (
        "reproduced" if w == 1.0 and standard < 1.0 else "partly" if w >= standard else
        "not reproduced"
    )  # fmt: skip
    return Claim(
        "From the initialisation to the trained weights the loss of W-asymmetric networks falls "
        "monotonically, always, and that of standard ones often does not.",
        f"{source}, table 4",
        tuple(rows),
        outcome,
        ""
        if outcome == "reproduced"
        else f"Of W-asymmetric networks {w:.0%} are monotone, of standard ones {standard:.0%}. "
        f"What rises, rises by at most {number(most)}, where a large learning rate or weight decay "
        "has driven the weights past the lowest point of the line. The published standard networks "
        "are convolutional ResNets on CIFAR-10, of which most rise; perceptrons with LayerNorm on "
        "digits are nearly convex in every arm, and W-asymmetric ones the most.",
        ("from-start",),
    )


def _speed(found: Found, source: str) -> Claim:
    sizes = found.sizes
    most = sizes.speed_counts[-1]
    none = steps(found, 0, 1.0)
    rows = [Comparison("nothing fixed", "11 epochs (ResNet)", over_seeds(none))]
    slower = []
    for scale in sizes.speed_scales:
        for count in sizes.speed_counts:
            taken = steps(found, count, scale)
            missed = sum(
                run["steps"] is None for run in found.runs("speed", count, f"{scale:g}")
            )  # fmt: skip
            extreme = count == most and scale == sizes.speed_scales[-1]
            rows.append(
                Comparison(
                    f"{count} of 64 fixed, κ = {scale:g}",
                    "up to 72 epochs" if extreme else "",
                    over_seeds(taken),
                    f"{missed} of {len(taken)} not within {sizes.speed_epochs} epochs"
                    if missed
                    else "",
                )
            )
        slower.append(mean(steps(found, most, scale)) > mean(none))
    good = all(slower)
    return Claim(
        "The more entries are fixed, and the larger they are, the longer training takes (steps "
        "until the training loss is 0.1).",
        f"{source}, figure 6",
        tuple(rows),
        "reproduced" if good else "partly" if any(slower) else "not reproduced",
        "" if good else "With some κ the most fixed entries are not slower than none.",
        ("speed",),
    )
