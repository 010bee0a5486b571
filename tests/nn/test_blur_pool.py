"""Anti-aliased downsampling: equal to its sum, exact about its fixed point, refused elsewhere."""

import pytest
import torch

from goldstone.core import InputError
from goldstone.groups import DihedralGroup
from goldstone.nn import BlurPool2d
from goldstone.nn.turning_error import turning_error
from goldstone.representations import StandardRepresentation

VECTOR = StandardRepresentation(DihedralGroup(4))


def noise(*shape):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("options", "grid", "coarse"),
    [
        ({}, 8, 4),
        ({"pivot": "node"}, 8, 4),
        ({"stride": 3}, 9, 3),
        ({"stride": 3, "pivot": "node"}, 9, 3),
        ({"padding_mode": "zeros"}, 8, 4),
        ({"padding_mode": "reflect"}, 8, 4),
        ({"padding_mode": "reflect", "size": 3}, 9, 5),
        ({"stride": 1, "size": 3}, 6, 6),
        ({"stride": 4}, 16, 4),
    ],
    ids=str,
)
def test_exact_about_the_fixed_point(options, grid, coarse):
    pool = BlurPool2d(**options, dtype=torch.float64)
    x = noise(2, 2, grid, grid)
    assert pool(x).shape == (2, 2, coarse, coarse)
    assert turning_error(pool, VECTOR, VECTOR, x, pool.pivot) < 1e-14
    # A constant stays what it is but for the darkened edge.
    if options.get("padding_mode") != "zeros":
        torch.testing.assert_close(pool(torch.ones_like(x)), torch.ones_like(pool(x)))


def test_values_about_the_cell():
    x = noise(1, 1, 8, 8)
    row = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=torch.float64) / 8
    expected = sum(
        row[a] * row[b] * x[0, 0, (2 * 1 - 1 + a) % 8, (2 * 3 - 1 + b) % 8]
        for a in range(4)
        for b in range(4)
    )
    torch.testing.assert_close(BlurPool2d(dtype=torch.float64)(x)[0, 0, 1, 3], expected)


def test_it_suppresses_what_plain_striding_aliases():
    checks = (torch.arange(8)[:, None] + torch.arange(8)) % 2 * 2.0 - 1
    assert BlurPool2d()(checks[None, None]).abs().max() < 1e-6


def test_grids_and_sizes_that_lose_the_fixed_point_are_refused():
    with pytest.raises(InputError, match=r"grid \(9, 9\) is not a multiple of the stride 2"):
        BlurPool2d()(noise(1, 1, 9, 9))
    with pytest.raises(InputError, match=r"grid of size 8 or 10.*a window of odd size"):
        BlurPool2d(padding_mode="zeros")(noise(1, 1, 9, 9))
    with pytest.raises(InputError, match="does not keep the period and the centre"):
        BlurPool2d(2, 3)
    with pytest.raises(InputError, match="positive stride, got 0"):
        BlurPool2d(0)
