"""The networks compared, and how they are trained."""

from collections.abc import Callable
from itertools import pairwise
from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional

from goldstone.core import generator
from goldstone.reproductions.asymmetric_networks.data import Images
from goldstone.weightspace import sigma_asymmetric, w_asymmetric

ASYMMETRY = 7
"""The seed of what is fixed: networks that are compared share it."""


def perceptron(widths: tuple[int, ...], seed: int) -> nn.Sequential:
    """Linear maps with LayerNorm and GELU between, of torch's own initialisation by a seed."""
    layers: list[nn.Module] = []
    for before, after in pairwise(widths[:-1]):
        layers += [nn.Linear(before, after), nn.LayerNorm(after), nn.GELU()]
    model = nn.Sequential(*layers, nn.Linear(widths[-2], widths[-1]))
    stream = generator(seed, "initial weights", prod(widths))
    with torch.no_grad():
        for module in model:
            if isinstance(module, nn.Linear):
                bound = module.in_features**-0.5
                module.weight.uniform_(-bound, bound, generator=stream)
                module.bias.uniform_(-bound, bound, generator=stream)
    return model


def network(arm: str, inputs: int, width: int, seed: int) -> nn.Sequential:
    """Four layers, as in the paper, with fixed entries of the same shares of 256 as there of 512.

    The first layer fixes 64 of many inputs, as in the paper, or a quarter of few.
    """
    model = perceptron((inputs, width, width, width, 10), seed)
    if arm.startswith("W"):
        first = min(64, inputs // 4)
        counts = {"0": first, "3": width // 8, "6": width // 8, "9": width // 2}
        scales = dict(zip(counts, (1.0, 1.0, 0.5, 0.25), strict=True))
        if "zeros" in arm:
            scales = dict.fromkeys(counts, 0.0)
        w_asymmetric(model, counts, seed=ASYMMETRY, scale=scales)
    elif arm.startswith("σ"):
        scale = 1.0 if "N(0, 1)" in arm else width**-0.5
        sigma_asymmetric(model, torch.zeros(2, inputs), seed=ASYMMETRY, scale=scale)
    return model


def train(
    model: nn.Module,
    images: Images,
    epochs: int,
    seed: int,
    optimiser: torch.optim.Optimizer | None = None,
    *,
    loss: Callable[[Tensor, Tensor], Tensor] = functional.cross_entropy,
    rate: Callable[[float], float] | None = None,
    batch: int = 64,
    after_step: Callable[[int], bool] | None = None,
) -> nn.Module:
    """Train in place; the order of the data comes from the seed.

    Args:
        model: trained, and returned in eval mode.
        images: what on.
        epochs: how often through the data; what does not fill a batch is left out.
        seed: of the order.
        optimiser: by default AdamW of the paper's MNIST recipe, rate 1e-3 and decay 0.03.
        loss: mean over a batch.
        rate: a factor of the learning rate, of the share of training done.
        batch: how many images a step takes.
        after_step: called with the number of steps done; training ends when it returns true.
    """
    if optimiser is None:
        optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.03, fused=True)
    base = [group["lr"] for group in optimiser.param_groups]
    stream, done = generator(seed, "order of data"), 0
    per_epoch = len(images.train) // batch
    model.train()
    for _ in range(epochs):
        order = torch.randperm(len(images.train), generator=stream)
        for chosen in torch.split(order[: per_epoch * batch], batch):
            if rate is not None:
                for group, lr in zip(optimiser.param_groups, base, strict=True):
                    group["lr"] = lr * rate(done / (epochs * per_epoch))
            optimiser.zero_grad()
            value = loss(model(images.train[chosen]), images.labels[chosen])
            torch.autograd.backward(value)
            optimiser.step()
            done += 1
            if after_step is not None and after_step(done):
                return model.eval()
    return model.eval()


def each_loss(outputs: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of each sample."""
    return functional.cross_entropy(outputs, labels, reduction="none")


def accuracy(model: nn.Module, x: Tensor, y: Tensor) -> float:
    """The share of samples classified rightly."""
    with torch.no_grad():
        return float((model(x).argmax(1) == y).double().mean())
