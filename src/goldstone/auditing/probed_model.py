"""A model under a probe: checked first, and left exactly as it was found."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from goldstone.auditing.inspection import check_model, predict
from goldstone.core import InputError, check_finite, trees
from goldstone.core.trees import Tree

Model = nn.Module | Callable[..., Tree]
"""A module, or any function of the inputs (then its state is the caller's own affair)."""


class _Function(nn.Module):
    """A plain function as a module without parameters."""

    def __init__(self, function: Callable[..., Tree]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *args: Tree, **kwargs: Tree) -> Tree:
        return self.function(*args, **kwargs)


@contextmanager
def probed(model: Model, inputs: Tree) -> Iterator[nn.Module]:
    """The model as a module, checked on three samples; afterwards as it was before.

    Restored are the training mode of every module, ``requires_grad`` and ``grad`` of every
    parameter, the buffers and the random state of torch. Inside, attention takes kernels that have
    derivatives of all kinds.

    Raises:
        InputError: inputs with NaN or infinities or without a sample, or what
            :func:`goldstone.auditing.inspection.check_model` refuses: batch statistics, dropout,
            randomness, outputs that depend on batch mates.
    """
    for leaf in trees.leaves(inputs):
        check_finite(leaf, "inputs")
    if trees.batch_size(inputs) < 1:
        raise InputError("expected one or more samples, got none")
    module = model if isinstance(model, nn.Module) else _Function(model)
    modes = [(part, part.training) for part in module.modules()]
    parameters = [(p, p.requires_grad, p.grad) for p in module.parameters()]
    buffers = [(b, b.detach().clone()) for b in module.buffers()]
    devices = {t.device for t in (*module.parameters(), *module.buffers(), *trees.leaves(inputs))}
    cuda = [d for d in devices if d.type == "cuda"]
    fast = torch.backends.mha.get_fastpath_enabled()
    try:
        torch.backends.mha.set_fastpath_enabled(False)
        with torch.random.fork_rng(devices=cuda), sdpa_kernel(SDPBackend.MATH):
            few = trees.take(inputs, slice(3))
            check_model(module, few, _outputs(module, few))
            yield module
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        for part, training in modes:
            part.training = training
        for parameter, requires, gradient in parameters:
            parameter.requires_grad_(requires)
            parameter.grad = gradient
        with torch.no_grad():
            for buffer, value in buffers:
                if not torch.equal(buffer, value):
                    buffer.copy_(value)


def _outputs(module: nn.Module, few: Tree) -> Tree:
    """Outputs on a few samples; zeros of no meaning where the call fails, for the check to say."""
    try:
        return predict(module, few)
    except (RuntimeError, ValueError, TypeError, IndexError):
        return few


def trajectories_of(trajectory: Tensor | None, samples: int) -> Tensor:
    """(n,) int64, which trajectory each sample comes from, numbered 0, 1, …; each its own if None.

    Raises:
        InputError: not one number for each sample.
    """
    if trajectory is None:
        return torch.arange(samples)
    if trajectory.shape != (samples,):
        raise InputError(
            f"expected the number of a trajectory for each of {samples} samples, got shape "
            f"{tuple(trajectory.shape)}"
        )
    numbered: Tensor = torch.unique(trajectory.cpu(), return_inverse=True)[1]
    return numbered
