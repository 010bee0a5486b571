"""Dropout of whole parts."""

import pytest
import torch

from goldstone.actions import linear_symmetry
from goldstone.core import InputError
from goldstone.nn import PartDropout
from goldstone.representations import DirectSum, O3Irrep, SU2Irrep, multiple
from goldstone.testing import LawError, assert_equivariant

SCALAR, VECTOR = O3Irrep(0, 1), O3Irrep(1, -1)
MIXED = DirectSum(SCALAR.group, (VECTOR, SCALAR, VECTOR, SCALAR, O3Irrep(2, 1)))


def seeded(layer):
    def call(x):
        torch.manual_seed(3)
        return layer(x)

    return call


def test_every_draw_is_equivariant_and_ordinary_dropout_is_not():
    x = torch.randn(6, MIXED.dimension, dtype=torch.float64)
    symmetry = linear_symmetry(MIXED, MIXED)
    assert_equivariant(seeded(PartDropout(MIXED, 0.4)), symmetry, x)
    with pytest.raises(LawError):
        assert_equivariant(seeded(torch.nn.Dropout(0.4)), symmetry, x)


def test_parts_are_dropped_as_wholes_and_the_mean_stays():
    layer = PartDropout(MIXED, 0.3)
    x = torch.ones(20_000, MIXED.dimension)
    y = layer(x)
    start = 0
    for part in MIXED.parts:
        block = y[:, start : start + part.dimension]
        start += part.dimension
        assert torch.equal(block, block[:, :1].expand_as(block))
        dropped = float((block[:, 0] == 0).float().mean())
        assert dropped == pytest.approx(0.3, abs=0.02)
        torch.testing.assert_close(
            block[block != 0], torch.tensor(1 / 0.7).expand(int((block != 0).sum()))
        )
    # Parts are independent of one another.
    both = ((y[:, 0] == 0) & (y[:, 3] == 0)).float().mean()
    assert float(both) == pytest.approx(0.09, abs=0.01)
    assert torch.equal(layer.eval()(x), x)


@pytest.mark.parametrize("shared", [False, True])
def test_places_of_a_field(shared):
    layer = PartDropout(MIXED, 0.5, axis=1, shared=shared)
    y = layer(torch.ones(4, MIXED.dimension, 8, 8)) != 0
    first = y[..., :1, :1].expand_as(y)
    assert torch.equal(y, first) is shared
    assert not torch.equal(y[0], y[1])
    spins = multiple(SU2Irrep(0.5), 3)
    z = torch.randn(5, 6, dtype=torch.complex64)
    assert PartDropout(spins)(z).dtype == torch.complex64


def test_bad_input():
    with pytest.raises(InputError, match="probability"):
        PartDropout(MIXED, 1.0)
    with pytest.raises(InputError, match="components"):
        PartDropout(MIXED)(torch.zeros(2, 4))
