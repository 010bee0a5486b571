"""Moving the points of a grid, against loops over pixels and closed forms."""

from math import pi

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from goldstone.actions import fourier_shift, move_points
from goldstone.core import InputError
from goldstone.groups import DihedralGroup

D4, D2 = DihedralGroup(4), DihedralGroup(2)


def moved_by_loops(x, matrix, pivot):
    """f′(p) = f(R⁻¹ p): every value is carried from p to R p, p about the pivot."""
    (a, b), (c, d) = matrix
    size = x.shape[-2:]
    result = torch.empty_like(x)
    for i in range(size[0]):
        for j in range(size[1]):
            # Twice the place, so that cell centres are whole numbers.
            p = (2 * i - size[0] + 1, 2 * j - size[1] + 1) if pivot == "cell" else (2 * i, 2 * j)
            q = (a * p[0] + b * p[1], c * p[0] + d * p[1])
            if pivot == "cell":
                q = (q[0] + size[0] - 1, q[1] + size[1] - 1)
            result[..., int(q[0] // 2) % size[0], int(q[1] // 2) % size[1]] = x[..., i, j]
    return result


@pytest.mark.parametrize("pivot", ["cell", "node"])
@pytest.mark.parametrize(
    ("group", "shape"), [(D4, (4, 4)), (D4, (5, 5)), (D2, (4, 6)), (D2, (3, 4))]
)
def test_against_loops(group, shape, pivot):
    x = torch.arange(2.0 * shape[0] * shape[1]).reshape(2, *shape)
    for g in group.elements():
        matrix = group.matrix(g)
        assert torch.equal(move_points(x, matrix, pivot), moved_by_loops(x, matrix, pivot))


def test_fixed_points():
    x = torch.arange(16.0).reshape(4, 4)
    for g in D4.elements():
        assert move_points(x, D4.matrix(g), "node")[0, 0] == 0
    # No grid point is fixed about the cell centre of an even grid.
    assert move_points(x, D4.matrix((0, 2)), "cell")[0, 0] == 15


def test_a_quarter_turn_carries_the_first_axis_to_the_second():
    x = torch.zeros(5, 5)
    x[4, 2] = 1.0  # on the positive first axis
    turned = move_points(x, D4.matrix((0, 1)))
    assert turned[2, 4] == 1.0


def test_errors():
    with pytest.raises(InputError, match=r"square grid, got 4×6; use the symmetry 'd2'"):
        move_points(torch.zeros(4, 6), D4.matrix((0, 1)))
    with pytest.raises(InputError, match="expected a quarter turn"):
        move_points(torch.zeros(4, 4), DihedralGroup(8).matrix((0, 1)))


@given(st.integers(4, 9), st.integers(4, 9), st.floats(-20, 20), st.floats(-20, 20), st.booleans())
def test_shifts_of_sines_are_exact(nx, ny, a, b, single):
    # cos(2π(k i/X + m j/Y) + φ) with every mode below Nyquist.
    dtype = torch.float32 if single else torch.float64
    i = torch.arange(nx, dtype=torch.float64)[:, None]
    j = torch.arange(ny, dtype=torch.float64)

    def field(i, j):
        return sum(
            torch.cos(2 * pi * (k * i / nx + m * j / ny) + k + 2 * m)
            for k in range((nx + 1) // 2)
            for m in range(-((ny - 1) // 2), (ny + 1) // 2)
        )

    shifted = fourier_shift(field(i, j).to(dtype), (a, b))
    assert shifted.dtype == dtype
    tolerance = {"rtol": 0.0, "atol": 1e-3 if single else 1e-11}
    torch.testing.assert_close(shifted.double(), field(i - a, j - b), **tolerance)


@given(st.integers(1, 8), st.integers(1, 8), st.integers(-9, 9), st.integers(-9, 9))
def test_whole_cells_are_rolled(nx, ny, a, b):
    x = torch.randn(3, 2, nx, ny, dtype=torch.float64, generator=torch.manual_seed(0))
    torch.testing.assert_close(fourier_shift(x, (a, b)), x.roll((a, b), (-2, -1)))


def test_nyquist_modes_stay_real_and_lose_energy_between_cells():
    x = torch.tensor([1.0, -1.0] * 4, dtype=torch.float64).repeat(8, 1)
    torch.testing.assert_close(fourier_shift(x, (0.0, 0.25)), x * 0.5**0.5)
    assert fourier_shift(x, (0.0, 0.5)).abs().max() < 1e-15
