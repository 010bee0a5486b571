"""The parts of the Euler solver, alone."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from goldstone.systems.flows.reconstruction import face_values, monotonized_central
from goldstone.systems.flows.riemann_hllc import hllc_flux

GAMMA = 1.4
finite = st.floats(-100, 100, allow_subnormal=False)


@given(finite, finite)
def test_limiter_is_minmod_of_three(backward: float, forward: float) -> None:
    options = [2 * backward, 2 * forward, (backward + forward) / 2]
    if all(value > 0 for value in options):
        expected = min(options)
    elif all(value < 0 for value in options):
        expected = max(options)
    else:
        expected = 0.0
    a, b = (torch.tensor(value, dtype=torch.float64) for value in (backward, forward))
    assert float(monotonized_central(a, b)) == pytest.approx(expected, abs=1e-100)
    assert float(monotonized_central(b, a)) == pytest.approx(expected, abs=1e-100)
    assert float(monotonized_central(-a, -b)) == pytest.approx(-expected, abs=1e-100)


@settings(deadline=None)
@given(st.lists(finite, min_size=4, max_size=12))
def test_face_values_stay_between_the_cells_beside_them(values: list[float]) -> None:
    cells = torch.tensor(values, dtype=torch.float64)
    left, right = face_values(cells, 0)
    for face in range(len(values) + 1):
        pair = values[face - 1], values[face % len(values)]
        for value in (float(left[face]), float(right[face])):
            assert min(pair) - 1e-9 <= value <= max(pair) + 1e-9


def test_face_values_are_exact_on_slopes_and_constant_where_flat() -> None:
    cells = torch.arange(8, dtype=torch.float64).repeat(2, 1)
    left, right = face_values(cells, 1)
    # Faces 2…6 see slopes only, not the jump of the period.
    torch.testing.assert_close(left[:, 2:7], cells[:, 2:7] - 0.5)
    torch.testing.assert_close(right[:, 2:7], cells[:, 2:7] - 0.5)
    flat = torch.zeros_like(cells, dtype=torch.bool)
    flat[:, 3] = True
    left, right = face_values(cells, 1, flat)
    assert torch.equal(left[:, 4], cells[:, 3])
    assert torch.equal(right[:, 3], cells[:, 3])
    torch.testing.assert_close(left[:, 3], cells[:, 2] + 0.5)


def states(count: int = 50) -> tuple[Tensor, Tensor]:
    uniform = torch.rand(2, 4, count, generator=torch.Generator().manual_seed(0)).double()
    uniform[:, 1:3] = 6 * uniform[:, 1:3] - 3
    uniform[:, [0, 3]] += 0.05
    return uniform[0].T.contiguous(), uniform[1].T.contiguous()


def physical_flux(state: Tensor, axis: int) -> Tensor:
    density, u, v, pressure = state.unbind(1)
    normal = (u, v)[axis]
    energy = pressure / (GAMMA - 1) + 0.5 * density * (u**2 + v**2)
    flux = torch.stack((density * normal, density * u * normal, density * v * normal, 0 * u), 1)
    flux[:, 1 + axis] += pressure
    flux[:, 3] = (energy + pressure) * normal
    return flux


@pytest.mark.parametrize("axis", [0, 1])
def test_flux_is_consistent_and_upwind(axis: int) -> None:
    left, right = states()
    torch.testing.assert_close(hllc_flux(left, left, GAMMA, axis), physical_flux(left, axis))
    for speed, source in ((20.0, left), (-20.0, right)):
        left[:, 1 + axis], right[:, 1 + axis] = speed, speed + 0.5
        torch.testing.assert_close(hllc_flux(left, right, GAMMA, axis), physical_flux(source, axis))


def test_flux_turns_and_mirrors_with_its_sides() -> None:
    left, right = states()
    flux = hllc_flux(left, right, GAMMA, 0)
    swap = [0, 2, 1, 3]
    torch.testing.assert_close(hllc_flux(left[:, swap], right[:, swap], GAMMA, 1), flux[:, swap])
    mirror = torch.tensor([1.0, -1.0, 1.0, 1.0], dtype=torch.float64)
    torch.testing.assert_close(hllc_flux(right * mirror, left * mirror, GAMMA, 0), -flux * mirror)
