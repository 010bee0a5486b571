"""Rank against learning rate: W = UV under gradient noise, and (1 + U)(1 + V) as a control."""

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from goldstone.core import generator
from goldstone.report.lines import Line, line_plot
from goldstone.report.marks import SERIES
from goldstone.reproductions.figures import side_by_side
from goldstone.reproductions.kept import Kept
from goldstone.reproductions.mirror_collapse.sizes import Sizes
from goldstone.reproductions.parts import Part
from goldstone.reproductions.results import Claim, Comparison, over_seeds
from goldstone.weightspace import sgd_samples, weight_collapse

SIDE = 10
DECAYS = (0.0, 0.05)
_SAMPLES, _BATCH, _NOISE, _TOLERANCE = 1000, 4, 2.0, 1e-3
_KINDS = {False: "UV", True: "(1 + U)(1 + V)"}


def rank_claims(kept: Kept, sizes: Sizes) -> Part:
    """Factorise at several learning rates, with and without weight decay."""
    found: dict[tuple[str, float], list[dict[str, Any]]] = {}
    names = []
    for decay in DECAYS:
        for residual, kind in _KINDS.items():
            for rate in sizes.rates:
                name = f"rank-{'residual' if residual else 'plain'}-{decay:g}-{rate:g}"
                names.append(name)
                values = kept.measure(name, partial(_run, residual, decay, rate, sizes))
                found.setdefault((kind, decay), []).append(values)
    drawings = {"rank": side_by_side([_panel(found, decay, sizes) for decay in DECAYS])}
    captions = {
        "rank": "Rank of the product of factors at the end of training against the learning rate, "
        "without weight decay and with it; mean of seeds and its 95 % interval."
    }
    tables = {f"rank, {kind}, decay {decay:g}": runs for (kind, decay), runs in found.items()}
    claims = (_falls(found), _control(found, sizes))
    return Part(claims, captions, drawings, tables, sum(kept.seconds(name) for name in names))


def _run(residual: bool, decay: float, rate: float, sizes: Sizes) -> dict[str, Any]:
    """SGD on noisy linear regression, y = Wx + noise, with W of singular values 1 to 0.03."""
    random, chains = generator(0, "rank"), torch.arange(sizes.seeds)[:, None]
    x = torch.randn(sizes.seeds, _SAMPLES, SIDE, generator=random)
    left, right = torch.linalg.qr(torch.randn(2, sizes.seeds, SIDE, SIDE, generator=random)).Q
    target = (left * torch.logspace(0, -1.5, SIDE)) @ right.mT
    y = x @ target.mT + _NOISE * torch.randn(sizes.seeds, _SAMPLES, SIDE, generator=random)
    one = torch.eye(SIDE) if residual else torch.zeros(SIDE, SIDE)

    def factors(theta: Tensor) -> tuple[Tensor, Tensor]:
        u, v = theta.reshape(-1, 2, SIDE, SIDE).unbind(1)
        return one + u, one + v

    def loss(theta: Tensor, chosen: Tensor) -> Tensor:
        u, v = factors(theta)
        missed = (x[chains, chosen] @ v.mT) @ u.mT - y[chains, chosen]
        losses: Tensor = 0.5 * missed.square().sum(2).mean(1)
        return losses

    # Both start near the identity's size: UV with random factors, the control with U = V = 0.
    size = (0.01 if residual else 1.0) / SIDE**0.5
    start = size * torch.randn(sizes.seeds, 2 * SIDE**2, generator=random)
    [last] = sgd_samples(
        loss, _SAMPLES, start, batch=_BATCH, learning_rate=rate, steps=sizes.rank_steps,
        burn_in=sizes.rank_steps - 1, weight_decay=decay, seed=0,
    )  # fmt: skip
    u, v = factors(last)
    product = u @ v
    return {
        "rate": rate,
        "ranks": [_rank(matrix) for matrix in product],
        "singular_values": torch.linalg.svdvals(product).tolist(),
    }


