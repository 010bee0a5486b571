"""The state of the optimiser that trained a model."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from goldstone.core import InputError
from goldstone.training import read_optimiser

_KEYS = ("optimizer_state_dict", "optimizer", "optimiser", "optim")


def read_optimiser_state(path: Path) -> Mapping[str, Any]:
    """``optimizer.state_dict()`` from a .pt, alone or in a checkpoint, or from goldstone train.

    Nothing in the file is run.

    Raises:
        InputError: the file is missing or damaged, needs code to be read, or holds no such state.
    """
    if path.suffix == ".safetensors":
        return read_optimiser(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise InputError(f"--optimiser: there is no file {path}; check the path") from error
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise InputError(
            f"--optimiser: {path} cannot be read as tensors and plain values alone "
            f"({str(error).splitlines()[0]}); save optimizer.state_dict() with torch.save"
        ) from error
    if isinstance(content, Mapping):
        for key in _KEYS:
            if isinstance(content.get(key), Mapping):
                content = content[key]
                break
    if not isinstance(content, Mapping) or not {"state", "param_groups"} <= set(content):
        raise InputError(
            f"--optimiser: {path} holds no optimizer.state_dict(), alone or under one of "
            f"{', '.join(_KEYS)}"
        )
    return content
