"""Young subgroups, against the groups that their generators generate."""

import pickle
from itertools import permutations
from math import factorial

import pytest
import torch

from goldstone.core import InputError
from goldstone.groups import PermutationGroup, YoungSubgroup
from goldstone.testing import check_group_laws

BLOCKS = (3, 0, 3, 3, 0, 7)


def test_elements_are_those_that_keep_the_blocks():
    group = YoungSubgroup(BLOCKS)
    expected = {
        a for a in permutations(range(6)) if all(BLOCKS[i] == BLOCKS[a[i]] for i in range(6))
    }
    assert set(group.elements()) == expected
    assert group.order == len(expected) == factorial(3) * factorial(2)
    assert group.elements()[0] == group.identity
    every = torch.tensor(list(permutations(range(6))))
    mask = group.member_mask(every)
    assert {tuple(a.tolist()) for a in every[mask]} == expected
    assert not group.contains((0, 1, 2, 3, 4, 9))


def test_generators_and_laws():
    group = YoungSubgroup(BLOCKS)
    generated = PermutationGroup(group.generators())
    assert generated.order == group.order
    assert set(generated.elements()) == set(group.elements())
    check_group_laws(group, group.elements()[::3])
    number = torch.arange(group.order)
    assert torch.equal(group.index(group.from_index(number)), number)
    assert pickle.loads(pickle.dumps(group)) == group
    assert hash(YoungSubgroup(list(BLOCKS))) == hash(YoungSubgroup(torch.tensor(BLOCKS)))
    assert group.name == "S2×S3×S1"
    assert YoungSubgroup((1, 2, 3)).generators() == ()


def test_samples_are_uniform():
    group = YoungSubgroup((1, 0, 1, 0, 1))
    drawn = group.sample(torch.Generator().manual_seed(0), (120, 100))
    assert bool(group.member_mask(drawn).all())
    counts = group.index(drawn.flatten(0, 1)).bincount(minlength=12)
    # χ² with 11 degrees of freedom: 31.3 is its 99.9 % point.
    assert float((counts - 1000.0).square().sum() / 1000.0) < 31.3


def test_many_points():
    """A stabiliser chain of this group would take minutes."""
    group = YoungSubgroup(torch.arange(5000) // 50)
    a, b = group.sample(torch.Generator().manual_seed(0), (2,))
    assert group.contains(group.compose(a, group.inverse(b)))
    assert group.order == factorial(50) ** 100
    with pytest.raises(InputError, match="exceed 64-bit numbers"):
        group.index(a)


def test_errors():
    with pytest.raises(InputError, match="integer for each point"):
        YoungSubgroup(torch.tensor([0.0, 1.0]))
    with pytest.raises(InputError, match="one or more points"):
        YoungSubgroup(())
