"""Norm ratios of ReLU units and column ratios of attention under SGD."""

from collections.abc import Callable
from dataclasses import dataclass
from math import log
from typing import Any

import torch
from torch import Tensor

from goldstone.core import generator
from goldstone.reproductions.implicit_bias.sizes import Sizes
from goldstone.weightspace import column_ratios, norm_ratios, sgd_samples

INPUTS, UNITS = 8, 8
WIDTH, RANK, TOKENS = 6, 4, 6
_SAMPLES = 1000
_NOISE = 1.0
"""Standard deviation of the noise in the targets, so that the gradient's noise does not end."""


@dataclass(frozen=True)
class ReluCase:
    """A shallow network of ``outputs`` outputs, trained one sample at a time."""

    outputs: int
    learning_rate: float
    decay: float = 0.0


RELU_CASES = {
    "8 outputs": ReluCase(8, 1e-2),
    "1 output": ReluCase(1, 2e-2),
    "1 output, decay 0.05": ReluCase(1, 5e-3, 0.05),
    "8 outputs, published learning rate": ReluCase(8, 5e-5),
}
ATTENTION_RATE = 1e-2


def relu_ratios(case: ReluCase, sizes: Sizes) -> dict[str, Any]:
    """‖v_j‖/‖w_j‖ before, during and after training, and where the noise should draw them."""
    random, chains = generator(0, "relu"), torch.arange(sizes.seeds)[:, None]
    x = torch.randn(sizes.seeds, _SAMPLES, INPUTS, generator=random)
    teacher_in = torch.randn(sizes.seeds, 4, INPUTS, generator=random) / INPUTS**0.5
    teacher_out = torch.randn(sizes.seeds, case.outputs, 4, generator=random) / 2
    y = (x @ teacher_in.mT).relu() @ teacher_out.mT
    y = y + _NOISE * torch.randn(y.shape, generator=random)
    incoming = torch.randn(sizes.seeds, UNITS, INPUTS, generator=random)
    outgoing = torch.randn(sizes.seeds, case.outputs, UNITS, generator=random)
    ratios = _spread(sizes.seeds, UNITS, 0.02, 3.6, random)
    incoming = 0.7 * incoming / incoming.norm(dim=2, keepdim=True) / ratios.sqrt()[:, :, None]
    outgoing = 0.7 * outgoing / outgoing.norm(dim=1, keepdim=True) * ratios.sqrt()[:, None]

    def parts(theta: Tensor) -> tuple[Tensor, Tensor]:
        w, v = theta[:, : UNITS * INPUTS], theta[:, UNITS * INPUTS :]
        return w.reshape(-1, UNITS, INPUTS), v.reshape(-1, case.outputs, UNITS)

    def loss(theta: Tensor, chosen: Tensor) -> Tensor:
        w, v = parts(theta)
        found = (x[chains, chosen] @ w.mT).relu() @ v.mT
        losses: Tensor = 0.5 * (found - y[chains, chosen]).square().sum(2).mean(1)
        return losses

    def measured(theta: Tensor) -> Tensor:
        return torch.stack([norm_ratios(w, v) for w, v in zip(*parts(theta), strict=True)])

    def equilibrium(theta: Tensor) -> Tensor:
        """The ratio at which E‖∂ℓ/∂v_j‖² = E‖∂ℓ/∂w_j‖² in the units' present directions.

        A unit that never opens has no noise and stays.
        """
        w, v = parts(theta)
        activity = (x @ w.mT).relu()
        residual = activity @ v.mT - y
        of_v = residual.square().sum(2, keepdim=True) * activity.square()
        of_w = (residual @ v).square() * (activity > 0) * x.square().sum(2, keepdim=True)
        present, opened = measured(theta), of_w.mean(1) > 0
        drawn: Tensor = (of_v.mean(1) / of_w.mean(1)).sqrt() * present
        return drawn.where(opened, present)

    start = torch.cat((incoming.flatten(1), outgoing.flatten(1)), 1)
    found = _followed(loss, start, measured, case.learning_rate, case.decay, sizes)
    return {**found[0], "equilibrium": equilibrium(found[1]).tolist()}


