"""Cyclic shifts: the U-Net's stride, the ViT's patches, and errors beside influence."""

from collections.abc import Mapping, Sequence

import numpy as np

from goldstone.report.lines import Line, line_plot
from goldstone.report.marks import BLUE, GREY, ORANGE, VERMILLION
from goldstone.reproductions.figures import side_by_side
from goldstone.reproductions.loss_landscape_geometry.experiments import (
    Elements,
    Experiments,
    Run,
)
from goldstone.reproductions.loss_landscape_geometry.measure import ElementMeasurement
from goldstone.reproductions.loss_landscape_geometry.models import Flow, Network
from goldstone.reproductions.loss_landscape_geometry.part import (
    Part,
    compared,
    estimate,
    judged,
)
from goldstone.reproductions.results import Claim, over_seeds

PUBLISHED_MEAN: Mapping[tuple[Flow, Network], str] = {
    ("CE", "U-Net"): "0.97 (0.962–1.000)",
    ("NS", "U-Net"): "0.97 (0.963–1.000)",
    ("CE", "ViT"): "0.56 / 0.52 (0.32–0.86), horizontal / vertical",
    ("NS", "ViT"): "0.44–0.45 (0.31–0.98)",
}
PUBLISHED_ERROR: Mapping[tuple[Flow, Network], str] = {
    ("CE", "U-Net"): "1.000–1.020",
    ("NS", "U-Net"): "1.000–1.032",
    ("CE", "ViT"): "1.012–1.061",
    ("NS", "ViT"): "1.009–1.078",
}
_SOURCE = "Amarel et al., influence over cyclic shifts"
_UNIFORM_DIAGNOSIS = (
    "High, and far above the null at every shift (ρ), yet lower and less uniform than published. "
    "A shift by one point is four times as long against the flow on 32² points as on 128², and "
    "influence between the multiples falls as training goes on: what is left of the error is then "
    "the lattice's own."
)
KINDS: tuple[tuple[Flow, Network], ...] = (
    ("NS", "U-Net"), ("CE", "U-Net"), ("NS", "ViT"), ("CE", "ViT")
)  # fmt: skip


def shift_claims(experiments: Experiments) -> Part:
    """Four claims about shifts, with two figures."""
    sizes = experiments.sizes
    found: dict[Run, Elements] = {
        run: experiments.shifts(run)
        for flow, network in KINDS
        for run in (Run(flow, network, seed) for seed in sizes.seeds)
    }
    groups = {kind: [r for r in found if (r.flow, r.network) == kind] for kind in KINDS}
    claims = (
        _stride(found, groups, sizes.total_stride),
        _uniform(found, groups, sizes.total_stride),
        _lattice(found, groups, sizes.patch),
        _coincidence(found, groups),
    )
    caption = (
        "median over samples, mean over seeds; the band spans the seeds' means of the quartiles. "
        "The U-Net's total stride is "
        f"{sizes.total_stride}, the ViT's patch {sizes.patch}."
    )
    return Part(
        claims,
        {
            "shifts-influence": f"Influence K over cyclic shifts of the first axis: {caption}",
            "shifts-error": "Third quartile over samples of the error ratio E over the same shifts",
        },
        {
            "shifts-influence": side_by_side(
                [_influence_panel(kind, [found[r] for r in groups[kind]]) for kind in KINDS]
            ),
            "shifts-error": side_by_side(
                [_error_panel(kind, [found[r] for r in groups[kind]]) for kind in KINDS]
            ),
        },
        {
            "shifts": {"columns": [*_row(next(iter(found[next(iter(found))].values())))]}
            | {r.name: {n: [*_row(m).values()] for n, m in e.items()} for r, e in found.items()}
        },
    )


def _stride(
    found: Mapping[Run, Elements], groups: Mapping[tuple[Flow, Network], list[Run]], stride: int
) -> Claim:
    def worst(run: Run) -> float:
        return max(
            abs(1 - k)
            for name, m in found[run].items()
            if _step(name) % stride == 0
            for k in m.coherence["galerkin"].pair
        )

    rows = [
        compared(
            f"largest |1 − K|, any sample, {flow} U-Net",
            "0",
            over_seeds([worst(run) for run in runs]),
        )
        for (flow, network), runs in groups.items()
        if network == "U-Net"
    ]
    exact = all(estimate(s) < 1e-3 for c in rows if (s := c.measured))
    return Claim(
        "The U-Net's influence is exactly 1 at shifts by multiples of its total stride.",
        _SOURCE,
        tuple(rows),
        judged(exact),
        "" if exact else "A network that commutes with these shifts must give 1.",
        ("shifts-influence",),
    )


