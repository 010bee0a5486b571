"""Pooling over the group: invariant, equal to its definition, and refused where it is not."""

import pytest
import torch

from goldstone.core import InputError
from goldstone.groups import CyclicGroup, DihedralGroup, subgroup
from goldstone.nn import GroupPool
from goldstone.nn.turning_error import turning_error
from goldstone.representations import (
    QuotientRepresentation,
    RegularRepresentation,
    StandardRepresentation,
    TrivialRepresentation,
    multiple,
)

D4 = DihedralGroup(4)
FIELDS = multiple(RegularRepresentation(D4), 3)


def noise(*shape):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def randomised(layer):
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(noise(*parameter.shape))
    return layer


@pytest.mark.parametrize("reduction", ["max", "mean", "attention"])
def test_it_commutes_with_the_group(reduction):
    pool = randomised(GroupPool(FIELDS, reduction, dtype=torch.float64))
    x = noise(2, 24, 5, 5)
    assert turning_error(pool, FIELDS, pool.target, x) < 1e-14
    compiled = torch.compile(pool, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(x), pool(x))


def test_values():
    x = noise(2, 24, 5, 5)
    for reduction, function in (("max", torch.amax), ("mean", torch.mean)):
        each = [function(x[:, 8 * k : 8 * k + 8], 1) for k in range(3)]
        torch.testing.assert_close(GroupPool(FIELDS, reduction)(x), torch.stack(each, 1))
    pool = GroupPool(FIELDS, "attention", dtype=torch.float64)
    torch.testing.assert_close(pool(x), GroupPool(FIELDS, "mean")(x))
    randomised(pool)
    scores = sum(pool.scores[1, e] * x[:, 8 * e : 8 * e + 8] for e in range(3))
    weights = scores.exp() / scores.exp().sum(1, keepdim=True)
    torch.testing.assert_close(pool(x)[:, 1], (weights * x[:, 8:16]).sum(1))


def test_vectors_without_a_grid():
    assert GroupPool(FIELDS)(noise(4, 24)).shape == (4, 3)


def test_other_permutations():
    quotient = QuotientRepresentation(D4, subgroup(D4, [(1, 0)]))
    pool = GroupPool(multiple(quotient, 2))
    assert turning_error(pool, pool.source, pool.target, noise(1, 8, 4, 4)) < 1e-14


def test_attention_needs_fields_of_one_kind():
    """Of two quotients of one size the components turn differently."""
    across, diagonal = (QuotientRepresentation(D4, subgroup(D4, [(1, k)])) for k in (0, 1))
    for reduction in ("max", "mean"):
        pool = GroupPool(across + diagonal, reduction)
        assert turning_error(pool, pool.source, pool.target, noise(1, 8, 4, 4)) < 1e-14
    with pytest.raises(InputError, match=r"one by one.* got 2 different ones"):
        GroupPool(across + diagonal, "attention")


def test_errors():
    with pytest.raises(InputError, match="max, mean, attention, got 'min'"):
        GroupPool(FIELDS, "min")
    with pytest.raises(InputError, match="not permuted by D4"):
        GroupPool(StandardRepresentation(D4))
    with pytest.raises(InputError, match="fields of one dimension"):
        GroupPool(FIELDS + TrivialRepresentation(D4))
    with pytest.raises(InputError, match="expected 24 components along axis 1"):
        GroupPool(FIELDS)(noise(1, 23, 4, 4))
    assert GroupPool(multiple(RegularRepresentation(CyclicGroup(2)), 2)).fields == 2