def attention_ratios(sizes: Sizes) -> dict[str, Any]:
    """‖Q e_j‖/‖K e_j‖ of one attention head before, during and after training."""
    random, chains = generator(0, "attention"), torch.arange(sizes.seeds)[:, None]
    x = torch.randn(sizes.seeds, _SAMPLES // 2, TOKENS, WIDTH, generator=random)

    def attended(tokens: Tensor, q: Tensor, k: Tensor) -> Tensor:
        logits = (tokens @ q[:, None]) @ (tokens @ k[:, None]).mT / RANK**0.5
        mixed: Tensor = logits.softmax(-1) @ tokens
        return mixed

    teacher = 0.7 * torch.randn(2, sizes.seeds, WIDTH, RANK, generator=random)
    y = attended(x, teacher[0], teacher[1])
    y = y + _NOISE * torch.randn(y.shape, generator=random)
    queries, keys = torch.randn(2, sizes.seeds, WIDTH, RANK, generator=random)
    ratios = _spread(sizes.seeds, RANK, 0.037, 5.3, random)
    queries = queries / queries.norm(dim=1, keepdim=True) * ratios.sqrt()[:, None]
    keys = keys / keys.norm(dim=1, keepdim=True) / ratios.sqrt()[:, None]

    def parts(theta: Tensor) -> tuple[Tensor, Tensor]:
        q, k = theta.reshape(-1, 2, WIDTH, RANK).unbind(1)
        return q, k

    def loss(theta: Tensor, chosen: Tensor) -> Tensor:
        found = attended(x[chains, chosen], *parts(theta))
        losses: Tensor = 0.5 * (found - y[chains, chosen]).square().sum((2, 3)).mean(1)
        return losses

    def measured(theta: Tensor) -> Tensor:
        return torch.stack([column_ratios(q, k) for q, k in zip(*parts(theta), strict=True)])

    start = torch.stack((queries, keys), 1).flatten(1)
    return _followed(loss, start, measured, ATTENTION_RATE, 0.0, sizes, _SAMPLES // 2)[0]


def _followed(
    loss: Callable[[Tensor, Tensor], Tensor],
    start: Tensor,
    measured: Callable[[Tensor], Tensor],
    learning_rate: float,
    decay: float,
    sizes: Sizes,
    samples: int = _SAMPLES,
) -> tuple[dict[str, Any], Tensor]:
    """Ratios (seeds, units) at the start and, as a mean over the last tenth, at the end.

    The mean is geometric: under noise that does not end the ratios keep fluctuating. The curve has
    the tenth, half and nine tenths of all units.
    """
    every = sizes.norm_steps // sizes.points
    curve, late, theta = [], [], start
    for number, theta in enumerate(
        sgd_samples(
            loss, samples, start, batch=1, learning_rate=learning_rate, steps=sizes.norm_steps,
            weight_decay=decay, every=every, burn_in=every - 1, seed=0,
        )
    ):  # fmt: skip
        ratios = measured(theta)
        steps = (number + 1) * every
        curve.append([steps, *(float(ratios.quantile(q)) for q in (0.1, 0.5, 0.9))])
        if steps > 0.9 * sizes.norm_steps:
            late.append(ratios)
    end = torch.stack(late).log().mean(0).exp()
    return {"start": measured(start).tolist(), "end": end.tolist(), "curve": curve}, theta


def _spread(seeds: int, units: int, low: float, high: float, random: torch.Generator) -> Tensor:
    """Ratios between the published ends, uniform in the logarithm, (seeds, units)."""
    share = torch.rand(seeds, units, generator=random)
    return (log(low) + (log(high) - log(low)) * share).exp()
