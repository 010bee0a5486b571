"""Samples on which two networks are compared."""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from goldstone.cli.pairs import read_pairs
from goldstone.core import InputError, trees


@dataclass(frozen=True, eq=False)
class Samples:
    """Positional arguments of the model, and targets; sample axis first."""

    inputs: tuple[Any, ...]
    targets: Any


def read_samples(paths: Sequence[Path], model: nn.Module, device: torch.device) -> Samples:
    """The pairs of some files, put together; floating-point arrays as the model's dtype.

    Raises:
        InputError: a file cannot be read, files differ in their arrays, or the model has no
            arguments of the names of the arrays.
    """
    pairs = [read_pairs(path) for path in paths]
    dtype = next((p.dtype for p in model.parameters()), torch.float32)

    def joined(first: Tensor, *others: Tensor) -> Tensor:
        for other in others:
            if other.shape[1:] != first.shape[1:]:
                raise InputError(
                    "--data: files to be put together have samples of shapes "
                    f"{tuple(first.shape[1:])} and {tuple(other.shape[1:])}"
                )
        whole = torch.cat([first, *others]).to(device)
        return whole.to(dtype) if whole.is_floating_point() else whole

    inputs, targets = (
        trees.map_leaves(joined, pairs[0][k], *(pair[k] for pair in pairs[1:])) for k in (0, 1)
    )
    return Samples(_positional(inputs, model), targets)


def _positional(inputs: Any, model: nn.Module) -> tuple[Any, ...]:
    if not isinstance(inputs, dict):
        return (inputs,)
    names = list(inspect.signature(model.forward).parameters)
    if set(inputs) - set(names) or list(names[: len(inputs)]) != [n for n in names if n in inputs]:
        raise InputError(
            f"the arrays of inputs are {', '.join(inputs)}, but the model's forward takes "
            f"({', '.join(names)}); name them after its first arguments"
        )
    return tuple(inputs[name] for name in names if name in inputs)
