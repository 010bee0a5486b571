"""What the functions that name symmetries share: looking names up, grids, and outputs."""

from collections.abc import Mapping
from typing import Any, Literal

from goldstone.actions.action import Action
from goldstone.actions.linear import TrivialAction
from goldstone.core import InputError

Output = Literal["invariant", "same"] | Action
"""How a model's output moves: not at all, as the input does, or by an action of the same group."""


def known_name(name: str, known: Mapping[str, str]) -> str:
    """The name as it is listed, whatever its case.

    Raises:
        InputError: it is not among the known ones.
    """
    key = name.lower() if isinstance(name, str) else ""
    if key not in known:
        listed = "; ".join(f"{k} ({v})" for k, v in known.items())
        raise InputError(f"unknown symmetry {name!r}; the short names are {listed}")
    return key


def check_size(size: Any, dimensions: int) -> None:
    """Raise unless ``size`` holds as many positive whole numbers as the grid has axes.

    Raises:
        InputError: it does not.
    """
    fits = isinstance(size, (tuple, list)) and len(size) == dimensions
    if not fits or not all(isinstance(n, int) and n > 0 for n in size):
        raise InputError(
            f"expected the size of the grid, {dimensions} whole numbers such as "
            f"{(64,) * dimensions}, got {size!r}"
        )


def check_square_image(size: tuple[int, int], name: str) -> None:
    """Raise unless an image is square.

    Raises:
        InputError: it is not.
    """
    if size[0] != size[1]:
        raise InputError(
            f"symmetry {name!r}: turns of an image need a square grid, got {size[0]}×{size[1]}; "
            "use 'flips', or a square crop"
        )


def output_action(output: Output, same: Action) -> Action:
    """The action named by ``output``.

    Raises:
        InputError: it is neither a known word nor an action.
    """
    if output == "invariant":
        return TrivialAction()
    if output == "same":
        return same
    if isinstance(output, str) or not isinstance(output, Action):
        raise InputError(f"expected output 'invariant', 'same' or an action, got {output!r}")
    return output
