"""A learner of one task after the other: digits whose pixels are permuted anew each time."""

import importlib
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from goldstone.core import MissingExtraError, generator
from goldstone.reproductions.mirror_collapse.sizes import Sizes
from goldstone.weightspace import activation_collapse, syre_optimiser, weight_collapse

WIDTH = 64
_TRAINED, _BATCH, _MEASURED = 1408, 32, 8
Method = Literal["plain", "decay", "syre"]
Optimiser = Literal["Adam", "SGD"]
OPTIMISERS: tuple[Optimiser, ...] = ("Adam", "SGD")
RATES: dict[Optimiser, float] = {"Adam": 1e-2, "SGD": 0.3}


@dataclass(frozen=True)
class Learner:
    """How one learner is trained; plain ones have strength 0."""

    optimiser: Optimiser
    method: Method
    strength: float = 0.0

    @property
    def name(self) -> str:
        """Such as ``Adam, syre 0.01``."""
        return f"{self.optimiser}, {self.method}" + (f" {self.strength:g}" * (self.strength > 0))


def learners(sizes: Sizes) -> list[Learner]:
    """All of Adam; of SGD the plain one and the largest strength."""
    methods: tuple[Method, ...] = ("decay", "syre")
    return [
        Learner("Adam", "plain"),
        *(Learner("Adam", method, s) for s in sizes.strengths for method in methods),
        Learner("SGD", "plain"),
        *(Learner("SGD", method, sizes.strengths[-1]) for method in methods),
    ]


def learn(learner: Learner, seed: int, sizes: Sizes) -> dict[str, Any]:
    """Accuracy on held-out digits at the end of each task; now and then the network's collapse.

    Raises:
        MissingExtraError: scikit-learn, which has the digits, is not installed.
    """
    images, labels = _digits()
    random = generator(seed, "permuted digits")
    order = torch.randperm(len(images), generator=random)
    train, test = order[:_TRAINED], order[_TRAINED:]
    network = _network(seed)
    optimiser = _optimiser(learner, network, seed)
    accuracy, collapse = [], []
    for task in range(sizes.tasks):
        pixels = torch.randperm(images.shape[1], generator=random)
        x, y = images[train][:, pixels], labels[train]
        for _ in range(sizes.epochs):
            for some in torch.randperm(_TRAINED, generator=random).reshape(-1, _BATCH):
                optimiser.zero_grad()
                loss = nn.functional.cross_entropy(network(x[some]), y[some])
                torch.autograd.backward(loss)
                optimiser.step()
        shown = images[test][:, pixels]
        with torch.no_grad():
            right = network(shown).argmax(1) == labels[test]
        accuracy.append(float(right.float().mean()))
        if task % max(sizes.tasks // _MEASURED, 1) == 0 or task == sizes.tasks - 1:
            collapse.append({"task": task, **_collapse(network, shown)})
    return {"accuracy": accuracy, "collapse": collapse}


def _collapse(network: nn.Module, shown: Tensor) -> dict[str, float]:
    """Shares of the hidden units, and effective ranks, by data and by weights."""
    data = activation_collapse(network, [shown]).layers
    weights = weight_collapse(network).layers
    hidden = (data["1"], data["3"])
    incoming = (weights["0"], weights["2"])
    units = 2 * WIDTH
    return {
        "dead on data": sum(len(layer.dead) for layer in hidden) / units,
        "dead by weights": sum(len(layer.dead) for layer in incoming) / units,
        "duplicates by weights": sum(
            layer.units - len(layer.dead) - layer.distinct for layer in incoming
        )
        / units,
        "effective rank of features": data["3"].effective_rank,
        "effective rank of weights": weights["2"].effective_rank,
    }


def _network(seed: int) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Linear(64, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU(),
            nn.Linear(WIDTH, 10),
        )  # fmt: skip


def _optimiser(learner: Learner, network: nn.Module, seed: int) -> torch.optim.Optimizer:
    kind = torch.optim.Adam if learner.optimiser == "Adam" else torch.optim.SGD
    decay = learner.strength if learner.method == "decay" else 0.0
    optimiser = kind(network.parameters(), lr=RATES[learner.optimiser], weight_decay=decay)
    if learner.method == "syre":
        syre_optimiser(optimiser, learner.strength, seed=seed)
    return optimiser


def _digits() -> tuple[Tensor, Tensor]:
    try:
        datasets = importlib.import_module("sklearn.datasets")
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "this needs the digits of scikit-learn, which is not installed: "
            "pip install scikit-learn"
        ) from error
    found = datasets.load_digits()
    return torch.tensor(found.data / 16).float(), torch.tensor(found.target)
