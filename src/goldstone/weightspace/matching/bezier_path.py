"""A curve of low loss between two networks."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from goldstone.core import InputError, Progress, SilentProgress, generator, trees
from goldstone.weightspace.matching.loss_barrier import on_path
from goldstone.weightspace.matching.merging import normalising_by_batch
from goldstone.weightspace.matching.samples import Loss, each_loss, sample_count
from goldstone.weightspace.matching.weight_matching import checked_states
from goldstone.weightspace.tracing import shared_parameters


@dataclass(frozen=True, eq=False)
class BezierPath:
    """The quadratic Bézier curve (1 − t)²a + 2t(1 − t)θ + t²b.

    Attributes:
        midpoint: θ, a state_dict; buffers are the means of both ends.
        losses: mean loss of the batch at each training step, at its random t.
    """

    midpoint: dict[str, Tensor]
    losses: tuple[float, ...]


def bezier_path(
    model_a: nn.Module,
    model_b: nn.Module,
    inputs: Any,
    targets: Any,
    loss: Loss,
    *,
    steps: int = 500,
    batch_size: int = 128,
    learning_rate: float = 1e-3,
    seed: int = 0,
    progress: Progress | None = None,
) -> BezierPath:
    """Train the control point θ of a curve between two networks (Garipov et al., 1802.10026).

    θ begins in the middle of the straight line; Adam minimises the mean loss at t uniform on [0, 1]
    over random batches. Layers of BatchNorm normalise by their batch, since the barrier along the
    curve resets their statistics; other layers run in the mode in which they are given. Shared
    parameters stay shared.

    Args:
        model_a: one end; not changed.
        model_b: the other, of the same architecture; not changed.
        inputs: a tensor or a tuple of positional arguments, samples first.
        targets: of the same samples.
        loss: of outputs and targets, one number for each sample.
        steps: training steps.
        batch_size: samples in a batch.
        learning_rate: of Adam.
        seed: of batches and t.
        progress: told of steps.

    Raises:
        InputError: the architectures differ, a weight is not finite, there are not as many targets
            as inputs, or the loss is not one number for each sample or becomes infinite.
    """
    a, b = checked_states(model_a, model_b)
    model = normalising_by_batch(model_a)
    names = [name for name, _ in model.named_parameters()]
    middle = on_path(a, b, 0.5)
    theta = {name: middle[name].clone().requires_grad_() for name in names}
    optimiser = torch.optim.Adam(theta.values(), lr=learning_rate)
    stream = generator(seed, "bezier path")
    count = sample_count(inputs, targets)
    losses = []
    with (progress or SilentProgress()).task("curve between networks", steps) as task:
        for _ in range(steps):
            t = float(torch.rand((), generator=stream))
            chosen = torch.randint(count, (min(batch_size, count),), generator=stream)
            x, y = trees.take(inputs, chosen), trees.take(targets, chosen)
            point = on_path({name: a[name] for name in names}, b, t, theta)
            arguments = x if isinstance(x, tuple) else (x,)
            out = torch.func.functional_call(model, point, arguments)
            value = each_loss(loss, out, y).mean()
            if not bool(value.isfinite()):
                raise InputError("the loss on the curve is not finite; lower the learning rate")
            optimiser.zero_grad()
            torch.autograd.backward(value)
            optimiser.step()
            losses.append(float(value.detach()))
            task.advance()
    midpoint = {**middle, **{name: x.detach() for name, x in theta.items()}}
    midpoint |= {name: midpoint[first] for name, first in shared_parameters(model).items()}
    return BezierPath(midpoint, tuple(losses))
