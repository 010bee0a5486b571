"""Layers of sets, pairs and sequences."""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from goldstone.actions import (
    AxisPermutation,
    CyclicShift,
    Symmetry,
    TreeAction,
    TrivialAction,
    sequence_symmetry,
    set_symmetry,
)
from goldstone.groups import CyclicGroup
from goldstone.nn import (
    LocalPermutationConv1d,
    PermutationLinear,
    PermutationPool,
    RelativeBias,
    RotaryPositions,
    SequenceAttention,
    SequenceConv1d,
    SetAttention,
    SetCrossAttention,
)
from tests.nn.contract.entry import Case, Entry, Inputs, batches, normal, one_more, unbatched

N = 6
CHANNELS = 4
AXES = {0: TrivialAction(), 1: AxisPermutation((1,)), 2: AxisPermutation((1, 2))}
WRONG = (one_more(-1), unbatched)
SHIFTS = sequence_symmetry("cyclic-shifts", N)


def permutations(*inputs: int, output: int) -> Symmetry:
    """Of tensors of these orders."""
    known = set_symmetry(N)
    moves = AXES[inputs[0]] if len(inputs) == 1 else TreeAction([AXES[k] for k in inputs])
    return Symmetry("permutations", known.group, moves, AXES[output], elements=known.elements)


def tensors(*orders: int) -> Any:
    return batches(*((N,) * order + (CHANNELS,) for order in orders))


def masked(batch: int) -> Inputs:
    """Sets of different sizes."""
    sizes = N - torch.arange(batch)[:, None] % (N - 2)
    return normal(batch, N, CHANNELS), torch.arange(N) < sizes


def between(source: int, target: int, **options: Any) -> Case:
    return Case(
        lambda **given: PermutationLinear(CHANNELS, 5, source, target, **given),
        tensors(source),
        permutations(source, output=target),
        **({"wrong": WRONG} | options),
    )


def pool(order: int, reduction: Any) -> Case:
    return Case(
        lambda **given: PermutationPool(CHANNELS, order, reduction, **given),
        tensors(order),
        permutations(order, output=0),
        wrong=WRONG,
        power=None,
    )


class Scores(nn.Module):
    """Scores (batch, head, place, place) and the bias that is added to them."""

    def __init__(self, bias: RelativeBias) -> None:
        super().__init__()
        self.bias = bias

    def forward(self, scores: Tensor) -> Tensor:
        return scores + self.bias(scores.shape[-1])


class CyclicShifts:
    """The same shift along several axes."""

    def __init__(self, *axes: int) -> None:
        self.moves = [CyclicShift(CyclicGroup(N), axis) for axis in axes]

    def act(self, element: Any, x: Tensor, context: Any) -> Tensor:
        for each in self.moves:
            x = each.act(element, x, context)
        return x


def ring(make: Any, **options: Any) -> Case:
    return Case(
        make,
        batches((N, CHANNELS)),
        SHIFTS,
        **({"wrong": WRONG} | options),
    )


def ring_attention(**given: Any) -> SequenceAttention:
    positions = (RelativeBias(2, 2, ring=True, **given), RotaryPositions(2, ring=N))
    return SequenceAttention(CHANNELS, 2, positions, **given)