def _uniform(
    found: Mapping[Run, Elements], groups: Mapping[tuple[Flow, Network], list[Run]], stride: int
) -> Claim:
    rows, means, least = [], [], []
    for kind, runs in groups.items():
        if kind[1] != "U-Net":
            continue
        mean = over_seeds([float(np.mean(_influences(found[r]))) for r in runs])
        lowest = over_seeds([min(_influences(found[r])) for r in runs])
        euclidean = over_seeds([float(np.mean(_influences(found[r], "euclidean"))) for r in runs])
        orbit = over_seeds([float(np.mean(_orbits(found[r], stride))) for r in runs])
        name = f"{kind[0]} U-Net"
        rows += [
            compared(f"mean influence over shifts, {name}", PUBLISHED_MEAN[kind], mean),
            compared(f"lowest over shifts, {name}", "0.96", lowest),
            compared(f"mean in the Euclidean metric, {name}", "", euclidean),
            compared(f"ρ (Euclidean), mean between the multiples, {name}", "", orbit),
        ]
        means.append(estimate(mean))
        least.append(estimate(lowest))
    uniform = min(means) > 0.9 and min(least) > 0.8
    return Claim(
        "Between the multiples of the stride the U-Net's influence stays near-uniformly high.",
        _SOURCE,
        tuple(rows),
        judged(uniform, min(means) > 0.5),
        "" if uniform else _UNIFORM_DIAGNOSIS,
        ("shifts-influence",),
    )


def _lattice(
    found: Mapping[Run, Elements], groups: Mapping[tuple[Flow, Network], list[Run]], patch: int
) -> Claim:
    rows, gaps, lower = [], [], []
    flows: tuple[Flow, ...] = ("NS", "CE")
    for flow in flows:
        vit, unet = (groups[(flow, network)] for network in ("ViT", "U-Net"))
        mean = over_seeds([float(np.mean(_influences(found[r]))) for r in vit])
        gap = over_seeds([_resonance(found[r], patch) for r in vit])
        error = over_seeds([_resonance_of_error(found[r], patch) for r in vit])
        below = over_seeds(
            [
                float(np.mean(_influences(found[a])) - np.mean(_influences(found[b])))
                for a, b in zip(unet, vit, strict=True)
            ]
        )
        published = PUBLISHED_MEAN[(flow, "ViT")]
        rows += [
            compared(f"mean influence over shifts, {flow} ViT", published, mean),
            compared(f"U-Net's mean less ViT's, {flow}", "0.41–0.53", below),
            compared(f"K at multiples of the patch less K elsewhere, {flow} ViT", "> 0", gap),
            compared(f"log E at multiples less elsewhere, {flow} ViT", "< 0", error),
        ]
        gaps.append(gap.low if gap.low is not None else float("nan"))
        lower.append(below.low if below.low is not None else float("nan"))
    both = min(gaps) > 0 and min(lower) > 0
    means = [estimate(c.measured) for c in rows[2::4] + rows[1::4] if c.measured]
    return Claim(
        "The ViT's influence is lower than the U-Net's and resonates with its patch lattice.",
        _SOURCE,
        tuple(rows),
        judged(both, min(means) > 0),
        ""
        if both
        else "The differences have the published sign, but three seeds do not settle all of them.",
        ("shifts-influence", "shifts-error"),
    )


def _coincidence(
    found: Mapping[Run, Elements], groups: Mapping[tuple[Flow, Network], list[Run]]
) -> Claim:
    rows, correlations = [], []
    for kind, runs in groups.items():
        flow, network = kind
        r = over_seeds([_correlation(found[run]) for run in runs])
        low = over_seeds([min(m.error_quartiles[2] for m in found[run].values()) for run in runs])
        high = over_seeds([max(m.error_quartiles[2] for m in found[run].values()) for run in runs])
        rows += [
            compared(f"correlation over shifts of K and log E, {flow} {network}", "< 0", r),
            compared(
                f"third quartile of E over shifts, {flow} {network}: lowest",
                PUBLISHED_ERROR[kind].split("–")[0],
                low,
            ),
            compared(
                f"third quartile of E over shifts, {flow} {network}: highest",
                PUBLISHED_ERROR[kind].split("–")[1],
                high,
            ),
        ]
        correlations.append(estimate(r))
    return Claim(
        "Peaks of influence over shifts coincide with minima of the error.",
        "Amarel et al., influence and error over cyclic shifts",
        tuple(rows),
        judged(max(correlations) < -0.3, min(correlations) < -0.3),
        ""
        if max(correlations) < -0.3
        else "The correlation over shifts is of the published sign for some of the models only.",
        ("shifts-error",),
    )


