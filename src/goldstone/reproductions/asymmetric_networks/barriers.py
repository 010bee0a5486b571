"""Barriers between two networks, and the straight line from initialisation to the end."""

import copy
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from goldstone.core import generator
from goldstone.reproductions.asymmetric_networks.data import Images
from goldstone.reproductions.asymmetric_networks.networks import (
    accuracy,
    each_loss,
    network,
    train,
)
from goldstone.weightspace import loss_barrier, parameter_symmetries, weight_matching


def pair(
    arm: str, images: Images, width: int, epochs: int, number: int, points: int
) -> dict[str, Any]:
    """Two networks of different initial weights and data orders, and the line between them.

    Of the standard ones also the line after weight matching by permutations (Git Re-Basin).
    """
    ends, curves = [], []
    for seed in (2 * number, 2 * number + 1):
        start = network(arm, images.train.shape[1], width, seed)
        end = train(copy.deepcopy(start), images, epochs, seed)
        ends.append(end)
        curves.append(_from_start(start, end, images, points))
    a, b = ends
    found: dict[str, Any] = {
        "direct": _line(a, b, images, points),
        "accuracy": [accuracy(one, images.test, images.test_labels) for one in ends],
        "train accuracy": [accuracy(one, images.train, images.labels) for one in ends],
        "from start": curves,
    }
    if arm == "standard":
        symmetries = parameter_symmetries(a, (images.train[:2],))
        moved = weight_matching(a, b, symmetries, kinds=("permutation",)).model(b)
        found["aligned"] = _line(a, moved, images, points)
    return found


def _line(a: nn.Module, b: nn.Module, images: Images, points: int) -> dict[str, Any]:
    found = loss_barrier(a, b, images.test, images.test_labels, each_loss, points=points)
    losses = [_value(one.estimate) for one in found.losses]
    return {
        "barrier": found.barrier.estimate,
        "midpoint": losses[points // 2] - 0.5 * (losses[0] + losses[-1]),
        "losses": losses,
        "distance": _distance(a, b),
    }


def _distance(a: nn.Module, b: nn.Module) -> float:
    """‖a − b‖ over the root mean square of ‖a‖ and ‖b‖, of trained matrices; √2 if orthogonal."""
    x, y = (
        torch.cat([p.detach().flatten() for p in one.parameters() if p.ndim > 1]) for one in (a, b)
    )
    return float((x - y).norm() / (0.5 * (x.square().sum() + y.square().sum())).sqrt())


def _from_start(start: nn.Module, end: nn.Module, images: Images, points: int) -> list[float]:
    """Training loss on the line from the initial weights to the trained ones."""
    few = slice(0, 1500)
    found = loss_barrier(
        start, end, images.train[few], images.labels[few], each_loss, points=points
    )
    return [_value(one.estimate) for one in found.losses]


def _value(estimate: float | None) -> float:
    return float("nan") if estimate is None else estimate


def interpolation(
    arm: str, images: Images, width: int, number: int, points: int, between: tuple[int, int]
) -> dict[str, Any]:
    """A network trained by SGD of random hyperparameters, and the line from its start.

    The distributions are the paper's (appendix F.3.1): learning rate ½·10^−U(0, 2), weight decay
    10^−U(1, 5), label smoothing U(0, 0.2), 10 to 40 epochs (``between``); the rate rises linearly
    for a fifth of the training and then falls to zero. Momentum is 0.9. All arms share them.
    """
    stream = generator(number, "hyperparameters")
    u = torch.rand(4, generator=stream, dtype=torch.float64).tolist()
    rate, decay, smoothing = 0.5 * 10 ** (-2 * u[0]), 10 ** (-1 - 4 * u[1]), 0.2 * u[2]
    epochs = between[0] + int((between[1] - between[0] + 1) * u[3])
    start = network(arm, images.train.shape[1], width, 1000 + number)
    end = copy.deepcopy(start)
    sgd = torch.optim.SGD(end.parameters(), lr=rate, momentum=0.9, weight_decay=decay)
    criterion = nn.CrossEntropyLoss(label_smoothing=smoothing)
    train(
        end, images, epochs, number, sgd, loss=criterion,
        rate=lambda done: min(done / 0.2, (1 - done) / 0.8) + 1e-3,
    )  # fmt: skip
    diverged = not all(bool(p.isfinite().all()) for p in end.parameters())
    curve = [] if diverged else _from_start(start, end, images, points)
    return {"rate": rate, "decay": decay, "smoothing": smoothing, "epochs": epochs, "curve": curve}


def rise(curve: Sequence[float]) -> float:
    """Δ = maxᵢ L(αᵢ₊₁) − L(αᵢ); below 0 where the loss falls all the way."""
    return max(b - a for a, b in pairwise(curve))


def local_convexity(curve: Sequence[float]) -> float:
    """The share of second differences that are not negative."""
    n = len(curve)
    return sum(curve[i - 1] - 2 * curve[i] + curve[i + 1] >= 0 for i in range(1, n - 1)) / (n - 2)


def global_convexity(curve: Sequence[float]) -> float:
    """The share of points not above the chord between the ends."""
    n = len(curve) - 1
    chord = [curve[0] + (curve[-1] - curve[0]) * i / n for i in range(n + 1)]
    return sum(x <= y + 1e-12 for x, y in zip(curve, chord, strict=True)) / (n + 1)
