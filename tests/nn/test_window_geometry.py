"""When a window keeps the fixed point: every verdict against a measurement."""

from itertools import product

import pytest
import torch
from torch.nn import functional

from goldstone.actions import move_points
from goldstone.core import InputError
from goldstone.nn.padding import pad_grid
from goldstone.nn.window_geometry import Window

TURN, FLIP = ((0.0, -1.0), (1.0, 0.0)), ((-1.0, 0.0), (0.0, 1.0))


def invariant_kernel(size):
    kernel = torch.randn(size, size, dtype=torch.float64, generator=torch.manual_seed(size))
    for matrix in (TURN, ((-1.0, 0.0), (0.0, -1.0)), FLIP):
        kernel = kernel + move_points(kernel, matrix)
    return (kernel + kernel.T)[None, None]


def output(window, x):
    padded = pad_grid(x, window.padding, window.mode)
    return functional.conv2d(
        padded, invariant_kernel(window.size), stride=window.stride, dilation=window.dilation
    )


def is_exact(window, n):
    """Whether turns about the pivot, and strides of a periodic field, commute with the window."""
    x = torch.randn(1, 1, n, n, dtype=torch.float64, generator=torch.manual_seed(0))
    y = output(window, x)
    for matrix in (TURN, FLIP):
        moved = output(window, move_points(x, matrix, window.pivot))
        if not torch.allclose(moved, move_points(y, matrix, window.pivot)):
            return False
    if window.mode != "circular":
        return True
    rolled = output(window, x.roll(window.stride, -1))
    return n % window.stride == 0 and torch.allclose(rolled, y.roll(1, -1))


@pytest.mark.parametrize("mode", ["zeros", "reflect", "circular"])
def test_verdicts_agree_with_measurements(mode):
    found = set()
    for size, stride, dilation, padding, n in product(
        (1, 2, 3, 4), (1, 2, 3), (1, 2), (0, 1, 2), (7, 8, 9)
    ):
        for pivot in ("cell", "node") if mode == "circular" else ("cell",):
            window = Window(size, stride, dilation, padding, mode, pivot)
            if (n + 2 * padding - window.extent) // stride < 2:
                continue  # An output of two points or fewer has more symmetry than others.
            fine = window.flaw is None and window.flaw_on((n, n), (True, True)) is None
            assert fine == is_exact(window, n), (window, n)
            found.add(fine)
    assert found == {True, False}


def test_axes_that_do_not_move_are_free():
    window = Window(3, 2, 1, 1, "zeros", "cell")
    assert window.flaw_on((8, 9), (False, True)) is None
    assert "use a grid of size 7 or 9" in window.flaw_on((8, 9), (True, False))


def test_errors():
    with pytest.raises(InputError, match="padding mode of circular, zeros, reflect, got 'same'"):
        Window(3, 1, 1, 1, "same", "cell")
    with pytest.raises(InputError, match="'cell' or 'node', got 'edge'"):
        Window(3, 1, 1, 1, "zeros", "edge")
    assert "use pivot='cell'" in Window(3, 1, 1, 1, "zeros", "node").flaw
