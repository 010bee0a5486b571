"""Batches of any size, memory in any order, and shapes that are refused."""

import re

import pytest
import torch

from goldstone.core import InputError, trees
from tests.nn.contract.catalogue import CASES
from tests.nn.contract.entry import drawn

WRONG = [(name, k) for name, (_, case) in CASES.items() for k in range(len(case.wrong))]


@pytest.mark.parametrize("name", CASES)
def test_batches_of_none_and_of_one(name):
    _, case = CASES[name]
    layer = drawn(case.make(dtype=torch.float64)).eval()
    arguments = case.arguments(3, torch.float64)
    whole = trees.leaves(layer(*arguments))
    for count in (0, 1):
        parts = trees.leaves(layer(*(x[:count] for x in arguments)))
        for part, leaf in zip(parts, whole, strict=True):
            assert part.shape == (count, *leaf.shape[1:])
            assert part.dtype == leaf.dtype
            torch.testing.assert_close(part, leaf[:count], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", CASES)
def test_memory_in_another_order(name):
    _, case = CASES[name]
    layer = drawn(case.make(dtype=torch.float64)).eval()
    arguments = case.arguments(3, torch.float64)
    expected = trees.flat(layer(*arguments))
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    others = [
        [x.transpose(0, -1).contiguous().transpose(0, -1) for x in arguments],
        [torch.stack((x, -x if x.is_floating_point() else x), -1)[..., 0] for x in arguments],
        [
            x.contiguous(memory_format=formats.get(x.ndim, torch.contiguous_format))
            for x in arguments
        ],
    ]
    for other in others:
        torch.testing.assert_close(trees.flat(layer(*other)), expected, rtol=1e-9, atol=1e-9)
    # The input is left as it is.
    for x, y in zip(arguments, case.arguments(3, torch.float64), strict=True):
        assert torch.equal(x, y)


@pytest.mark.parametrize(("name", "k"), WRONG)
def test_wrong_shapes_are_refused(name, k):
    """With what was expected and what came."""
    _, case = CASES[name]
    layer = case.make(dtype=torch.float64).eval()
    arguments = case.wrong[k](case.arguments(3, torch.float64))
    with pytest.raises(InputError, match=r"expected .*(got|found) ") as raised:
        layer(*arguments)
    said = str(raised.value)
    sizes = {str(size) for x in arguments for size in x.shape}
    assert any(str(tuple(x.shape)) in said for x in arguments) or (
        set(re.findall(r"got .*?(\d+)", said)) & sizes
    ), said
