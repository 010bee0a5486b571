"""The ready symmetries of sequences, by short name."""

from typing import Any, Literal

import torch

from goldstone.actions.action import Action
from goldstone.actions.linear import TrivialAction
from goldstone.actions.named_points import some_permutations
from goldstone.actions.permuting import AxisPermutation
from goldstone.actions.sequences import CyclicShift, PaddedShift, window_reorderings
from goldstone.actions.symmetry import Symmetry
from goldstone.core import InputError
from goldstone.groups import CyclicGroup, Group, PermutationGroup, SymmetricGroup

SEQUENCE_SYMMETRIES = {
    "cyclic-shifts": "shifts that wrap around",
    "padded-shifts": "shifts that move padding in",
    "reversal": "back to front",
    "reorderings": "any order",
    "local-reorderings": "any order within windows",
}
"""Short names and what they mean."""


def sequence_symmetry(
    name: str,
    length: int,
    output: Literal["invariant", "same"] = "same",
    window: int = 4,
    padding: float = 0,
    seed: int = 0,
) -> Symmetry:
    """A ready symmetry of sequences (batch, place, …): tokens, embeddings, logits.

    Shifts are tested by 1, 2, 3 and powers of two up to half the length; reorderings on exchanges
    of two neighbours and a few random ones.

    Args:
        name: one of :data:`SEQUENCE_SYMMETRIES`, in any case.
        length: of the sequences.
        output: ``same`` for an output at every place, ``invariant`` for one of the whole sequence.
        window: of local reorderings.
        padding: the padding token of padded shifts; for an output that is not tokens, whose padded
            places hold other values, give an output action of your own.
        seed: of random reorderings.

    Raises:
        InputError: an unknown name or output, or a window that does not fit.
    """
    key = name.lower()
    group: Group[Any]
    elements: tuple[Any, ...]
    same: Action = AxisPermutation((1,))
    moves = same
    if key in ("cyclic-shifts", "padded-shifts"):
        cyclic = CyclicGroup(length)
        same = CyclicShift(cyclic)
        moves = same if key == "cyclic-shifts" else PaddedShift(cyclic, padding)
        steps = {1, 2, 3} | {2**k for k in range(length.bit_length())}
        group, elements = cyclic, tuple(k for k in sorted(steps) if 2 * k <= length)
    elif key == "reversal":
        order = tuple(range(length))[::-1]
        group, elements = PermutationGroup([order], "reversal"), (order,)
    elif key == "reorderings":
        group, elements = SymmetricGroup(length), some_permutations(length, seed)
    elif key == "local-reorderings":
        local = window_reorderings(length, window)
        drawn = local.values(local.sample(torch.Generator().manual_seed(seed), (4,)))
        found = dict.fromkeys((local.generators()[0], *drawn))
        group, elements = local, tuple(a for a in found if a != local.identity)
    else:
        known = "; ".join(f"{k} ({v})" for k, v in SEQUENCE_SYMMETRIES.items())
        raise InputError(f"unknown symmetry {name!r}; the short names are {known}")
    if output not in ("invariant", "same"):
        raise InputError(f"expected output 'invariant' or 'same', got {output!r}")
    on_output = TrivialAction() if output == "invariant" else same
    return Symmetry(key, group, moves, on_output, elements=elements)
