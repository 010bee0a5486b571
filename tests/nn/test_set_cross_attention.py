"""Attention to another set against a loop; both groups of permutations; padding."""

import copy
import pickle

import pytest
import torch

from goldstone.core import InputError
from goldstone.nn import SetCrossAttention


def noise(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def layer(bias=True):
    made = SetCrossAttention(6, 4, 2, bias, dtype=torch.float64)
    with torch.no_grad():
        for k, p in enumerate(made.parameters()):
            p.copy_(noise(*p.shape, seed=10 + k) / 2)
    return made


MASK = torch.tensor([[True] * 4, [True, True, False, False]])
OTHERS = torch.tensor([[True, False, True, True, True], [False, True, True, False, True]])


def test_against_a_loop():
    attention, x, z = layer(), noise(2, 4, 6), noise(2, 5, 4, seed=1)
    found = attention(x, z, MASK, OTHERS)
    for b in range(2):
        q = attention.query(x[b])
        k, v = attention.inward(z[b]).chunk(2, -1)
        for i in range(4):
            heads = []
            for part in (slice(0, 3), slice(3, 6)):
                scores = torch.stack([q[i, part] @ k[j, part] / 3**0.5 for j in range(5)])
                weights = scores.exp() * OTHERS[b]
                heads.append((weights / weights.sum()) @ v[:, part])
            expected = (
                attention.outward(torch.cat(heads)) if MASK[b, i] else torch.zeros(6).double()
            )
            torch.testing.assert_close(found[b, i], expected)
    noisy = z.masked_fill(~OTHERS[..., None], torch.nan)
    torch.testing.assert_close(attention(x, noisy, MASK, OTHERS), found)


def test_permutations_of_either_set():
    attention, x, z = layer(), noise(2, 4, 6), noise(2, 5, 4, seed=1)
    value = attention(x, z)
    one, two = torch.tensor([2, 0, 3, 1]), torch.tensor([4, 2, 0, 1, 3])
    torch.testing.assert_close(attention(x[:, one], z[:, two]), value[:, one])
    assert not torch.allclose(value[:, one], value)
    assert not torch.allclose(attention(x, 2 * z), value)


def test_learned_elements_pool_a_set_and_none_to_attend_to_gives_the_bias():
    attention = layer()
    seeds = noise(1, 2, 6, seed=3).expand(3, -1, -1)
    z = noise(3, 7, 4)
    pooled = attention(seeds, z)
    torch.testing.assert_close(attention(seeds, z[:, torch.randperm(7)]), pooled)
    nobody = torch.zeros(3, 7, dtype=torch.bool)
    bias = attention.outward.bias.expand(3, 2, 6)
    torch.testing.assert_close(attention(seeds, z, other_mask=nobody), bias)
    allowed = torch.ones(3, 2, 7, dtype=torch.bool)
    allowed[:, 0, 3:] = False
    found = attention(seeds, z, allowed=allowed)
    torch.testing.assert_close(found[:, 0], attention(seeds, z[:, :3])[:, 0])
    torch.testing.assert_close(found[:, 1], pooled[:, 1])


def test_copies_and_export():
    attention, x, z = layer(), noise(2, 4, 6), noise(2, 5, 4, seed=1)
    value = attention(x, z, MASK, OTHERS)
    for again in (copy.deepcopy(attention), pickle.loads(pickle.dumps(attention))):
        assert torch.equal(again(x, z, MASK, OTHERS), value)
    exported = torch.export.export(attention, (x, z, MASK, OTHERS)).module()
    torch.testing.assert_close(exported(x, z, MASK, OTHERS), value)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: SetCrossAttention(6, 4, 4), "heads"),
        (lambda: SetCrossAttention(6, 0, 2), "other channels"),
        (lambda: layer()(noise(2, 4, 6), noise(3, 5, 4)), "as many samples"),
        (lambda: layer()(noise(2, 4, 6), noise(2, 5, 6)), "4 channels"),
        (lambda: layer()(noise(2, 4, 6), noise(2, 5, 4), OTHERS), "boolean mask"),
    ],
)
def test_bad_input(call, said):
    with pytest.raises(InputError, match=said):
        call()
