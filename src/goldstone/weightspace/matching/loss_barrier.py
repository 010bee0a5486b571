"""How much higher the loss is between two networks than at them."""

import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from goldstone.core import InputError, Progress, SilentProgress, Statistic, generator, trees
from goldstone.weightspace.matching.merging import (
    has_running_statistics,
    interpolated,
    reset_running_statistics,
)
from goldstone.weightspace.matching.samples import Loss, each_loss, equal_batches, sample_count
from goldstone.weightspace.matching.weight_matching import checked_states
from goldstone.weightspace.symmetries.parameter_symmetry import StateDict

RESAMPLES = 1_000


@dataclass(frozen=True)
class LossBarrier:
    """The loss along a path from one network (t = 0) to another (t = 1).

    Attributes:
        positions: t of the points.
        losses: mean loss at the points, with 95 % intervals over samples.
        barrier: max over t of L(t) − (1 − t)·L(0) − t·L(1), at least 0; its interval is a bootstrap
            over samples, the same at all points.
        highest: t where it is.
        reset: whether running statistics were reset at every point.
    """

    positions: tuple[float, ...]
    losses: tuple[Statistic, ...]
    barrier: Statistic
    highest: float
    reset: bool


def loss_barrier(
    model_a: nn.Module,
    model_b: nn.Module,
    inputs: Any,
    targets: Any,
    loss: Loss,
    *,
    points: int = 25,
    midpoint: StateDict | None = None,
    batch_size: int = 512,
    reset_inputs: Any | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> LossBarrier:
    """The loss barrier between two networks along the straight line, or a quadratic Bézier curve.

    Both are evaluated in eval mode. Running statistics of BatchNorm layers are reset at every point
    with batches of ``reset_inputs`` of one size, the ends included, so that all points are treated
    alike.

    Args:
        model_a: one end; not changed.
        model_b: the other, of the same architecture; not changed.
        inputs: all samples, a tensor or a tuple of positional arguments, samples first.
        targets: of the same samples.
        loss: of outputs and targets, one number for each sample.
        points: number of points on the path, both ends included.
        midpoint: θ of the curve (1 − t)²a + 2t(1 − t)θ + t²b; without it the path is straight.
        batch_size: how many samples are evaluated at once.
        reset_inputs: samples for running statistics; by default ``inputs``.
        seed: of the bootstrap.
        progress: told of points.

    Raises:
        InputError: the architectures differ, a weight or a loss is not finite, there are fewer than
            three points, not as many targets as inputs, or the loss does not give one number for
            each sample.
    """
    if points < 3:
        raise InputError(f"expected at least three points on the path, got {points}")
    sample_count(inputs, targets)
    a, b = checked_states(model_a, model_b)
    model = copy.deepcopy(model_a).eval()
    reset = has_running_statistics(model)
    positions = torch.linspace(0, 1, points, dtype=torch.float64)
    table = []
    with (progress or SilentProgress()).task("loss along the path", points) as task:
        for t in positions.tolist():
            model.load_state_dict(on_path(a, b, t, midpoint))
            if reset:
                source = inputs if reset_inputs is None else reset_inputs
                reset_running_statistics(model, equal_batches(source, batch_size))
            table.append(_losses(model, inputs, targets, loss, batch_size))
            task.advance()
    losses = torch.stack(table)
    if not bool(losses.isfinite().all()):
        raise InputError("the loss on the path is not finite; a barrier needs a finite loss")
    rises = losses - (1 - positions[:, None]) * losses[0] - positions[:, None] * losses[-1]
    stream = generator(seed, "loss barrier")
    samples = losses.shape[1]
    drawn = torch.empty(RESAMPLES, points, dtype=torch.float64)
    level = torch.empty(RESAMPLES, points, dtype=torch.float64)
    for k in range(RESAMPLES):
        chosen = torch.randint(samples, (samples,), generator=stream)
        weights = torch.bincount(chosen, minlength=samples).double() / samples
        drawn[k], level[k] = rises @ weights, losses @ weights
    mean = rises.mean(1)
    barrier = Statistic(
        float(mean.amax().clamp_min(0.0)), *_interval(drawn.amax(1).clamp_min(0.0)), n=samples
    )
    return LossBarrier(
        positions=tuple(positions.tolist()),
        losses=tuple(
            Statistic(float(x.mean()), *_interval(level[:, k]), n=samples)
            for k, x in enumerate(losses)
        ),
        barrier=barrier,
        highest=float(positions[int(mean.argmax())]),
        reset=reset,
    )


def on_path(
    a: StateDict, b: StateDict, t: float, midpoint: StateDict | None = None
) -> dict[str, Tensor]:
    """The weights at t on the straight line or the quadratic Bézier curve."""
    if midpoint is None:
        return interpolated(a, b, t)
    return {
        name: (1 - t) ** 2 * x + 2 * t * (1 - t) * midpoint[name] + t**2 * b[name]
        if trees.is_continuous(x)
        else x
        for name, x in a.items()
    }


def _losses(model: nn.Module, inputs: Any, targets: Any, loss: Loss, size: int) -> Tensor:
    parts = []
    with torch.no_grad():
        for x, y in zip(trees.chunks(inputs, size), trees.chunks(targets, size), strict=True):
            out = model(*x) if isinstance(x, tuple) else model(x)
            parts.append(each_loss(loss, out, y).double())
    return torch.cat(parts)


def _interval(values: Tensor) -> tuple[float, float]:
    low, high = torch.quantile(values, torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    return low, high
