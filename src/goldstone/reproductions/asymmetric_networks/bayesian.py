"""A small Bayesian network by variational inference, with and without fixed entries."""

from math import log
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from goldstone.core import generator
from goldstone.reproductions.asymmetric_networks.data import Images
from goldstone.reproductions.asymmetric_networks.networks import ASYMMETRY, perceptron, train
from goldstone.weightspace import FixedEntries, w_asymmetric

_START = -10.0
"""log variance at the start, as in the paper's runs."""
_PRECISION = 0.01
"""Of the prior, times the number of a layer's outputs, as there."""
_BATCH = 50
_BINS = 15


class MeanFieldLinear(nn.Module):
    """A linear map of independent normal weights N(μ, v); fixed entries are what they are.

    Outputs are drawn by local reparametrisation (Kingma et al., arXiv 1506.02557): normal with mean
    μx + b and variance vx². The bias is not random. Without fixed entries the Kullback–Leibler
    divergence runs over all weights, else over those that are trained.
    """

    free: Tensor

    def __init__(self, mean: nn.Linear, random: torch.Generator) -> None:
        super().__init__()
        self.mean, self._random = mean, random
        self.log_variance = nn.Parameter(torch.full(mean.weight.shape, _START))
        free = torch.ones_like(self.log_variance, dtype=torch.bool)
        for entries in mean.modules():
            if isinstance(entries, FixedEntries):
                free &= ~entries.fixed
        self.register_buffer("free", free)

    def forward(self, x: Tensor) -> Tensor:
        """A draw of the outputs, each sample's its own."""
        variance = functional.linear(x.square(), self.log_variance.exp() * self.free)
        mean: Tensor = self.mean(x)
        noise = torch.randn(mean.shape, generator=self._random)
        return mean + (variance + 1e-16).sqrt() * noise

    def divergence(self) -> Tensor:
        """KL(q‖p) from the prior N(0, 1/(0.01·outputs))."""
        precision = _PRECISION * self.mean.out_features
        weight, variance = self.mean.weight, self.log_variance.exp()
        each = precision * (variance + weight.square()) - 1 - self.log_variance - log(precision)
        return 0.5 * (each * self.free).sum()


def posterior(
    arm: str, images: Images, depth: int, width: int, seed: int, epochs: int
) -> dict[str, Any]:
    """Fit a posterior of independent normals; loss, accuracy and calibration of 25 draws.

    ``depth`` hidden layers of ReLU with LayerNorm, as in the paper; 8 fixed entries of each unit
    with κ = ½ or, in the arm of zeros, 0; Adam of rate 5e-4. The paper's posterior also has four
    common directions for each layer. The arm of a point estimate trains the weights alone, without
    variances or a prior.
    """
    mean = perceptron((images.train.shape[1], *(width,) * depth, 10), seed)
    for k, module in enumerate(mean):
        if isinstance(module, nn.GELU):
            mean[k] = nn.ReLU()
    if arm.startswith("W"):
        w_asymmetric(mean, 8, seed=ASYMMETRY, scale=0.0 if "zeros" in arm else 0.5)
    random = generator(seed, "posterior")
    model = mean
    if "point" not in arm:
        model = nn.Sequential(
            *(MeanFieldLinear(m, random) if isinstance(m, nn.Linear) else m for m in mean)
        )
    layers = [m for m in model if isinstance(m, MeanFieldLinear)]
    count = len(images.train)

    def negative_elbo(outputs: Tensor, labels: Tensor) -> Tensor:
        divergence = sum((layer.divergence() for layer in layers), torch.zeros(()))
        return functional.cross_entropy(outputs, labels) + divergence / count

    history: list[float] = []
    per_epoch = count // _BATCH

    def watch(done: int) -> bool:
        if done % per_epoch == 0:
            history.append(_right(_predicted(model, images.test, 3), images.test_labels))
        return False

    adam = torch.optim.Adam(model.parameters(), lr=5e-4, fused=True)
    train(
        model, images, epochs, seed, adam, loss=negative_elbo, batch=_BATCH, after_step=watch
    )  # fmt: skip
    test, seen = _predicted(model, images.test, 25), _predicted(model, images.train, 5)
    return {
        "train loss": _loss(seen, images.labels),
        "test loss": _loss(test, images.test_labels),
        "accuracy": _right(test, images.test_labels),
        "calibration error": calibration_error(test, images.test_labels),
        "history": history,
    }


def _predicted(model: nn.Module, x: Tensor, draws: int) -> Tensor:
    """Probabilities, the mean over draws of the weights."""
    with torch.no_grad():
        return torch.stack([model(x).softmax(1) for _ in range(draws)]).mean(0)


def _loss(probabilities: Tensor, labels: Tensor) -> float:
    return float(functional.nll_loss(probabilities.clamp_min(1e-12).log(), labels))


def _right(probabilities: Tensor, labels: Tensor) -> float:
    return float((probabilities.argmax(1) == labels).double().mean())


def calibration_error(probabilities: Tensor, labels: Tensor) -> float:
    """Expected calibration error: Σ share·|accuracy − confidence| over 15 equal bins."""
    confidence, chosen = probabilities.double().max(1)
    right = (chosen == labels).double()
    bins = (confidence * _BINS).long().clamp_max(_BINS - 1)
    gaps = torch.zeros(_BINS, dtype=torch.float64).index_add_(0, bins, right - confidence)
    return float(gaps.abs().sum() / len(labels))
