"""The model to audit, from what is typed: a training directory, a checkpoint or a factory."""

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from goldstone.cli.python_objects import described, load_object
from goldstone.core import InputError
from goldstone.systems.emulators import (
    list_checkpoints,
    load_emulator,
    load_weights,
    read_tensors,
    read_weights,
)

_EXPECTED = (
    "expected a directory or .safetensors checkpoint written by `goldstone train`, a factory "
    "MODULE:NAME such as mypackage.nets:UNet, or FILE.py:NAME"
)


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A model in evaluation mode, its name, and its (epoch, path) of training checkpoints.

    ``has_weights`` tells weights that were read from those a factory made.
    """

    module: nn.Module
    name: str
    checkpoints: tuple[tuple[int, Path], ...] = ()
    has_weights: bool = False

    def history(self, device: torch.device) -> Iterator[tuple[int, nn.Module]]:
        """(epoch, model) of each checkpoint, one loaded at a time."""
        for epoch, path in self.checkpoints:
            yield epoch, load_emulator(path).to(device)


def load_model(
    spec: str,
    weights: Path | None,
    arguments: Mapping[str, Any],
    seed: int,
    device: torch.device,
) -> LoadedModel:
    """Build or read the model named by ``spec``.

    A factory is a class or function that returns an ``nn.Module`` when called with ``arguments``;
    naming it runs its module or file. Without ``weights`` its initial ones follow from ``seed``.

    Raises:
        InputError: there is no such model, it cannot be built, or the weights do not fit it.
    """
    place = Path(spec)
    if place.exists():
        return _read(place, weights, arguments, device)
    source, colon, name = spec.rpartition(":")
    if not colon:
        raise InputError(f"MODEL {spec!r}: no such file or directory; {_EXPECTED}")
    if not source or not name:
        raise InputError(f"MODEL {spec!r}: {_EXPECTED}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = _build(spec, load_object(spec, f"MODEL {spec!r}"), arguments)
    if weights is not None:
        load_weights(module, read_weights(weights), str(weights))
    return LoadedModel(
        module.to(device).eval(), name.rpartition(".")[2], has_weights=weights is not None
    )


def _read(
    place: Path, weights: Path | None, arguments: Mapping[str, Any], device: torch.device
) -> LoadedModel:
    if place.is_file() and place.suffix != ".safetensors":
        mend = (
            f"name the factory in it: {place}:NAME"
            if place.suffix == ".py"
            else f"weights alone do not say the model: give MODULE:NAME --weights {place}"
        )
        raise InputError(f"MODEL {place}: {_EXPECTED}; {mend}")
    if place.is_file() and "emulator" not in read_tensors(place)[1]:
        raise InputError(
            f"MODEL {place}: these weights do not say their model, as those of goldstone train do: "
            f"give MODULE:NAME or FILE.py:NAME with --weights {place}"
        )
    if arguments or weights is not None:
        option = "--weights" if weights is not None else "--set"
        raise InputError(
            f"{option} belongs to a factory MODULE:NAME or FILE.py:NAME; {place} has its own"
        )
    module = load_emulator(place).to(device)
    checkpoints = list_checkpoints(place) if place.is_dir() else ()
    return LoadedModel(module, place.resolve().stem, checkpoints, has_weights=True)


def _build(spec: str, factory: Any, arguments: Mapping[str, Any]) -> nn.Module:
    if isinstance(factory, nn.Module) and not arguments:
        return factory
    if not callable(factory) or isinstance(factory, nn.Module):
        raise InputError(
            f"MODEL {spec!r}: expected a class or function that returns a torch.nn.Module, got "
            f"{type(factory).__name__}"
        )
    try:
        model = factory(**arguments)
    except (Exception, SystemExit) as error:
        raise InputError(
            f"MODEL {spec!r}: building it with ({_call(arguments)}) failed with "
            f"{described(error)}; it takes {_signature(factory)}: give them by --set KEY=VALUE"
        ) from error
    if not isinstance(model, nn.Module):
        raise InputError(
            f"MODEL {spec!r}: expected a torch.nn.Module from the factory, got "
            f"{type(model).__name__}; let it return the model"
        )
    return model


def _call(arguments: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={value!r}" for key, value in arguments.items())


def _signature(factory: Any) -> str:
    try:
        parameters = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):
        return "arguments unknown to Python"
    return "(" + ", ".join(str(p.replace(annotation=p.empty)) for p in parameters) + ")"
