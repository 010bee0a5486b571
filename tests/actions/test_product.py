"""Direct products of groups."""

import pytest
import torch

from goldstone.actions import (
    AxisPermutation,
    Context,
    PointCloudAction,
    ProductAction,
)
from goldstone.core import InputError
from goldstone.groups import (
    EuclideanGroup,
    SymmetricGroup,
)

CONTEXT = Context()


def noise(*shape, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=dtype)


def test_products_act_part_by_part_in_either_form():
    s4, e3 = SymmetricGroup(4), EuclideanGroup(3)
    action = ProductAction((s4, e3), (AxisPermutation((1,)), PointCloudAction(e3)))
    x = noise(2, 4, 3)
    generator = torch.Generator().manual_seed(0)
    motion = e3.sample(generator)
    element = ((2, 0, 3, 1), e3.value(motion))
    found = action.act(element, x, CONTEXT)
    for b in range(2):
        for i in range(4):
            expected = motion[:3, :3] @ x[b, i] + motion[:3, 3]
            torch.testing.assert_close(found[b, element[0][i]], expected)
    packed = torch.cat((torch.tensor(element[0], dtype=torch.float64), motion.flatten()))
    torch.testing.assert_close(action.act(packed, x, CONTEXT), found)
    with pytest.raises(InputError, match=r"tuple of elements of S4 and E\(3\)"):
        action.act((2, 0, 3), x, CONTEXT)
    with pytest.raises(InputError, match="2 groups and 1 actions"):
        ProductAction((s4, e3), (AxisPermutation((1,)),))