def _step(name: str) -> int:
    return int(name.split(":")[1])


def _influences(elements: Elements, metric: str = "galerkin") -> list[float]:
    return [m.influence(metric) for m in elements.values()]


def _orbits(elements: Elements, stride: int) -> list[float]:
    return [
        m.coherence["euclidean"].orbit.estimate or 0.0
        for name, m in elements.items()
        if _step(name) % stride
    ]


def _resonance(elements: Elements, patch: int) -> float:
    """Mean median influence at shifts by multiples of the patch, less that of the others."""
    on = [m.influence() for name, m in elements.items() if _step(name) % patch == 0]
    off = [m.influence() for name, m in elements.items() if _step(name) % patch]
    return float(np.mean(on) - np.mean(off))


def _resonance_of_error(elements: Elements, patch: int) -> float:
    on = [np.log(m.error_quartiles[2]) for n, m in elements.items() if _step(n) % patch == 0]
    off = [np.log(m.error_quartiles[2]) for n, m in elements.items() if _step(n) % patch]
    return float(np.mean(on) - np.mean(off))


def _correlation(elements: Elements) -> float:
    """Pearson, of the median influence and the log of the third quartile of E, over shifts."""
    errors = [float(np.log(m.error_quartiles[2])) for m in elements.values()]
    return float(np.corrcoef(_influences(elements), errors)[0, 1])


def _row(m: ElementMeasurement) -> dict[str, float]:
    return {
        "influence": round(m.influence(), 4),
        "influence_euclidean": round(m.influence("euclidean"), 4),
        "null": round(m.coherence["galerkin"].null, 4),
        "rho": round(m.coherence["galerkin"].orbit.estimate or 0.0, 4),
        "rho_euclidean": round(m.coherence["euclidean"].orbit.estimate or 0.0, 4),
        "error_q3": round(m.error_quartiles[2], 5),
    }


def _influence_panel(kind: tuple[Flow, Network], runs: Sequence[Elements]) -> str:
    flow, network = kind
    steps = sorted(_step(name) for name in runs[0] if name.startswith("0:"))

    def quartile(q: float) -> tuple[float, ...]:
        return tuple(
            float(np.mean([np.quantile(e[f"0:{s}"].coherence["galerkin"].pair, q) for e in runs]))
            for s in steps
        )

    def mean(value: str) -> tuple[float, ...]:
        return tuple(float(np.mean([_row(e[f"0:{s}"])[value] for e in runs])) for s in steps)

    colour = BLUE if network == "U-Net" else VERMILLION
    lines = [
        Line("K", quartile(0.5), colour, low=quartile(0.25), high=quartile(0.75)),
        Line("ρ", mean("rho"), ORANGE, (5, 2)),
        Line("null", mean("null"), GREY, (1.5, 1.5)),
    ]
    return line_plot(
        f"k{flow}{network[0]}",
        f"{flow}, {network}",
        "shift (points)",
        steps,
        lines,
        unit="Galerkin metric",
    )


def _error_panel(kind: tuple[Flow, Network], runs: Sequence[Elements]) -> str:
    flow, network = kind
    steps = sorted(_step(name) for name in runs[0] if name.startswith("0:"))
    per_seed = np.array([[e[f"0:{s}"].error_quartiles[2] for s in steps] for e in runs])
    colour = BLUE if network == "U-Net" else VERMILLION
    line = Line(
        "E",
        tuple(per_seed.mean(0).tolist()),
        colour,
        low=tuple(per_seed.min(0).tolist()),
        high=tuple(per_seed.max(0).tolist()),
    )
    return line_plot(
        f"e{flow}{network[0]}",
        f"{flow}, {network}",
        "shift (points)",
        steps,
        [line],
        unit="error ratio E",
        levels={"no change": 1.0},
    )
