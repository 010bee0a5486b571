"""Emulators and weights on disk: safetensors that carry their config in the header."""

import json
import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from goldstone.core import InputError, replacing
from goldstone.systems.emulators.build import build_emulator
from goldstone.systems.emulators.config import EmulatorConfig
from goldstone.systems.emulators.emulator import Emulator

_HEADER = "goldstone"
_CHECKPOINT = re.compile(r"epoch-(\d+)\.safetensors")


def write_tensors(
    path: str | Path, tensors: Mapping[str, Tensor], header: Mapping[str, Any]
) -> None:
    """Write tensors and a JSON header as one safetensors file, atomically."""
    # safetensors stores plain contiguous arrays, whatever the memory format in use.
    arrays = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with replacing(path) as temporary:
        save_file(arrays, temporary, metadata={_HEADER: json.dumps(header, sort_keys=True)})


def read_tensors(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors of a safetensors file and the JSON header of :func:`write_tensors` (or {}).

    Raises:
        InputError: there is no such file, or it is truncated or no safetensors file.
    """
    if not Path(path).is_file():
        found = "a directory" if Path(path).is_dir() else "none"
        raise InputError(f"{path}: expected a safetensors file, found {found}; check the path")
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {}).get(_HEADER, "{}"))
            return {name: file.get_tensor(name) for name in file.keys()}, header  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(
            f"{path}: not a complete safetensors file ({error}); it may be truncated or of another "
            "format: write or copy it again"
        ) from error


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """The weights in a safetensors file, or in a ``.pt``/``.pth`` file that holds only tensors.

    Raises:
        InputError: the file is missing, truncated, or holds something else than named tensors.
    """
    if Path(path).suffix not in (".pt", ".pth", ".bin"):
        return read_tensors(path)[0]
    if not Path(path).is_file():
        raise InputError(f"{path}: expected a file of weights, found none; check the path")
    try:
        values = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for damaged or unsafe files
        if isinstance(error, pickle.UnpicklingError):
            raise InputError(
                f"{path}: cannot be read as plain weights, since it holds pickled objects, which "
                "could run any code; save the tensors alone: torch.save({k: v for k, v in "
                "model.state_dict().items() if isinstance(v, torch.Tensor)}, path)"
            ) from error
        raise InputError(
            f"{path}: is truncated or no file of PyTorch, and cannot be read as plain weights; "
            "save it by torch.save(model.state_dict(), path)"
        ) from error
    for key in ("state_dict", "model_state_dict", "model"):
        if isinstance(values, Mapping) and isinstance(values.get(key), Mapping):
            values = values[key]
    # Some libraries add notes of their own to a state_dict.
    tensors = (
        {name: value for name, value in values.items() if isinstance(value, Tensor)}
        if isinstance(values, Mapping)
        else {}
    )
    if not tensors:
        raise InputError(
            f"{path}: expected a state_dict of named tensors, got {type(values).__name__}; save it "
            "by torch.save(model.state_dict(), path)"
        )
    return tensors


def load_weights(module: nn.Module, weights: Mapping[str, Tensor], name: str) -> None:
    """Copy ``weights`` into ``module``, which they must fit exactly.

    Args:
        module: the module to fill.
        weights: a state_dict.
        name: what the weights are called in an error, such as their path.

    Raises:
        InputError: a weight is missing, unexpected or of another shape; all are named.
    """
    own = {key: value for key, value in module.state_dict().items() if isinstance(value, Tensor)}
    problems = [f"{key} is missing" for key in own if key not in weights]
    problems += [f"{key} is not in the model" for key in weights if key not in own]
    problems += [
        f"{key} has shape {tuple(weights[key].shape)} and the model's has {tuple(own[key].shape)}"
        for key in own
        if key in weights and weights[key].shape != own[key].shape
    ]
    if problems:
        shown = "; ".join(problems[:4]) + (f"; and {len(problems) - 4} more" * (len(problems) > 4))
        raise InputError(
            f"{name}: these weights do not fit the model {type(module).__name__}: {shown}. Build "
            "the model with the arguments it was trained with, or give its own weights"
        )
    module.load_state_dict(dict(weights))


def save_emulator(
    path: str | Path,
    emulator: Emulator,
    config: EmulatorConfig,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Write an emulator, normalisers included, with its config and any JSON ``details``."""
    header = {"emulator": config.to_json(), **(details or {})}
    write_tensors(path, emulator.state_dict(), header)


def load_emulator(path: str | Path) -> Emulator:
    """Read an emulator from a checkpoint, or from the last checkpoint of a training directory.

    It comes on the CPU, in evaluation mode.

    Raises:
        InputError: there is no checkpoint, the file is truncated, has no config in its header, or
            holds weights that do not fit this config.
    """
    file = _checkpoint_file(path)
    weights, header = read_tensors(file)
    emulator = build_emulator(_config_of(file, header))
    load_weights(emulator, weights, str(file))
    return emulator.eval()


def read_emulator_config(path: str | Path) -> EmulatorConfig:
    """The config in a checkpoint, or in the last checkpoint of a training directory.

    Raises:
        InputError: as for :func:`load_emulator`.
    """
    file = _checkpoint_file(path)
    return _config_of(file, read_tensors(file)[1])


def list_checkpoints(directory: str | Path) -> tuple[tuple[int, Path], ...]:
    """(epoch, path) of each checkpoint of a training directory, by epoch; 0 is untrained.

    Raises:
        InputError: there is none.
    """
    # A directory of checkpoints alone, moved out of its training directory, will do as well.
    for folder in (Path(directory) / "checkpoints", Path(directory)):
        files = sorted(folder.iterdir()) if folder.is_dir() else []
        found = [(match, file) for file in files if (match := _CHECKPOINT.fullmatch(file.name))]
        if found:
            return tuple(sorted((int(match[1]), file) for match, file in found))
    raise InputError(
        f"{directory}: expected a training directory with checkpoints/epoch-NNNN.safetensors, "
        "found none; train an emulator into it first"
    )


def checkpoint_path(directory: str | Path, epoch: int) -> Path:
    """Where the checkpoint after ``epoch`` epochs lies in a training directory."""
    return Path(directory) / "checkpoints" / f"epoch-{epoch:04d}.safetensors"


def _checkpoint_file(path: str | Path) -> Path:
    return list_checkpoints(path)[-1][1] if Path(path).is_dir() else Path(path)


def _config_of(file: Path, header: Mapping[str, Any]) -> EmulatorConfig:
    if "emulator" not in header:
        raise InputError(
            f"{file}: has no emulator config in its header; expected a checkpoint written by "
            "goldstone. For other weights, build the model and use load_weights"
        )
    return EmulatorConfig.from_json(header["emulator"])
