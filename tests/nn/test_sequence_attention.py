"""Attention over sequences: relative positions against loops, shifts on rings and in padding."""

import pytest
import torch
from torch import nn

from goldstone.actions import sequence_symmetry
from goldstone.core import InputError
from goldstone.nn import RelativeBias, RotaryPositions, SequenceAttention, SetAttention
from goldstone.testing import assert_equivariant


def randomised(layer):
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for p in layer.parameters():
            p.copy_(torch.randn(p.shape, generator=generator) / 2)
    return layer


def positions(kind, ring, dtype=torch.float64):
    bias = RelativeBias(2, 3, ring=ring is not None, dtype=dtype)
    rotary = RotaryPositions(4, ring=ring)
    return {"bias": bias, "rotary": rotary, "both": (bias, rotary)}[kind]


KINDS = ["bias", "rotary", "both"]


@pytest.mark.parametrize("ring", [False, True])
@pytest.mark.parametrize("length", [1, 2, 5, 8])
def test_relative_bias_by_a_loop(length, ring):
    bias = randomised(RelativeBias(3, 2, ring))
    found = bias(length)
    for i in range(length):
        for j in range(length):
            d = i - j
            if ring:  # The nearer way round; the longer index where both are equal.
                d = min((d, d + length, d - length), key=lambda k: (abs(k), -k))
            d = max(-2, min(2, d))
            assert torch.equal(found[:, i, j], bias.table[:, d + 2])
    if ring:
        assert torch.equal(found.roll((1, 1), (1, 2)), found)


def test_rotary_by_complex_numbers():
    layer = RotaryPositions(6, base=100.0)
    q, k = torch.randn(2, 1, 1, 7, 6, dtype=torch.float64)
    turned_q, turned_k = layer(q, k)
    scores = (turned_q @ turned_k.transpose(-1, -2))[0, 0]
    for i in range(7):
        for j in range(7):
            total = 0.0
            for m in range(3):
                a = torch.complex(q[0, 0, i, m], q[0, 0, i, m + 3])
                b = torch.complex(k[0, 0, j, m], k[0, 0, j, m + 3])
                angle = torch.tensor((i - j) * 100 ** (-m / 3), dtype=torch.float64)
                total = total + (a * b.conj() * torch.polar(torch.ones_like(angle), angle)).real
            torch.testing.assert_close(scores[i, j], total)


def test_rotary_keeps_far_places_apart_in_float32():
    layer = RotaryPositions(8)
    q, k = torch.randn(2, 1, 1, 8)
    far = 60_000
    q, k = q.expand(1, 1, far + 8, 8), k.expand(1, 1, far + 8, 8)
    a, b = layer(q, k)
    near, distant = a[..., :8, :] @ b[..., :8, :].mT, a[..., far:, :] @ b[..., far:, :].mT
    torch.testing.assert_close(near, distant, rtol=0, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("length", [9, 12])
def test_rings(kind, length, dtype):
    layer = randomised(SequenceAttention(8, 2, positions(kind, length, dtype), dtype=dtype))
    x = torch.randn(2, length, 8, dtype=dtype)
    assert_equivariant(layer, sequence_symmetry("cyclic-shifts", length), x)
    with pytest.raises(AssertionError):
        assert_equivariant(layer, sequence_symmetry("reorderings", length), x)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_shifts_within_padding(kind, causal, dtype):
    layer = randomised(
        SequenceAttention(8, 2, positions(kind, None, dtype), causal=causal, dtype=dtype)
    )
    x = torch.zeros(2, 12, 8, dtype=dtype)
    x[:, :6] = torch.randn(2, 6, 8)
    symmetry = sequence_symmetry("padded-shifts", 12)
    assert_equivariant(lambda x: layer(x, x.any(-1)), symmetry, x)
    if not causal:
        with pytest.raises(AssertionError):
            assert_equivariant(layer, symmetry, x)


def test_absolute_positions_break_shifts():
    layer = randomised(SequenceAttention(8, 2, positions("bias", 12, torch.float32)))
    absolute = torch.randn(12, 8)
    x, symmetry = torch.randn(2, 12, 8), sequence_symmetry("cyclic-shifts", 12)
    with pytest.raises(AssertionError):
        assert_equivariant(lambda x: layer(x + absolute), symmetry, x)


def test_causal_means_causal():
    layer = randomised(SequenceAttention(8, 2, positions("both", None, None), causal=True))
    x = torch.randn(1, 10, 8)
    later = x.clone()
    later[:, 6:] += 1
    torch.testing.assert_close(layer(x)[:, :6], layer(later)[:, :6])
    assert not torch.allclose(layer(x)[:, 6:], layer(later)[:, 6:])


def test_without_positions_it_is_attention_over_a_set():
    layer, sets = SequenceAttention(8, 2, None), SetAttention(8, 2)
    sets.load_state_dict(layer.state_dict())
    x = torch.randn(2, 5, 8)
    torch.testing.assert_close(layer(x), sets(x))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: RelativeBias(0, 2), "expected heads"),
        (lambda: RotaryPositions(3), "even number"),
        (lambda: RotaryPositions(4, ring=1), "ring of 2"),
        (lambda: RotaryPositions(4, ring=6)(*torch.ones(2, 1, 1, 5, 4)), "ring of 6 places, got 5"),
        (lambda: SequenceAttention(8, 2, RelativeBias(3, 1)), "RelativeBias of 2 heads"),
        (lambda: SequenceAttention(8, 2, RotaryPositions(8)), "the 4 channels of a head"),
        (lambda: SequenceAttention(8, 2, (nn.Identity(),)), "absolute positions"),
        (lambda: SequenceAttention(8, 2, RelativeBias(2, 1, ring=True), True), "on a ring"),
        (
            lambda: SequenceAttention(8, 2, (RelativeBias(2, 1), RotaryPositions(4, ring=8))),
            "on a ring",
        ),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(InputError, match=message):
        call()
