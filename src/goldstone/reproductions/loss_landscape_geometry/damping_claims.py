"""Does the damping λ of the metric matter?"""

from goldstone.reproductions.loss_landscape_geometry.experiments import Experiments, Run
from goldstone.reproductions.loss_landscape_geometry.part import (
    Part,
    compared,
    estimate,
    judged,
)
from goldstone.reproductions.results import Claim, Comparison, over_seeds

SMALL = 1e-2
"""λ up to a hundredth of the mean curvature is what the claim is about."""


def damping_claims(experiments: Experiments) -> Part:
    """The largest change of median influence over λ, shifts and D4."""
    rows: list[Comparison] = []
    changes = []
    for flow in ("NS", "CE"):
        for network in ("U-Net", "ViT"):
            runs = [Run(flow, network, seed) for seed in experiments.sizes.seeds]
            small = over_seeds([_largest_change(experiments, r, SMALL) for r in runs])
            rows.append(
                compared(
                    f"largest change of K, any shift or turn, λ up to 0.01, {flow} {network}",
                    "none visible",
                    small,
                )
            )
            changes.append(estimate(small))
            top = max(experiments.sizes.dampings)
            if top > SMALL:
                large = over_seeds([_largest_change(experiments, r, top) for r in runs])
                rows.append(compared(f"the same, λ up to {top:g}, {flow} {network}", "", large))
    claim = Claim(
        "Influence does not depend on the damping λ of the metric.",
        "Amarel et al., App. D and the choice of λ",
        tuple(rows),
        judged(max(changes) < 0.1, max(changes) < 0.3),
        ""
        if max(changes) < 0.1
        else "Below a hundredth of the mean curvature λ changes little; "
        "as λ approaches the mean curvature the metric becomes the Euclidean one, and K with it.",
    )
    return Part((claim,))


def _largest_change(experiments: Experiments, run: Run, most: float) -> float:
    """Over elements, of the span of K over the dampings up to ``most``."""
    spans = []
    for elements in (experiments.point_group(run), experiments.shifts(run)):
        for m in elements.values():
            values = [k for damping, k in m.by_damping.items() if float(damping) <= most]
            spans.append(max(values) - min(values))
    return max(spans)
