"""A model under a probe: a module or a plain function, left exactly as it was found."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.parameter import is_lazy

from goldstone.auditing.inspection import buffers_kept, check_model
from goldstone.core import InputError, check_finite, trees
from goldstone.core.trees import Tree

Model = nn.Module | Callable[..., Tree]
"""A module, or any function of the inputs (then its state is the caller's own affair)."""


P = ParamSpec("P")
R = TypeVar("R")
Subject = TypeVar("Subject", bound="_HasModel")


class BlackBox(nn.Module):
    """A plain function as a module: no parameters, so no gradients and forward probes alone."""

    def __init__(self, function: Callable[..., Tree]) -> None:
        super().__init__()
        self.function = function
        self.eval()

    def forward(self, *args: Tree, **kwargs: Tree) -> Tree:
        return self.function(*args, **kwargs)

    def __deepcopy__(self, memo: dict[int, Any]) -> "BlackBox":
        """Itself: a function's state, such as an inference session, need not be copyable."""
        return self


def as_module(model: Model) -> nn.Module:
    """The module itself, what a compiled one was compiled from, or a function as a module.

    Raises:
        InputError: it cannot be called.
    """
    if isinstance(model, nn.Module):
        # torch.compile wraps: the eager module has the same weights and derivatives of all kinds.
        inner = getattr(model, "_orig_mod", None)
        return inner if isinstance(inner, nn.Module) else model
    if not callable(model):
        raise InputError(
            f"expected a torch.nn.Module or a function of the inputs, got a {type(model).__name__}"
        )
    return BlackBox(model)


def model_name(model: Model) -> str:
    """The class of a module, the name of a function."""
    module = as_module(model)
    if not isinstance(module, BlackBox):
        return type(module).__name__
    function = module.function
    while isinstance(function, partial):
        function = function.func
    return str(getattr(function, "__name__", type(function).__name__))


@contextmanager
def left_as_found(*modules: nn.Module, inputs: Tree = ()) -> Iterator[None]:
    """Afterwards the modules are as before, whatever happened inside, errors included.

    Restored are the training mode of every module, ``requires_grad`` and ``grad`` of every
    parameter, the buffers, and the random state of torch, also on the devices of ``inputs``.
    Inside, attention takes kernels that have derivatives of all kinds, and what is compiled runs
    as it was written.
    """
    parts = {id(part): part for module in modules for part in module.modules()}.values()
    modes = [(part, part.training) for part in parts]
    # A lazy one has neither values nor a gradient yet, and is refused.
    ready = [p for m in modules for p in m.parameters() if not is_lazy(p)]
    parameters = [(p, p.requires_grad, p.grad) for p in ready]
    held = [t for m in modules for t in (*m.parameters(), *m.buffers())]
    cuda = {t.device for t in (*held, *trees.leaves(inputs)) if t.device.type == "cuda"}
    fast = torch.backends.mha.get_fastpath_enabled()
    try:
        with ExitStack() as stack:
            torch.backends.mha.set_fastpath_enabled(False)
            stack.enter_context(torch.inference_mode(mode=False))
            stack.enter_context(torch.random.fork_rng(devices=cuda))
            stack.enter_context(sdpa_kernel(SDPBackend.MATH))
            for module in modules:
                stack.enter_context(buffers_kept(module))
            if "torch._dynamo" in sys.modules:  # else nothing is compiled
                stack.enter_context(torch.compiler.set_stance("force_eager"))
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        for part, training in modes:
            part.training = training
        for parameter, requires, gradient in parameters:
            parameter.requires_grad_(requires)
            parameter.grad = gradient


class _HasModel(Protocol):
    """What holds a model, as a subject does."""

    @property
    def model(self) -> nn.Module: ...


def leaves_model_as_found(
    probe: Callable[Concatenate[Subject, P], R],
) -> Callable[Concatenate[Subject, P], R]:
    """The probe, whose first argument holds the model, inside :func:`left_as_found`."""

    @wraps(probe)
    def guarded(subject: Subject, *args: P.args, **kwargs: P.kwargs) -> R:
        with left_as_found(subject.model):
            return probe(subject, *args, **kwargs)

    return cast("Callable[Concatenate[Subject, P], R]", guarded)


@contextmanager
def probed(model: Model, inputs: Tree) -> Iterator[nn.Module]:
    """The model as a module, checked on three samples; afterwards as it was before.

    See :func:`left_as_found`.

    Raises:
        InputError: inputs with NaN or infinities or without a sample, or what
            :func:`goldstone.auditing.inspection.check_model` refuses: batch statistics, dropout,
            randomness, outputs that depend on batch mates.
    """
    for leaf in trees.leaves(inputs):
        check_finite(leaf, "inputs")
    if trees.batch_size(inputs) < 1:
        raise InputError("expected one or more samples, got none")
    module = as_module(model)
    with left_as_found(module, inputs=inputs):
        check_model(module, trees.take(inputs, slice(3)))
        yield module


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
