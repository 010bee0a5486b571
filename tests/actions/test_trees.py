"""Dicts, tuples and lists of tensors."""

from collections import OrderedDict, namedtuple

import pytest
import torch

from goldstone.actions import (
    Action,
    Context,
    LinearAction,
    TreeAction,
    TrivialAction,
)
from goldstone.core import InputError
from goldstone.groups import (
    SpecialOrthogonalGroup,
)
from goldstone.representations import (
    StandardRepresentation,
)

SO3 = SpecialOrthogonalGroup(3)
CONTEXT = Context()


def noise(*shape, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=dtype)


def test_trees_move_part_by_part():
    vector, still = LinearAction(StandardRepresentation(SO3)), TrivialAction()
    g = SO3.exp((0.3, -0.5, 1.1))
    a, b, c = noise(4, 3), noise(4, 2), noise(4, 5, 3)
    tree = TreeAction({"a": vector, "rest": TreeAction((still, vector))})
    moved = tree.act(g, {"a": a, "rest": (b, c)}, CONTEXT)
    assert list(moved) == ["a", "rest"]
    assert torch.equal(moved["a"], vector.act(g, a, CONTEXT))
    assert moved["rest"][0] is b
    assert torch.equal(moved["rest"][1], vector.act(g, c, CONTEXT))
    pair = namedtuple("pair", "x y")
    found = TreeAction([vector, still]).act(g, pair(a, b), CONTEXT)
    assert isinstance(found, pair)
    assert isinstance(TreeAction([vector]).act(g, [a], CONTEXT), list)
    assert list(tree.act(g, OrderedDict(rest=[b, c], a=a), CONTEXT)) == ["rest", "a"]
    assert isinstance(tree, Action)
    assert tree == TreeAction({"a": vector, "rest": TreeAction((still, vector))})
    assert hash(tree) == hash(TreeAction({"a": vector, "rest": TreeAction((still, vector))}))


def test_trees_refuse_what_is_not_declared():
    tree = TreeAction({"x": TrivialAction()})
    with pytest.raises(InputError, match=r"keys \['x'\], got \['mask', 'x'\]; declare an action"):
        tree.act(0, {"x": noise(1), "mask": noise(1)}, CONTEXT)
    with pytest.raises(InputError, match="got Tensor"):
        tree.act(0, noise(1), CONTEXT)
    with pytest.raises(InputError, match="2 entries, got 1 of them"):
        TreeAction((TrivialAction(),) * 2).act(0, (noise(1),), CONTEXT)
    with pytest.raises(InputError, match="1 entries, got dict"):
        TreeAction((TrivialAction(),)).act(0, {"x": noise(1)}, CONTEXT)
