"""Weights between two networks, and running statistics that fit them."""

import copy
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from goldstone.core import InputError, trees
from goldstone.weightspace.matching.weight_matching import checked_states
from goldstone.weightspace.symmetries.parameter_symmetry import StateDict


def interpolated(a: StateDict, b: StateDict, t: float) -> dict[str, Tensor]:
    """(1 − t)·a + t·b for real and complex tensors; integers are those of a."""
    return {
        name: torch.lerp(x, b[name], t) if trees.is_continuous(x) else x for name, x in a.items()
    }


def has_running_statistics(model: nn.Module) -> bool:
    """Whether some norm of the model keeps statistics of its inputs."""
    return any(isinstance(one, _BatchNorm) and one.track_running_stats for one in model.modules())


def normalising_by_batch(model: nn.Module) -> nn.Module:
    """A copy whose layers of BatchNorm are in train mode, the others as they are."""
    model = copy.deepcopy(model)
    for one in model.modules():
        if isinstance(one, _BatchNorm):
            one.train()
    return model


def reset_running_statistics(model: nn.Module, batches: Iterable[Any]) -> None:
    """Replace the running statistics of BatchNorm layers by those of some inputs, in place.

    Between two networks the mean of their statistics does not fit the mean of their weights: the
    variance collapses (Jordan et al., REPAIR, arXiv 2211.08403). Means over batches, each weighing
    the same; the mode of every module is left as found, and the statistics too where it fails.

    Args:
        model: whose.
        batches: inputs, a tensor or a tuple of positional arguments each.

    Raises:
        InputError: there is no batch.
    """
    norms = [one for one in model.modules() if isinstance(one, _BatchNorm)]
    norms = [one for one in norms if one.track_running_stats]
    if not norms:
        return
    modes = {one: one.training for one in model.modules()}
    momenta = {one: one.momentum for one in norms}
    given = {one: copy.deepcopy(one.state_dict()) for one in norms}
    model.eval()
    for one in norms:
        one.reset_running_stats()
        one.momentum = None  # a cumulative mean
        one.train()
    count = 0
    try:
        with torch.no_grad():
            for batch in batches:
                model(*batch) if isinstance(batch, tuple) else model(batch)
                count += 1
        if not count:
            raise InputError(
                "expected at least one batch of inputs to reset running statistics with"
            )
    except BaseException:
        for one, state in given.items():
            one.load_state_dict(state)
        raise
    finally:
        for module, training in modes.items():
            module.training = training
        for one, momentum in momenta.items():
            one.momentum = momentum


def merged(
    model_a: nn.Module, model_b: nn.Module, t: float = 0.5, batches: Iterable[Any] | None = None
) -> nn.Module:
    """The network with weights (1 − t)·a + t·b; align b first.

    Args:
        model_a: one end; not changed.
        model_b: the other, of the same architecture; not changed.
        t: the weight of b.
        batches: inputs from which the running statistics of BatchNorm layers are taken.

    Raises:
        InputError: the architectures differ, a weight is not finite, or there are BatchNorm layers
            and no inputs to reset them with.
    """
    a, b = checked_states(model_a, model_b)
    model = copy.deepcopy(model_a)
    model.load_state_dict(interpolated(a, b, t))
    if has_running_statistics(model):
        if batches is None:
            raise InputError(
                "the running statistics of BatchNorm layers do not fit merged weights: give "
                "batches of inputs to reset them with"
            )
        reset_running_statistics(model, batches)
    return model
