"""Symmetries of pairs of inputs and targets, by the names of ready ones."""

from typing import Literal

from torch import Tensor

from goldstone.actions import (
    IMAGE_SYMMETRIES,
    POINT_CLOUD_SYMMETRIES,
    SEQUENCE_SYMMETRIES,
    PointFeature,
    Symmetry,
    image_symmetry,
    point_cloud_symmetry,
    sequence_symmetry,
    set_symmetry,
)
from goldstone.core import InputError, trees
from goldstone.core.trees import Tree

PAIR_SYMMETRIES = {
    **{f"images/{name}": text for name, text in IMAGE_SYMMETRIES.items()},
    **{f"points/{name}": text for name, text in POINT_CLOUD_SYMMETRIES.items()},
    **{f"sequences/{name}": text for name, text in SEQUENCE_SYMMETRIES.items()},
    "sets/permutations": "reorderings of the elements",
}
"""Names on the command line and what they mean."""

OutputMoves = Literal["invariant", "same"]


def pair_symmetry(
    name: str, inputs: Tree, targets: Tree, output: OutputMoves | None = None
) -> Symmetry:
    """The ready symmetry of this name for these inputs and targets.

    ``output`` says how targets move: not at all (``invariant``), or as the inputs do (``same``);
    by default the latter if they have the inputs' shape. Of point clouds ``same`` is a vector at
    every point, such as a force.

    Raises:
        InputError: an unknown name, or inputs it cannot move.
    """
    if name not in PAIR_SYMMETRIES:
        known = "; ".join(f"{key} ({text})" for key, text in PAIR_SYMMETRIES.items())
        raise InputError(
            f"--symmetry: {name!r} is no symmetry of pairs of inputs and targets; expected "
            f"FILE.py:NAME or one of: {known}"
        )
    if not isinstance(inputs, Tensor):
        raise InputError(
            f"--symmetry {name}: the inputs are {trees.describe(inputs)}; say how each part moves "
            "in Python: --symmetry FILE.py:NAME, a goldstone.actions.Symmetry with a TreeAction"
        )
    usual: OutputMoves = "same" if trees.same_shapes(inputs, targets) else "invariant"
    moves = output or usual
    kind, _, short = name.partition("/")
    axes = {"images": (4, "(sample, channel, X, Y)"), "points": (3, "(sample, point, channel)")}
    dimensions, form = axes.get(kind, (2, "(sample, place, …)"))
    if inputs.ndim < dimensions or (kind in axes and inputs.ndim > dimensions):
        raise InputError(
            f"--symmetry {name}: expected inputs of shape {form}, got {tuple(inputs.shape)}"
        )
    if kind == "images":
        size = (inputs.shape[2], inputs.shape[3])
        return image_symmetry(short, size, inputs.shape[1], moves)
    if kind == "points":
        moved = (PointFeature("output", "vector"),) if moves == "same" else None
        return point_cloud_symmetry(short, inputs.shape[1], output=moved)
    if kind == "sequences":
        return sequence_symmetry(short, inputs.shape[1], moves)
    return set_symmetry(inputs.shape[1], invariant=moves == "invariant")
