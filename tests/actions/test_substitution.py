"""Substitution of tokens as a relation."""

import pytest
import torch

from goldstone.actions import (
    Action,
    SubstitutionRelation,
)
from goldstone.core import InputError


def noise(*shape):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


SYNONYMS = SubstitutionRelation(((2, 5, 7), (3, 4)))


def test_substituted_sequences_are_equivalent_and_others_are_not():
    x = torch.randint(0, 9, (200, 6), generator=torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(1)
    y = SYNONYMS.sample(x, generator)
    assert y.dtype == x.dtype
    assert bool(SYNONYMS.equivalent(x, y).all())
    for first, second in zip(x.flatten().tolist(), y.flatten().tolist(), strict=True):
        same = next((c for c in SYNONYMS.classes if first in c), (first,))
        assert second in same
    # All members of a class are drawn about as often.
    drawn = y[x == 2]
    assert all(0.2 < float((drawn == member).double().mean()) < 0.45 for member in (2, 5, 7))
    z = y.clone()
    z[0, 0] = 8 if x[0, 0] != 8 else 1
    assert SYNONYMS.equivalent(x, z).tolist() == [False] + [True] * 199
    assert torch.equal(SYNONYMS.sample(x, generator, rate=0.0), x)
    changed = (SYNONYMS.sample(x, generator, rate=0.5) != x).double().mean()
    assert 0 < changed < (y != x).double().mean()


def test_a_relation_is_no_group():
    assert not isinstance(SYNONYMS, Action)
    with pytest.raises(InputError, match="a relation, not a group"):
        _ = SYNONYMS.group
    for wrong in ((), ((1,),), ((1, 1),), ((1, 2), (2, 3)), ((-1, 2),)):
        with pytest.raises(InputError, match="disjoint classes"):
            SubstitutionRelation(wrong)
    with pytest.raises(InputError, match=r"integer tokens, got torch\.float64"):
        SYNONYMS.sample(noise(3), torch.Generator())
    with pytest.raises(InputError, match="rate between 0 and 1"):
        SYNONYMS.sample(torch.ones(3, dtype=torch.int64), torch.Generator(), 2.0)
    with pytest.raises(InputError, match="same shape"):
        SYNONYMS.equivalent(torch.ones(1, 3).long(), torch.ones(1, 4).long())
