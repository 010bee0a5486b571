"""Claims on stationary measures of the Langevin equation."""

from functools import partial

from goldstone.report.lines import Line, line_plot
from goldstone.report.marks import SERIES
from goldstone.reproductions.figures import side_by_side
from goldstone.reproductions.implicit_bias.measures import langevin_pair, predicted_means
from goldstone.reproductions.implicit_bias.sizes import Sizes
from goldstone.reproductions.kept import Kept
from goldstone.reproductions.parts import Part
from goldstone.reproductions.results import Claim, Comparison, over_seeds

_SOURCE = "arXiv 2601.06597"
_ORACLE = "an independent program"
_CAPTION = "Density on the gauge slice: sampled, predicted with the correction, and without."
_DISTANCES = {"corrected": 0.005, "uncorrected": 0.157, "opposite sign": 0.289}


def measure_claims(kept: Kept, sizes: Sizes) -> Part:
    """Sample, and compare with the corrected and the uncorrected density."""
    runs = [
        kept.measure(f"langevin-{seed}", partial(langevin_pair, seed, sizes))
        for seed in range(sizes.seeds)
    ]
    distances = {name: over_seeds([run["distance"][name] for run in runs]) for name in _DISTANCES}
    means = over_seeds([run["mean"] for run in runs])
    predicted = predicted_means()
    right = distances["corrected"].estimate or 0.0
    wrong = distances["uncorrected"].estimate or 0.0
    conditional = Claim(
        "On the gauge slice u² = v² the stationary density of noisy training is e^{−L_eff/T}, with "
        "L_eff = L + (T/2) log det(∇χ∇χᵀ).",
        f"{_SOURCE}; numbers of {_ORACLE}",
        tuple(
            Comparison(f"total variation, {name}", f"{published:g}", distances[name])
            for name, published in _DISTANCES.items()
        ),
        "reproduced" if right < 0.1 * wrong else "not reproduced",
        "" if right < 0.1 * wrong else "the corrected density is not much nearer",
        ("langevin",),
    )
    near = means.estimate is not None and abs(means.estimate - predicted["with"]) < 0.02
    marginal = Claim(
        "The predictor θ = uv itself has another density, e^{−ℓ/T} times the volume of its orbit, "
        "K₀.",
        f"{_SOURCE}; numbers of {_ORACLE}",
        (
            Comparison("mean of θ, sampled", "0.567", means),
            Comparison("predicted with K₀", "0.567", words=f"{predicted['with']:.3f}"),
            Comparison("predicted without", "0.741", words=f"{predicted['without']:.3f}"),
        ),
        "reproduced" if near else "not reproduced",
        "" if near else "the mean differs from the predicted one by more than 0.02",
    )
    first = runs[0]
    lines = [Line("sampled", tuple(first["seen"]), SERIES[0])] + [
        Line(name, tuple(first["densities"][name]), SERIES[k + 1], dash=(5, 2))
        for k, name in enumerate(("corrected", "uncorrected"))
    ]
    panel = line_plot(
        "bias-langevin", "density of r = √(uv) on the slice", "r", first["r"], lines,
        unit="density", width=430, height=300,
    )  # fmt: skip
    return Part(
        (conditional, marginal),
        {"langevin": _CAPTION},
        {"langevin": side_by_side([panel])},
        {"langevin": runs},
        sum(kept.seconds(f"langevin-{seed}") for seed in range(sizes.seeds)),
    )
