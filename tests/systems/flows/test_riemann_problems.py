"""The initial states of the compressible flows."""

import pytest
import torch

from goldstone.core import InputError
from goldstone.systems.flows import CompressibleEuler2d, curved_riemann, four_quadrant_riemann

GRID = (32, 32)
DRAWS = {"straight": four_quadrant_riemann, "curved": curved_riemann}
SOLVER = CompressibleEuler2d()


@pytest.mark.parametrize("kind", DRAWS)
def test_states_are_within_their_range_and_each_its_own(kind: str) -> None:
    draw = DRAWS[kind]
    state = draw(6, GRID, 3)
    assert state.dtype == torch.float32
    primitive = SOLVER.primitive(state)
    assert bool((primitive[:, 0] >= 0.0999).all())
    assert bool((primitive[:, 0] <= 1.0001).all())
    assert bool((primitive[:, 3] >= 0.0999).all())
    assert bool((primitive[:, 1:3].abs() <= 1.0001).all())
    assert torch.equal(draw(2, GRID, 3, first=4), state[4:])
    assert not torch.equal(draw(6, GRID, 4), state)


def test_four_quadrants_are_constant_and_symmetric_about_the_cells() -> None:
    state = four_quadrant_riemann(4, GRID, 0, dtype=torch.float64)
    for x in (0, 16):
        for y in (0, 16):
            block = state[..., x : x + 16, y : y + 16]
            torch.testing.assert_close(block, block[..., :1, :1].expand_as(block))
    corners = state[0, 0, ::16, ::16].flatten()
    assert len(set(corners.tolist())) == 4


def test_curved_interfaces_bend_within_their_amplitude() -> None:
    amplitude, n = 0.1, 64
    state = curved_riemann(60, (n, n), 0, amplitude=amplitude, dtype=torch.float64)
    # Cells further from all interfaces than the amplitude belong to one quadrant.
    reach = int(amplitude * n) + 1
    inner = state[..., reach : n // 2 - reach, reach : n // 2 - reach]
    torch.testing.assert_close(inner, inner[..., :1, :1].expand_as(inner))
    # The column of the interface is no longer one: it lies on either side of it.
    column = state[:, 0, n // 2 - 1, :]
    bent = (column.std(dim=-1) > 1e-6).double().mean()
    assert bent > 0.95


def test_averages_do_not_depend_on_the_grid() -> None:
    fine = curved_riemann(2, (64, 64), 1, dtype=torch.float64)
    coarse = curved_riemann(2, (32, 32), 1, dtype=torch.float64)
    averaged = torch.nn.functional.avg_pool2d(fine, 2)
    # Both sample the same curves; only the points within cut cells differ.
    different = ((averaged - coarse).abs() > 1e-12).any(1).double().mean()
    assert different < 0.3
    assert float((averaged - coarse).abs().mean()) < 0.01
    straight = [four_quadrant_riemann(2, (n, n), 1, dtype=torch.float64) for n in (32, 64)]
    torch.testing.assert_close(torch.nn.functional.avg_pool2d(straight[1], 2), straight[0])


@pytest.mark.parametrize("kind", DRAWS)
def test_statistics_have_the_symmetry_of_the_square(kind: str) -> None:
    state = DRAWS[kind](500, (8, 8), 2, dtype=torch.float64)
    momentum = state[:, 1:3].square().mean(dim=(0, 2, 3))
    assert abs(float(momentum[0] / momentum[1]) - 1) < 0.15
    density = state[:, 0].mean(0)
    assert float((density - density.rot90(1)).abs().max()) < 0.08
    assert state[:, 1:3].mean(dim=(0, 2, 3)).abs().max() < 0.04


def test_refuses_what_cannot_be_drawn() -> None:
    with pytest.raises(InputError, match="even grid sizes"):
        four_quadrant_riemann(1, (31, 32), 0)
    with pytest.raises(InputError, match="amplitude"):
        curved_riemann(1, GRID, 0, amplitude=0.3)
