import pytest
import torch
from torch.nn import functional

from goldstone.nn import circular_pad


@pytest.mark.parametrize(("margin", "grid"), [(0, (4, 4)), (1, (5, 4)), (2, (4, 6)), (1, (1, 3))])
def test_circular_pad_equals_torch(margin, grid):
    x = torch.randn(2, 3, *grid, generator=torch.Generator().manual_seed(0))
    expected = functional.pad(x, (margin,) * 4, mode="circular") if margin else x
    assert torch.equal(circular_pad(x, margin), expected)
