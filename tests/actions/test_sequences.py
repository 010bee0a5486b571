"""Sequences: shifts and reorderings."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from goldstone.actions import (
    SEQUENCE_SYMMETRIES,
    AxisPermutation,
    Context,
    CyclicShift,
    PaddedShift,
    sequence_symmetry,
    window_reorderings,
)
from goldstone.core import InputError
from goldstone.groups import CyclicGroup
from goldstone.testing import assert_equivariant, check_action_laws

C8 = CyclicGroup(8)
CONTEXT = Context()


def noise(*shape):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


def test_cyclic_shifts():
    check_action_laws(CyclicShift(C8), C8, noise(2, 8, 3), tolerance=0.0)
    tokens = torch.arange(8)[None]
    assert CyclicShift(C8).act(2, tokens, CONTEXT).tolist() == [[6, 7, 0, 1, 2, 3, 4, 5]]
    with pytest.raises(InputError, match="sequences of 8 entries along axis 1"):
        CyclicShift(C8).act(2, tokens[:, :7], CONTEXT)
    with pytest.raises(InputError, match="8 is not an element of C8"):
        CyclicShift(C8).act(8, tokens, CONTEXT)


@given(st.integers(0, 5), st.integers(1, 4), st.integers(-5, 5))
def test_padded_shifts_move_tokens_without_wrapping(start, length, k):
    """Shifted as on an unbounded line wherever the tokens stay in the window, else refused."""
    tokens = torch.zeros(1, 8, dtype=torch.int64)
    end = min(start + length, 8)
    tokens[0, start:end] = torch.arange(1, end - start + 1)
    shift = PaddedShift(C8, padding=0)
    fits = start + k >= 0 and end + k <= 8
    # The same element of C8 moves k later or 8 − k earlier; only one of them can fit here.
    other = k - 8 if k > 0 else k + 8
    fits_otherwise = k != 0 and start + other >= 0 and end + other <= 8
    if not (fits or fits_otherwise):
        with pytest.raises(InputError, match="push tokens out of the window"):
            shift.act(k % 8, tokens, CONTEXT)
        return
    moved = shift.act(k % 8, tokens, CONTEXT)
    by = k if fits else other
    expected = torch.zeros_like(tokens)
    expected[0, start + by : end + by] = tokens[0, start:end]
    assert torch.equal(moved, expected)


def test_padded_shifts_compose_where_they_are_defined():
    x = noise(2, 8, 3)
    x[:, 3:] = 0.0
    check_action_laws(PaddedShift(C8, 0.0), C8, x, elements=[0, 1, 2], tolerance=0.0)


def test_window_reorderings():
    group = window_reorderings(7, 3)
    assert group.order == 6 * 6 * 1
    for a in group.elements():
        assert all(a[i] // 3 == i // 3 for i in range(7))
    elements = group.elements()[::7]
    check_action_laws(AxisPermutation((1,)), group, noise(2, 7, 2), elements=elements)
    for window in (1, 8):
        with pytest.raises(InputError, match="window of 2 … 7 places"):
            window_reorderings(7, window)


@pytest.mark.parametrize("name", SEQUENCE_SYMMETRIES)
def test_known_answers(name):
    """What each symmetry asks of a convolution, a mean, and a model that knows positions."""
    symmetry = sequence_symmetry(name.upper(), 8)
    invariant = sequence_symmetry(name, 8, "invariant")
    x = noise(2, 8, 3)
    if name == "padded-shifts":
        x[:, 4:] = 0.0
    assert symmetry.group.identity not in symmetry.elements
    assert len(set(symmetry.elements)) == len(symmetry.elements) > 0

    def convolution(x):
        return x.roll(1, 1) + 0.5 * x + x.roll(-1, 1)

    assert_equivariant(lambda x: x.tanh(), symmetry, x)
    assert_equivariant(lambda x: x.sum(1), invariant, x)
    with pytest.raises(AssertionError, match="not equivariant"):
        assert_equivariant(lambda x: x + torch.arange(8.0)[:, None], symmetry, x)
    if name in ("cyclic-shifts", "padded-shifts", "reversal"):
        assert_equivariant(convolution, symmetry, x)
    else:
        with pytest.raises(AssertionError, match="not equivariant"):
            assert_equivariant(convolution, symmetry, x)


def test_unknown_names():
    with pytest.raises(InputError, match=r"unknown symmetry 'shift'; .*cyclic-shifts \(shifts"):
        sequence_symmetry("shift", 8)
    with pytest.raises(InputError, match="'invariant' or 'same', got 'tokens'"):
        sequence_symmetry("reversal", 8, "tokens")
