"""The Langevin pair: the measure on the gauge slice, and that of the predictor."""

from typing import Any

import torch
from torch import Tensor

from goldstone.core import generator
from goldstone.reproductions.implicit_bias.sizes import Sizes
from goldstone.weightspace import hadamard_marginal, langevin_samples

TEMPERATURE, DECAY = 0.3, 0.3
_BINS = 28


def langevin_pair(seed: int, sizes: Sizes) -> dict[str, Any]:
    """Samples of L = ½(uv − 1)² + 0.15(u² + v²): distances on the slice, mean of the predictor."""
    start = torch.randn(sizes.chains, 2, generator=generator(seed, "start"))
    states = torch.cat(
        list(
            langevin_samples(
                _loss, start, temperature=TEMPERATURE, step=0.12, steps=sizes.sampler_steps,
                burn_in=300, every=6, friction=1.0, seed=seed,
            )
        )
    ).double()  # fmt: skip
    u, v = states.unbind(1)
    on_slice = ((u.square() - v.square()).abs() < 0.05) & (u * v > 0)
    edges = torch.linspace(0.3, 1.7, _BINS + 1, dtype=torch.float64)
    seen = torch.histogram((u * v)[on_slice].sqrt(), edges).hist
    r = (edges[1:] + edges[:-1]) / 2
    boltzmann = (-(0.5 * (r.square() - 1).square() + DECAY * r.square()) / TEMPERATURE).exp()
    densities = {
        "corrected": boltzmann / r,
        "uncorrected": boltzmann,
        "opposite sign": boltzmann * r,
    }
    width = float(r[1] - r[0])
    return {
        "distance": {name: _distance(seen, density) for name, density in densities.items()},
        "r": r.tolist(),
        "seen": (seen / seen.sum() / width).tolist(),
        "densities": {n: (d / d.sum() / width).tolist() for n, d in densities.items()},
        "mean": float((u * v).mean()),
    }


def predicted_means() -> dict[str, float]:
    """Of θ = uv: with the volume of its orbit, and without."""
    theta = torch.linspace(-4, 5, 20_000, dtype=torch.float64)
    fit = 0.5 * (theta - 1).square()
    marginal = hadamard_marginal(theta.abs(), decay=DECAY, temperature=TEMPERATURE)
    found = {}
    for name, potential in (("with", marginal), ("without", DECAY * theta.abs())):
        density = (-(fit + potential) / TEMPERATURE).exp()
        found[name] = float((theta * density).sum() / density.sum())
    return found


def _loss(theta: Tensor) -> Tensor:
    return 0.5 * (theta.prod(1) - 1).square() + DECAY / 2 * theta.square().sum(1)


def _distance(seen: Tensor, density: Tensor) -> float:
    """Total variation."""
    return float((seen / seen.sum() - density / density.sum()).abs().sum()) / 2