def _rank(matrix: Tensor) -> int:
    layer = nn.Linear(SIDE, SIDE, bias=False)
    with torch.no_grad():
        layer.weight.copy_(matrix)
    return weight_collapse(layer, tolerance=_TOLERANCE).layers[""].rank


_Found = dict[tuple[str, float], list[dict[str, Any]]]


def _falls(found: _Found) -> Claim:
    runs = found["UV", 0.0]
    drop = over_seeds(
        [float(a - b) for a, b in zip(runs[0]["ranks"], runs[-1]["ranks"], strict=True)]
    )
    good = drop.low is not None and drop.low > 0
    rows = [
        Comparison(
            f"rank of UV of {SIDE}, learning rate {run['rate']:g}",
            "falls with the rate" if k == 0 else "",
            over_seeds([float(rank) for rank in run["ranks"]]),
        )
        for k, run in enumerate(runs)
    ]
    return Claim(
        "Gradient noise alone lowers the rank of a factorised weight W = UV as the learning rate "
        "grows.",
        "Ziyin 2024 (arXiv 2309.16932), rotation symmetry and low rank",
        (*rows, Comparison("fall from the smallest to the largest rate", "> 0", drop)),
        "reproduced" if good else "not reproduced",
        "" if good else "the interval of the fall holds zero",
        ("rank",),
    )


def _control(found: _Found, sizes: Sizes) -> Claim:
    rows, above = [], {}
    for decay in DECAYS:
        plain, control = (
            found["UV", decay][-1]["ranks"],
            found["(1 + U)(1 + V)", decay][-1]["ranks"],
        )
        for name, ranks in (("UV", plain), ("(1 + U)(1 + V)", control)):
            rows.append(
                Comparison(
                    f"rank of {name}, decay {decay:g}, learning rate {sizes.rates[-1]:g}",
                    "stays" if name != "UV" else "falls",
                    over_seeds([float(rank) for rank in ranks]),
                )
            )
        difference = over_seeds([float(a - b) for a, b in zip(control, plain, strict=True)])
        rows.append(Comparison(f"difference, decay {decay:g}", "> 0", difference))
        above[decay] = difference.low is not None and difference.low > 0
    good = all(above.values())
    return Claim(
        "Without the symmetry's fixed set at the origin, as in (1 + U)(1 + V), the rank stays.",
        "Ziyin 2024 (arXiv 2309.16932)",
        tuple(rows),
        "reproduced" if good else "partly" if any(above.values()) else "not reproduced",
        ""
        if good
        else f"The rank stays above that of UV with weight decay {DECAYS[1]:g}: "
        f"{'yes' if above[DECAYS[1]] else 'no'}; without decay: "
        f"{'yes' if above[0.0] else 'no'}. (1 + U)(1 + V) is UV moved by the identity, so it has "
        "the same mirror symmetries about U = V = −1, and the same gradients. Weight decay "
        "tells the two apart, because it draws to U = V = 0; gradient noise does not, and "
        "collapses both to the same matrix once training forgets its start.",
        ("rank",),
    )


def _panel(found: _Found, decay: float, sizes: Sizes) -> str:
    lines = []
    for k, kind in enumerate(_KINDS.values()):
        curve = [over_seeds([float(r) for r in run["ranks"]]) for run in found[kind, decay]]
        lines.append(
            Line(
                "UV" if k == 0 else "residual",
                tuple(s.estimate for s in curve),
                SERIES[k],
                (5.0, 2.0) if k else (),
                tuple(s.low for s in curve),
                tuple(s.high for s in curve),
            )
        )
    return line_plot(
        f"mirror-rank-{decay:g}", f"rank, weight decay {decay:g}", "learning rate",
        list(range(len(sizes.rates))), lines, unit=f"of {SIDE}", width=400, height=280,
        ticks=[f"{rate:g}" for rate in sizes.rates],
    )  # fmt: skip