ENTRIES = (
    Entry(
        PermutationLinear,
        "S_n on tensors of order 0, 1 and 2; any n, masks",
        "(batch, *elements, in) → (batch, *elements, out)",
        {
            "masked sets": Case(
                lambda **given: PermutationLinear(CHANNELS, 5, **given),
                masked,
                permutations(1, 1, output=1),
                wrong=(one_more(-1), unbatched, one_more(1, 1)),
                power=None,
            ),
            "sets": between(1, 1),
            "pairs": between(2, 2, power=None),  # Kept is the sum over orbits of entries.
            "sets to pairs": between(1, 2),
            "pairs to sets": between(2, 1, power=None),
            "pairs to the whole": between(2, 0, power=None),
        },
    ),
    Entry(
        PermutationPool,
        "S_n on sets and pairs; any n, masks",
        "(batch, *elements, channel) → (batch, channel or 2·channel)",
        {
            "attention": pool(1, "attention"),
            "sum": pool(1, "sum"),
            "max of pairs": pool(2, "max"),
            "mean of pairs": pool(2, "mean"),
        },
    ),
    Entry(
        SetAttention,
        "S_n on sets, with features of pairs; any n, masks",
        "(batch, element, channel), (batch, element, element, pair) → (batch, element, channel)",
        {
            "pairs": Case(
                lambda **given: SetAttention(CHANNELS, 2, CHANNELS, **given),
                tensors(1, 2),
                permutations(1, 2, output=1),
                wrong=(one_more(-1), one_more(-1, 1), unbatched),
                power=None,
            ),
            "sets": Case(
                lambda **given: SetAttention(CHANNELS, 2, **given),
                tensors(1),
                permutations(1, output=1),
                wrong=WRONG,
                power=None,
            ),
        },
    ),
    Entry(
        SetCrossAttention,
        "S_n on a set, and S_m on another that it attends to; any n and m, masks",
        "(batch, element, channel), (batch, other, other channel) → (batch, element, channel)",
        {
            "sets": Case(
                lambda **given: SetCrossAttention(CHANNELS, 3, 2, **given),
                batches((N, CHANNELS), (5, 3)),
                permutations(1, 0, output=1),
                wrong=(one_more(-1), one_more(-1, 1), unbatched),
                power=None,
            ),
        },
    ),
    Entry(
        SequenceConv1d,
        "cyclic shifts of a ring; shifts within padding by a mask",
        "(batch, place, in) → (batch, place, out)",
        {"ring": ring(lambda **given: SequenceConv1d(CHANNELS, 5, 3, **given))},
    ),
    Entry(
        LocalPermutationConv1d,
        "reorderings within windows; shifts by whole windows",
        "(batch, place, in) → (batch, place, out)",
        {
            "reorderings": Case(
                lambda **given: LocalPermutationConv1d(CHANNELS, 5, 3, **given),
                batches((N, CHANNELS)),
                sequence_symmetry("local-reorderings", N, window=3),
                wrong=WRONG,
            ),
            "shifts": Case(
                lambda **given: LocalPermutationConv1d(CHANNELS, 5, 3, 2, "circular", **given),
                batches((N, CHANNELS)),
                replace(SHIFTS, elements=(3,)),
                wrong=WRONG,
            ),
        },
    ),
    Entry(
        RelativeBias,
        "shifts of a sequence, cyclic ones of a ring",
        "length → (head, place, place)",
        {
            "ring": Case(
                lambda **given: Scores(RelativeBias(2, 2, ring=True, **given)),
                batches((2, N, N)),
                Symmetry(
                    "shifts", SHIFTS.group, *[CyclicShifts(2, 3)] * 2, elements=SHIFTS.elements
                ),
            )
        },
    ),
    Entry(
        RotaryPositions,
        "shifts of a sequence, cyclic ones of a ring",
        "q, k (batch, head, place, channel) → the same",
        {
            "ring": Case(
                lambda **_: RotaryPositions(CHANNELS, ring=N),
                batches((2, N, CHANNELS), (2, N, CHANNELS)),
                Symmetry(
                    "shifts",
                    SHIFTS.group,
                    TreeAction([CyclicShifts(2)] * 2),
                    CyclicShifts(2, 3),
                    elements=SHIFTS.elements,
                ),
                after=lambda turned: turned[0] @ turned[1].mT,
                wrong=(one_more(2), one_more(-1)),
            )
        },
    ),
    Entry(
        SequenceAttention,
        "cyclic shifts of a ring; shifts within padding by a mask",
        "(batch, place, channel) → the same",
        {
            "ring": ring(ring_attention, power=None),
        },
    ),
)
