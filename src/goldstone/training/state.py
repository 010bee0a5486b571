"""Everything a killed run needs to go on, in one safetensors file that is replaced atomically."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from goldstone.core import InputError
from goldstone.systems.emulators import load_weights, read_tensors, write_tensors
from goldstone.training.result import LossHistory

_SLOTS = ("step", "exp_avg", "exp_avg_sq")


def write_state(
    path: Path, model: nn.Module, optimiser: torch.optim.AdamW, history: LossHistory
) -> None:
    """Write weights, moments of AdamW and the losses so far."""
    tensors: dict[str, Tensor] = {f"model/{k}": v for k, v in model.state_dict().items()}
    for name, parameter in model.named_parameters():
        for slot in _SLOTS:
            tensors[f"{slot}/{name}"] = optimiser.state[parameter][slot]
    group = optimiser.param_groups[0]
    names = [name for name, _ in model.named_parameters()]
    constants = {"names": names, "betas": list(group["betas"]), "eps": group["eps"]}
    write_tensors(path, tensors, {"history": history.to_json(), "optimiser": constants})


def read_state(path: Path, model: nn.Module, optimiser: torch.optim.AdamW) -> LossHistory:
    """Put back what :func:`write_state` wrote, and return the losses so far.

    Raises:
        InputError: the file is damaged or belongs to another model.
    """
    tensors, header = read_tensors(path)
    try:
        history = LossHistory.from_json(header["history"])
        weights = {k.removeprefix("model/"): v for k, v in tensors.items() if k[:6] == "model/"}
        load_weights(model, weights, str(path))
        for name, parameter in model.named_parameters():
            state: dict[str, Any] = {"step": tensors[f"step/{name}"]}
            for slot in _SLOTS[1:]:
                # The memory format of the parameter decides which kernel AdamW takes, and thereby
                # the last bit of its result.
                state[slot] = torch.empty_like(parameter).copy_(tensors[f"{slot}/{name}"]).detach()
            optimiser.state[parameter] = state
    except KeyError as error:
        raise InputError(
            f"{path}: has no entry {error}; it was not written by this training. Remove it to "
            "start again"
        ) from error
    return history


def read_optimiser(path: Path) -> dict[str, Any]:
    """The optimiser's part of what :func:`write_state` wrote, in the form of its ``state_dict()``.

    Raises:
        InputError: the file is missing or damaged, or was not written by a training.
    """
    tensors, header = read_tensors(path)
    try:
        constants = header["optimiser"]
        names = constants["names"]
        state = {
            number: {slot: tensors[f"{slot}/{name}"] for slot in _SLOTS}
            for number, name in enumerate(names)
        }
        group = {"betas": tuple(constants["betas"]), "eps": constants["eps"]}
    except KeyError as error:
        raise InputError(f"{path}: has no entry {error}; it holds no state of AdamW") from error
    return {
        "state": state,
        "param_groups": [group | {"params": list(state), "param_names": names}],
    }
