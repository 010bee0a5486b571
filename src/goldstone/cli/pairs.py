"""Pairs of inputs and targets in .npz files."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from goldstone.core import InputError, trees
from goldstone.core.trees import Tree

_ROLES = ("inputs", "targets")


def holds_pairs(path: Path) -> bool:
    """Whether this is an .npz with inputs; a file that cannot be read is none."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(_role(name.removesuffix(".npy")) == "inputs" for name in archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def read_pairs(path: Path, chosen: slice | None = None) -> tuple[Tree, Tree]:
    """Inputs and targets, n samples each.

    Each is one array, ``inputs``, or several, ``inputs.NAME``, which go to the model as keyword
    arguments (or come from it as a dict).

    Raises:
        InputError: the file is damaged, lacks inputs or targets, or holds anything but numbers.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files if _role(name) in _ROLES}
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        raise InputError(f"{path}: cannot be read as arrays of numbers ({error})") from error
    found = {role: _tree(path, role, arrays) for role in _ROLES}
    sizes = {role: trees.batch_size(tree) for role, tree in found.items()}
    if sizes["inputs"] != sizes["targets"]:
        raise InputError(
            f"{path}: expected as many targets as inputs, got {sizes['targets']} for "
            f"{sizes['inputs']}"
        )
    rows = chosen or slice(None)
    return trees.take(found["inputs"], rows), trees.take(found["targets"], rows)


def _role(name: str) -> str:
    return name.partition(".")[0]


def _tree(path: Path, role: str, arrays: dict[str, Any]) -> Tree:
    mine = {name: array for name, array in arrays.items() if _role(name) == role}
    if not mine:
        raise InputError(f"{path}: has no array {role!r}, nor any {role + '.NAME'!r}")
    for name, array in mine.items():
        if array.dtype.kind not in "fiubc" or array.ndim < 1:
            raise InputError(
                f"{path}: {name}: expected numbers, sample axis first, got {array.dtype} of shape "
                f"{array.shape}"
            )
    if role in mine:
        if len(mine) > 1:
            raise InputError(f"{path}: {role!r} and {role + '.NAME'!r} together; keep one form")
        return torch.from_numpy(mine[role])
    return {name.partition(".")[2]: torch.from_numpy(array) for name, array in mine.items()}
