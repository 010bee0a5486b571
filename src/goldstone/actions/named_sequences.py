"""The ready symmetries of sequences, by short name."""

from typing import Any

import torch

from goldstone.actions.action import Action
from goldstone.actions.named_points import some_permutations
from goldstone.actions.naming import Output, known_name, output_action
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
    output: Output = "same",
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
        output: ``same`` for an output at every place, ``invariant`` for one of the whole sequence,
            or an action of the same group.
        window: of local reorderings.
        padding: the padding token of padded shifts. The output moves with the tokens; what a model
            says at padded places depends on their side, so leave them out of the output.
        seed: of random reorderings.

    Raises:
        InputError: an unknown name or output, or a window that does not fit.
    """
    key = known_name(name, SEQUENCE_SYMMETRIES)
    if not isinstance(length, int) or length < 2:
        raise InputError(f"expected sequences of two or more places, got a length of {length!r}")
    if isinstance(output, str) and output not in ("invariant", "same"):
        raise InputError(f"expected an action, or output 'invariant' or 'same', got {output!r}")
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
    else:
        local = window_reorderings(length, window)
        drawn = local.values(local.sample(torch.Generator().manual_seed(seed), (4,)))
        found = dict.fromkeys(((1, 0, *range(2, length)), *drawn))
        group, elements = local, tuple(a for a in found if a != local.identity)
    return Symmetry(key, group, moves, output_action(output, same), elements=elements)
