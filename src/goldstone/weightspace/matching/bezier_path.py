"""A curve of low loss between two networks."""

import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from goldstone.core import InputError, Progress, SilentProgress, generator, trees
from goldstone.weightspace.matching.loss_barrier import Loss, on_path
from goldstone.weightspace.matching.weight_matching import checked_states


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
    over random batches. The networks run in the mode in which they are given (BatchNorm: train
    mode, and the barrier along the curve resets its statistics).

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
        InputError: the architectures differ, a weight is not finite, or the loss becomes so.
    """
    a, b = checked_states(model_a, model_b)
    model = copy.deepcopy(model_a)
    names = [name for name, _ in model.named_parameters()]
    middle = on_path(a, b, 0.5)
    theta = {name: middle[name].clone().requires_grad_() for name in names}
    optimiser = torch.optim.Adam(theta.values(), lr=learning_rate)
    stream = generator(seed, "bezier path")
    count = trees.batch_size(inputs)
    losses = []
    with (progress or SilentProgress()).task("curve between networks", steps) as task:
        for _ in range(steps):
            t = float(torch.rand((), generator=stream))
            chosen = torch.randint(count, (min(batch_size, count),), generator=stream)
            x, y = trees.take(inputs, chosen), trees.take(targets, chosen)
            point = on_path({name: a[name] for name in names}, b, t, theta)
            arguments = x if isinstance(x, tuple) else (x,)
            value = loss(torch.func.functional_call(model, point, arguments), y).mean()
            if not bool(value.isfinite()):
                raise InputError("the loss on the curve is not finite; lower the learning rate")
            optimiser.zero_grad()
            torch.autograd.backward(value)
            optimiser.step()
            losses.append(float(value.detach()))
            task.advance()
    midpoint = {**middle, **{name: x.detach() for name, x in theta.items()}}
    return BezierPath(midpoint, tuple(losses))
