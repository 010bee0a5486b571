"""Images of digits: those that scikit-learn brings, and MNIST where the user has it."""

import importlib
import os
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor

from goldstone.core import InputError, MissingExtraError, generator

VARIABLE = "GOLDSTONE_MNIST"
"""The environment variable that may name a NumPy archive of MNIST."""
_NEEDED = ("x_train", "y_train", "x_test", "y_test")


@dataclass(frozen=True, eq=False)
class Images:
    """Flattened images (sample, pixel) and labels, to train on and to test with."""

    train: Tensor
    labels: Tensor
    test: Tensor
    test_labels: Tensor


def digits() -> Images:
    """The 1,797 images of 8×8 pixels in scikit-learn, 500 of them to test with.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    try:
        source = importlib.import_module("sklearn.datasets").load_digits()
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != "sklearn":
            raise
        raise MissingExtraError(
            "this reproduction takes its digits from scikit-learn, which is not installed: "
            "pip install scikit-learn"
        ) from error
    x = torch.from_numpy(np.asarray(source.data)).float()
    y = torch.from_numpy(np.asarray(source.target)).long()
    order = torch.randperm(len(x), generator=generator(0, "digits"))
    train, test = order[500:], order[:500]
    mean, spread = x[train].mean(), x[train].std()
    x = (x - mean) / spread
    return Images(x[train], y[train], x[test], y[test])


def mnist_file(given: str | Path | None) -> Path | None:
    """The archive of MNIST: what is given, else what GOLDSTONE_MNIST names, else none."""
    named = given or os.environ.get(VARIABLE)
    return Path(named) if named else None


def mnist(path: Path, images: int, test: int) -> Images:
    """Some images of MNIST, chosen once at random.

    Args:
        path: a NumPy archive of ``x_train`` (60000, 28, 28), ``y_train``, ``x_test``, ``y_test``.
        images: how many to train on.
        test: how many to test with.

    Raises:
        InputError: there is no such file, or it does not hold these arrays.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in _NEEDED}
    except FileNotFoundError:
        raise InputError(
            f"{path}: there is no such file; {VARIABLE} should name a NumPy archive of MNIST"
        ) from None
    except (KeyError, ValueError, OSError, BadZipFile) as error:
        raise InputError(
            f"{path}: expected a NumPy archive of {', '.join(_NEEDED)} ({error})"
        ) from error
    parts = []
    for split, count in (("train", images), ("test", test)):
        x = torch.from_numpy(arrays[f"x_{split}"]).flatten(1)
        y = torch.from_numpy(arrays[f"y_{split}"]).long()
        if len(x) != len(y) or len(x) < count:
            raise InputError(
                f"{path}: expected at least {count} images and as many labels to {split}, got "
                f"{len(x)} and {len(y)}"
            )
        chosen = torch.randperm(len(x), generator=generator(0, "mnist", split))[:count]
        parts += [x[chosen].float(), y[chosen]]
    mean, spread = parts[0].mean(), parts[0].std()
    return Images((parts[0] - mean) / spread, parts[1], (parts[2] - mean) / spread, parts[3])
