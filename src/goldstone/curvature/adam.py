"""The metric that Adam steps in, from the state of the optimiser."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from goldstone.core import InputError
from goldstone.curvature.diagonal import DiagonalMetric
from goldstone.curvature.parameters import flatten_into, trainable_parameters, vector_size


def adam_metric(
    model: nn.Module, state: Mapping[str, Any], names: Sequence[str] | None = None
) -> DiagonalMetric:
    """The preconditioner √v̂ + ε of a ``torch.optim.Adam`` or ``AdamW``.

    v̂ = v/(1 − β₂^step), v the moving average of squared gradients (its running maximum with
    amsgrad): an Adam step is −lr · m̂/(√v̂ + ε), so inner products G(√v̂ + ε)⁻¹Gᵀ say how a
    step on one sample's gradient moves the loss of another (Kingma & Ba 2015, algorithm 1). Without
    further damping: ε is Adam's own. Weight decay and learning rates that differ between groups
    are no part of it.

    Args:
        model: its trainable parameters, in order, are the metric's coordinates.
        state: the optimiser's ``state_dict()``, as read by ``torch.load(…, weights_only=True)``.
        names: parameter names in the optimiser's order; needed if it has several groups and was
            not made from ``named_parameters()``.

    Raises:
        InputError: the state is not Adam's, is empty or partial, or does not fit the model.
    """
    groups = _groups(state)
    numbers = [number for group in groups for number in group["params"]]
    group_of = {number: group for group in groups for number in group["params"]}
    parameters = trainable_parameters(model)
    order = optimiser_order(model, state, names)
    denominators: dict[str, Tensor] = {}
    for number, name in zip(numbers, order, strict=True):
        if name in parameters:
            entry = state["state"].get(number)
            denominators[name] = _denominator(name, parameters[name], entry, group_of[number])
    missing = [name for name in parameters if name not in denominators]
    if missing:
        raise InputError(
            f"the optimiser does not train {', '.join(missing[:3])}; freeze these parameters "
            "(requires_grad_(False)) to leave them out of the metric"
        )
    device = next(iter(parameters.values())).device
    diagonal = torch.empty(vector_size(parameters), dtype=torch.float64, device=device)
    flatten_into([denominators[name] for name in parameters], diagonal)
    if not bool((diagonal > 0).all()):
        raise InputError("Adam's preconditioner is zero somewhere: ε = 0 with no gradient seen yet")
    return DiagonalMetric(diagonal, 0.0)


def optimiser_order(
    model: nn.Module, state: Mapping[str, Any], names: Sequence[str] | None = None
) -> list[str]:
    """The names of the parameters that an optimiser holds, in its order.

    Args:
        model: that it trained.
        state: its ``state_dict()``.
        names: as in :func:`adam_metric`.

    Raises:
        InputError: the state is empty or no ``state_dict()``, or does not fit the model.
    """
    return _names(model, _groups(state), names)


def _groups(state: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if not isinstance(state, Mapping) or not {"state", "param_groups"} <= set(state):
        raise InputError(
            "expected an optimiser's state_dict with 'state' and 'param_groups'; of a checkpoint "
            "that holds more, pass the part that optimizer.state_dict() gave"
        )
    if not state["state"]:
        raise InputError("the optimiser has no state yet: save it after at least one step")
    groups: list[Mapping[str, Any]] = list(state["param_groups"])
    return groups


def _names(
    model: nn.Module, groups: Sequence[Mapping[str, Any]], names: Sequence[str] | None
) -> list[str]:
    """The parameter names in the optimiser's order."""
    count = sum(len(group["params"]) for group in groups)
    known = dict(model.named_parameters())
    if names is None and all("param_names" in group for group in groups):
        names = [name for group in groups for name in group["param_names"]]
    if names is not None:
        unknown = [name for name in names if name not in known]
        if unknown or len(names) != count or len(set(names)) != count:
            raise InputError(
                f"expected {count} distinct names of the model's parameters, got {len(names)}"
                + (f", {unknown[0]!r} not among the model's" if unknown else "")
            )
        return list(names)
    if len(groups) > 1:
        raise InputError(
            f"the optimiser has {len(groups)} parameter groups and no parameter names, so their "
            "order is not known; pass names=[…] in the optimiser's order, or make the optimiser "
            "from model.named_parameters()"
        )
    # Optimisers are made from all parameters or from the trainable ones.
    for order in (list(known), list(trainable_parameters(model))):
        if len(order) == count:
            return order
    raise InputError(
        f"the optimiser holds {count} parameters, the model {len(known)} "
        f"({len(trainable_parameters(model))} trainable); is this the state of another model?"
    )


def _denominator(
    name: str, parameter: Tensor, entry: Mapping[str, Any] | None, group: Mapping[str, Any]
) -> Tensor:
    """√v̂ + ε of one parameter; of a complex one, of its real and its imaginary part."""
    if entry is None:
        raise InputError(
            f"the optimiser has no state for {name}: it had no gradient; freeze it or train on"
        )
    key = "max_exp_avg_sq" if group.get("amsgrad") else "exp_avg_sq"
    if not {key, "step"} <= set(entry) or not {"betas", "eps"} <= set(group):
        raise InputError(
            f"expected the state of an Adam optimiser, got none of {key!r}, 'step', 'betas' or "
            f"'eps' for {name}; only Adam's second moments make this metric"
        )
    moment, step = entry[key], float(entry["step"])
    if moment.shape != parameter.shape or moment.is_complex() != parameter.is_complex():
        raise InputError(
            f"{name}: the optimiser's second moments are of shape {tuple(moment.shape)}, the "
            f"parameter {tuple(parameter.shape)}; is this the state of another model?"
        )
    if step < 1:
        raise InputError(f"the optimiser has made no step on {name}")
    real = torch.view_as_real(moment) if moment.is_complex() else moment
    correction = 1 - float(group["betas"][1]) ** step
    result = (real.detach().double().to(parameter.device) / correction).sqrt() + float(group["eps"])
    return torch.view_as_complex(result) if moment.is_complex() else result
