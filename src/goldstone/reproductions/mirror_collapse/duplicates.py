"""A network with each unit twice: plain training keeps the duplicates, syre separates them."""

from functools import partial
from math import log10
from typing import Any, Literal, cast

import torch
from torch import nn

from goldstone.core import generator
from goldstone.report.lines import Line, line_plot
from goldstone.report.marks import SERIES
from goldstone.reproductions.figures import side_by_side
from goldstone.reproductions.kept import Kept
from goldstone.reproductions.mirror_collapse.sizes import Sizes
from goldstone.reproductions.parts import Part
from goldstone.reproductions.results import Claim, Comparison, over_seeds
from goldstone.weightspace import syre, syre_penalty, weight_collapse

_PAIRS, _STRENGTH, _POINTS = 2, 1e-3, 40
Arm = Literal["plain", "decay", "syre"]


def duplicate_claims(kept: Kept, sizes: Sizes) -> Part:
    """Train all three, and measure the distance of duplicates."""
    arms: tuple[Arm, ...] = ("plain", "decay", "syre")
    found = {
        arm: [
            kept.measure(f"duplicates-{arm}-{seed}", partial(_run, arm, seed, sizes))
            for seed in range(sizes.seeds)
        ]
        for arm in arms
    }
    rows = []
    for arm, runs in found.items():
        published = "separated" if arm == "syre" else "0 (exact)"
        rows += [
            Comparison(
                f"largest distance of duplicates, {arm}",
                published,
                over_seeds([run["curve"][-1][1] for run in runs]),
            ),
            Comparison(
                f"different units of {2 * _PAIRS}, {arm}",
                str(2 * _PAIRS) if arm == "syre" else str(_PAIRS),
                over_seeds([float(run["distinct"]) for run in runs]),
            ),
            Comparison(f"loss, {arm}", "", over_seeds([run["loss"] for run in runs])),
        ]
    kept_exactly = all(run["curve"][-1][1] < 1e-12 for a in arms[:2] for run in found[a])
    parted = [run["distinct"] == 2 * _PAIRS for run in found["syre"]]
    claim = Claim(
        "Plain training keeps duplicated units exactly, weight decay too; syre separates them.",
        "Ziyin, Xu, Chuang 2025 (arXiv 2408.15495)",
        tuple(rows),
        "reproduced"
        if kept_exactly and all(parted)
        else "partly"
        if kept_exactly and any(parted)
        else "not reproduced",
        ""
        if kept_exactly and all(parted)
        else f"syre separated all units for {sum(parted)} of {len(parted)} seeds: what the loss "
        "itself draws together comes as near as the decay allows, and what is unstable leaves at "
        "an exponential rate from θ₀ of a hundredth, which the number of steps may cut off",
        ("duplicates",),
    )
    return Part(
        (claim,),
        {"duplicates": "Distance of the duplicates over training, all seeds; zero is drawn at "
         "10⁻¹⁶."},
        {"duplicates": side_by_side([_panel(found)])},
        {"duplicates": found},
        sum(kept.seconds(f"duplicates-{a}-{s}") for a in arms for s in range(sizes.seeds)),
    )  # fmt: skip


def _run(arm: Arm, seed: int, sizes: Sizes) -> dict[str, Any]:
    x = torch.randn(64, 2, dtype=torch.float64, generator=generator(seed, "inputs"))
    y = (2 * x[:, :1]).sin() * x[:, 1:]
    model = _duplicated(seed)
    if arm == "syre":
        model = syre(model, seed=seed)
    optimiser = torch.optim.SGD(
        model.parameters(), lr=0.2, weight_decay=_STRENGTH if arm == "decay" else 0.0
    )
    every, curve, last = sizes.duplicate_steps // _POINTS, [], 0.0
    for step in range(sizes.duplicate_steps + 1):
        if step % every == 0:
            curve.append([step, _distance(model)])
        optimiser.zero_grad()
        loss = (model(x) - y).square().mean()
        last = float(loss.detach())
        torch.autograd.backward(loss + _STRENGTH * syre_penalty(model) if arm == "syre" else loss)
        optimiser.step()
    distinct = weight_collapse(model).layers["0"].distinct
    return {"curve": curve, "distinct": distinct, "loss": last}


def _duplicated(seed: int) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        first, last = nn.Linear(2, 2 * _PAIRS).double(), nn.Linear(2 * _PAIRS, 1).double()
    with torch.no_grad():
        for tensor in (first.weight, first.bias, last.weight.mT):
            tensor[_PAIRS:] = tensor[:_PAIRS]
    return nn.Sequential(first, nn.Tanh(), last)


def _distance(model: nn.Module) -> float:
    """The largest of the pairs."""
    first = cast(nn.Linear, model.get_submodule("0"))
    with torch.no_grad():
        weight = first.weight
        return float((weight[_PAIRS:] - weight[:_PAIRS]).norm(dim=1).max())


def _panel(found: dict[Arm, list[dict[str, Any]]]) -> str:
    """All seeds, one of each arm named."""
    steps = [row[0] for row in found["plain"][0]["curve"]]
    lines = []
    for k, (arm, runs) in enumerate(found.items()):
        for seed, run in enumerate(runs):
            values = tuple(log10(max(row[1], 1e-16)) for row in run["curve"])
            dash = (5.0, 2.0) if arm == "decay" else ()
            lines.append(Line("" if seed else arm, values, SERIES[k], dash, thin=seed > 0))
    return line_plot(
        "mirror-duplicates", "distance of duplicated units", "step", steps, lines,
        unit="log₁₀ distance", width=430, height=300,
    )  # fmt: skip
