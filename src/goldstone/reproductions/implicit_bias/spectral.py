"""Spectral regression: 3 of 64 modes, 32 samples, by plain, penalised and Hadamard weights."""

from math import pi
from typing import Any, Literal

import torch
from torch import Tensor, nn

from goldstone.core import generator
from goldstone.reproductions.implicit_bias.sizes import Sizes
from goldstone.weightspace import Sparsity, constrain_by_symmetry, decay_groups

MODES, NONZERO, SAMPLES = 64, 3, 32
_NOISE, _TEST, _BATCH = 0.1, 1000, 8
_SOLVED = 10_000
Arm = Literal["plain", "L1", "Hadamard"]


class _Data:
    """y = Σ_k w_k √2 cos πkt + noise at random times, for each seed one problem."""

    def __init__(self, seeds: int) -> None:
        random = generator(0, "spectral")
        size = torch.rand(seeds, NONZERO, generator=random) + 1
        sign = 2.0 * torch.randint(2, (seeds, NONZERO), generator=random) - 1
        places = torch.rand(seeds, MODES, generator=random).argsort(1)[:, :NONZERO]
        self.weights = torch.zeros(seeds, MODES).scatter_(1, places, size * sign)
        self.x = _modes(torch.rand(seeds, SAMPLES, generator=random))
        self.y = (self.x @ self.weights[..., None])[..., 0]
        self.y = self.y + _NOISE * torch.randn(seeds, SAMPLES, generator=random)
        self.test = _modes(torch.rand(seeds, _TEST, generator=random))

    def errors(self, weights: Tensor) -> list[float]:
        """Mean squared error without noise, for each seed."""
        missed = (self.test @ (weights - self.weights)[..., None])[..., 0]
        errors: list[float] = missed.square().mean(1).tolist()
        return errors


def _modes(times: Tensor) -> Tensor:
    return 2**0.5 * torch.cos(pi * torch.arange(1, MODES + 1) * times[..., None])


def spectral_errors(
    arm: Arm, strength: float, sizes: Sizes, *, gate: float = 0.3, labels: float | None = None
) -> dict[str, Any]:
    """Test errors after SGD on mini-batches, for each seed, and how many modes are in use.

    Args:
        arm: plain weights; with λΣ|w| added to the loss; w = u ⊙ v with decay λ of both.
        strength: λ.
        sizes: seeds and steps.
        gate: the size of u at the start, where w = 0.
        labels: of the noise ± added to labels anew at each step; then the run is longer, and the
            error is also followed.
    """
    data = _Data(sizes.seeds)
    # One row for each seed: the loss is a sum over rows, which so train by themselves.
    model = nn.Linear(MODES, sizes.seeds, bias=False)
    with torch.no_grad():
        model.weight.zero_()
    groups: Any = model.parameters()
    if arm == "Hadamard":
        constrain_by_symmetry(model, "weight", Sparsity(gate=gate))
        groups = decay_groups(model, strength)
    optimiser = torch.optim.SGD(groups, lr=1e-3 if labels is not None else 5e-3, momentum=0.9)
    steps = sizes.spectral_steps if labels is None else sizes.noise_steps
    random, rows = generator(1, "spectral"), torch.arange(sizes.seeds)[:, None]
    curve = []
    for step in range(1, steps + 1):
        some = torch.randint(SAMPLES, (sizes.seeds, _BATCH), generator=random)
        target = data.y[rows, some]
        if labels:
            signs = torch.randint(2, some.shape, generator=random)
            target = target + labels * (2.0 * signs - 1)
        optimiser.zero_grad()
        weight = model.weight
        found = (data.x[rows, some] @ weight[..., None])[..., 0]
        loss = 0.5 * (found - target).square().mean(1).sum()
        if arm == "L1":
            loss = loss + strength * weight.abs().sum()
        torch.autograd.backward(loss)
        optimiser.step()
        if labels is not None and step % (steps // 20) == 0:
            curve.append([step, *data.errors(model.weight.detach())])
    weight = model.weight.detach()
    return {
        "errors": data.errors(weight),
        "modes": (weight.abs() > 1e-3).sum(1).tolist(),
        "curve": curve,
    }


def lasso_errors(strength: float, sizes: Sizes) -> dict[str, Any]:
    """The same of the lasso solved by soft thresholding, to convergence."""
    data = _Data(sizes.seeds)
    gram = data.x.mT @ data.x / SAMPLES
    overlap = (data.x.mT @ data.y[..., None])[..., 0] / SAMPLES
    step = 1 / torch.linalg.eigvalsh(gram)[:, -1:]
    weights = torch.zeros_like(overlap)
    for _ in range(_SOLVED):
        moved = weights - step * ((gram @ weights[..., None])[..., 0] - overlap)
        weights = moved.sign() * (moved.abs() - step * strength).clamp(min=0)
    return {"errors": data.errors(weights), "modes": (weights.abs() > 1e-3).sum(1).tolist()}
