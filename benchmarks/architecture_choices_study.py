"""One study of architectures: networks, inputs, elements and what theory says of each pair."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from goldstone import Symmetry
from goldstone.core import generator

EXPECTED = {"E": "built in", "S": "initial only", "B": "not exact"}
"""E: exact for all weights. S: exact at the start, where some weights are zero or one. B: broken,
or at best approximate."""


@dataclass(frozen=True)
class Row:
    """An architecture.

    Attributes:
        name: for the table.
        make: a new one with new weights.
        expected: a letter of EXPECTED for each element.
        why: the reason in a line.
    """

    name: str
    make: Callable[[], nn.Module]
    expected: str
    why: str


@dataclass(frozen=True)
class Study:
    """Rows under the same elements.

    Attributes:
        title: for the table.
        about: what the networks have in common.
        inputs: for all of them.
        symmetries: with their elements.
        heads: a name for each element.
        rows: the architectures.
    """

    title: str
    about: str
    inputs: Any
    symmetries: tuple[Symmetry, ...]
    heads: tuple[str, ...]
    rows: tuple[Row, ...]


def noise(*shape: int, seed: int = 0) -> Tensor:
    """Standard normal numbers."""
    source = generator(seed, "architecture choices")
    return torch.randn(*shape, generator=source, dtype=torch.float64)


def made(build: Callable[..., nn.Module], *args: Any, **options: Any) -> Callable[[], nn.Module]:
    """Build it in double precision when called."""
    return lambda: build(*args, **options).double()
