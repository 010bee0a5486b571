"""A constraint by symmetry against the lasso: w = u ⊙ v with decay, and ISTA."""

from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn

from goldstone.core import generator
from goldstone.reproductions.kept import Kept
from goldstone.reproductions.mirror_collapse.sizes import Sizes
from goldstone.reproductions.parts import Part
from goldstone.reproductions.results import Claim, Comparison, over_seeds
from goldstone.weightspace import Sparsity, constrain_by_symmetry, decay_groups

_SAMPLES, _INPUTS, _NONZERO, _GAMMA = 200, 100, 10, 0.05


def lasso_claims(kept: Kept, sizes: Sizes) -> Part:
    """Both on the same problems."""
    seeds = range(sizes.seeds)
    runs = [kept.measure(f"lasso-{seed}", partial(_run, seed, sizes)) for seed in seeds]
    worst = max(runs, key=lambda run: float(run["difference"]))
    near = sum(run["difference"] < 1e-5 for run in runs)
    good = near == len(runs)
    claim = Claim(
        "Differentiable constraints by symmetry (DCS): w = u ⊙ v trained by gradient descent with "
        "decay γ(‖u‖² + ‖v‖²) is the lasso of strength 2γ, with exact zeros.",
        "Ziyin 2024 (arXiv 2309.16932); numbers of an independent program",
        (
            Comparison(
                "largest difference to ISTA", "3×10⁻⁸", over_seeds([r["difference"] for r in runs])
            ),
            Comparison("share of |w| < 10⁻⁶", "0.90", over_seeds([r["zeros"] for r in runs])),
            Comparison(
                "the same, of the lasso", "", over_seeds([run["lasso_zeros"] for run in runs])
            ),
            Comparison("max |u² − v²|", "10⁻¹⁷", over_seeds([run["balance"] for run in runs])),
        ),
        "reproduced" if good else "partly" if near else "not reproduced",
        ""
        if good
        else f"{near} of {len(runs)} problems agree to 10⁻⁵ after {sizes.lasso_steps:,} steps. A "
        "weight that ends at zero shrinks like exp(−2·lr·steps·m), m what the penalty exceeds the "
        "gradient by: where the lasso all but keeps the weight, gradient descent needs long. In "
        f"the worst problem the smallest m is {worst['margin']:.2g} (elsewhere up to "
        f"{max(run['margin'] for run in runs):.2g}), and the difference {worst['difference']:.1g}.",
    )
    return Part(
        (claim,), tables={"lasso": runs}, seconds=sum(kept.seconds(f"lasso-{s}") for s in seeds)
    )


def _run(seed: int, sizes: Sizes) -> dict[str, Any]:
    random = generator(seed, "lasso")
    x = torch.randn(_SAMPLES, _INPUTS, dtype=torch.float64, generator=random)
    truth = torch.zeros(_INPUTS, dtype=torch.float64)
    truth[:_NONZERO] = 2 * torch.randn(_NONZERO, dtype=torch.float64, generator=random)
    y = x @ truth + 0.1 * torch.randn(_SAMPLES, dtype=torch.float64, generator=random)
    gram, overlap = x.mT @ x / _SAMPLES, x.mT @ y / _SAMPLES
    model = nn.Linear(_INPUTS, 1, bias=False).double()
    constrain_by_symmetry(model, "weight", Sparsity())
    factors = [cast(Tensor, p) for p in model.parameters()]
    with torch.no_grad():
        for factor in factors:
            factor.copy_(0.5 * torch.randn(factor.shape, dtype=torch.float64, generator=random))
    optimiser = torch.optim.SGD(decay_groups(model, 2 * _GAMMA), lr=0.01, foreach=False)
    for _ in range(sizes.lasso_steps):
        optimiser.zero_grad()
        w = model.weight[0]
        torch.autograd.backward(0.5 * w @ (gram @ w) - w @ overlap)
        optimiser.step()
    found = model.weight.detach()[0]
    lasso = _ista(gram, overlap, 2 * _GAMMA)
    slack = 2 * _GAMMA - (gram @ lasso - overlap).abs()[lasso == 0]
    u, v = (factor.detach() for factor in factors)
    return {
        "difference": float((found - lasso).abs().max()),
        "margin": float(slack.min()),
        "zeros": float((found.abs() < 1e-6).double().mean()),
        "lasso_zeros": float((lasso == 0).double().mean()),
        "balance": float((u.square() - v.square()).abs().max()),
    }


def _ista(gram: Tensor, overlap: Tensor, strength: float) -> Tensor:
    """Iterative soft thresholding, to convergence."""
    step = 1 / float(torch.linalg.eigvalsh(gram).max())
    w = torch.zeros_like(overlap)
    for _ in range(5000):
        w = w - step * (gram @ w - overlap)
        w = w.sign() * (w.abs() - step * strength).clamp(min=0)
    return w
