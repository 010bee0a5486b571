"""The Euler solver against exact solutions, with measured orders, and the symmetries of its law."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.optimize import brentq
from torch import Tensor

from goldstone.core import InputError
from goldstone.systems.flows import CompressibleEuler2d, curved_riemann, four_quadrant_riemann

GAMMA = 1.4
SOLVER = CompressibleEuler2d()


def flows(samples: int = 2, size: int = 24) -> Tensor:
    return curved_riemann(samples, (size, size), 3, dtype=torch.float64)


def relative(difference: Tensor, reference: Tensor) -> float:
    return float(difference.norm() / reference.norm())


def boosted(state: Tensor, speed: tuple[float, float]) -> Tensor:
    """The same flow seen from a frame that moves at −speed, by hand."""
    density, m_x, m_y, energy = state.unbind(1)
    c_x, c_y = speed
    kinetic = c_x * m_x + c_y * m_y + 0.5 * density * (c_x**2 + c_y**2)
    return torch.stack((density, m_x + c_x * density, m_y + c_y * density, energy + kinetic), 1)


# Exact solutions ---------------------------------------------------------------------------


def isentropic_vortex(size: int, mean: tuple[float, float], time: float) -> Tensor:
    """A vortex carried by the mean flow of speed ``mean`` on a square of side 10 (Shu 1998)."""
    centre = (torch.arange(size, dtype=torch.float64) + 0.5) * 10 / size - 5
    x = (centre - mean[0] * time + 5) % 10 - 5
    y = (centre - mean[1] * time + 5) % 10 - 5
    x, y = torch.meshgrid(x, y, indexing="ij")
    strength = 5 / (2 * math.pi)
    bell = torch.exp(0.5 * (1 - x**2 - y**2))
    temperature = 1 - (GAMMA - 1) / (2 * GAMMA) * strength**2 * bell**2
    density = temperature ** (1 / (GAMMA - 1))
    u, v = mean[0] - strength * y * bell, mean[1] + strength * x * bell
    return SOLVER.conserved(torch.stack((density, u, v, density * temperature))[None])


def sod_density(position: np.ndarray, time: float) -> np.ndarray:
    """Exact density of Sod's tube with its diaphragm at 0 (Toro 2009, ch. 4)."""
    rho_l, p_l, rho_r, p_r = 1.0, 1.0, 0.125, 0.1
    c_l = math.sqrt(GAMMA * p_l / rho_l)
    ratio = (GAMMA - 1) / (GAMMA + 1)

    def fan_speed(p: float) -> float:
        return 2 * c_l / (GAMMA - 1) * ((p / p_l) ** ((GAMMA - 1) / (2 * GAMMA)) - 1)

    def shock_speed(p: float) -> float:
        return (p - p_r) * math.sqrt(2 / ((GAMMA + 1) * rho_r) / (p + ratio * p_r))

    p = brentq(lambda p: fan_speed(p) + shock_speed(p), p_r, p_l, xtol=1e-14)
    u = shock_speed(p)
    behind_fan = rho_l * (p / p_l) ** (1 / GAMMA)
    behind_shock = rho_r * (p / p_r + ratio) / (ratio * p / p_r + 1)
    shock = behind_shock * u / (behind_shock - rho_r)
    tail = u - math.sqrt(GAMMA * p / behind_fan)
    xi = position / time
    fan = rho_l * (2 / (GAMMA + 1) - ratio / c_l * xi) ** (2 / (GAMMA - 1))
    return np.select(
        [xi < -c_l, xi < tail, xi < u, xi < shock], [rho_l, fan, behind_fan, behind_shock], rho_r
    )


def test_isentropic_vortex_converges_with_second_order() -> None:
    mean, time = (1.0, 0.5), 1.0
    solver = CompressibleEuler2d(lengths=(10.0, 10.0))
    errors = []
    for size in (32, 64, 128):
        later = solver.advance(isentropic_vortex(size, mean, 0.0), time)
        errors.append(float((later - isentropic_vortex(size, mean, time)).abs().mean()))
    orders = [math.log2(a / b) for a, b in pairwise(errors)]
    assert errors[-1] < 1e-3
    assert all(1.7 < order < 3.2 for order in orders), (errors, orders)


@pytest.mark.parametrize("axis", [0, 1])
def test_sod_tube_converges_to_the_exact_solution(axis: int) -> None:
    time, errors = 0.2, []
    for cells in (100, 200, 400):
        # A full tube and its mirror image side by side, periodic; four cells thick.
        centre = (np.arange(cells) + 0.5) * 2 / cells - 1
        inside = torch.from_numpy(np.abs(centre) < 0.5)
        density = torch.where(inside, 1.0, 0.125).double()
        pressure = torch.where(inside, 1.0, 0.1).double()
        still = torch.zeros_like(density)
        tube = SOLVER.conserved(torch.stack((density, still, still, pressure))[None])
        tube = tube[..., None].expand(-1, -1, -1, 4)
        lengths = (2.0, 8 / cells)
        if axis == 1:
            tube, lengths = tube.transpose(-2, -1), lengths[::-1]
        later = CompressibleEuler2d(lengths=lengths).advance(tube, time)
        profile = later[0, 0].movedim(axis, 0)
        assert float((profile - profile[:, :1]).abs().max()) < 1e-12
        exact = sod_density(np.abs(centre) - 0.5, time)
        errors.append(float(np.abs(profile[:, 0].numpy() - exact).mean()))
    orders = [math.log2(a / b) for a, b in pairwise(errors)]
    assert errors[-1] < 3e-3
    assert all(0.7 < order < 1.2 for order in orders), (errors, orders)


def test_contacts_at_rest_stay_sharp_and_moving_ones_keep_the_pressure() -> None:
    """What the C of HLLC is for."""
    density = 1 + 3 * (torch.rand(1, 16, 16, generator=torch.Generator().manual_seed(0)) > 0.5)
    density = density.double()
    one = torch.ones_like(density)
    at_rest = SOLVER.conserved(torch.stack((density, 0 * one, 0 * one, one), 1))
    torch.testing.assert_close(SOLVER.advance(at_rest, 0.3), at_rest, atol=1e-13, rtol=0)
    moving = SOLVER.conserved(torch.stack((density, 0.7 * one, -0.2 * one, one), 1))
    _, u, v, pressure = SOLVER.primitive(SOLVER.advance(moving, 0.3)).unbind(1)
    for value, expected in ((u, 0.7 * one), (v, -0.2 * one), (pressure, one)):
        torch.testing.assert_close(value, expected, atol=1e-12, rtol=0)


# Laws --------------------------------------------------------------------------------------


def test_conserves_mass_momentum_and_energy() -> None:
    state = flows(3)
    later = SOLVER.advance(state, 0.3)
    assert relative(later - state, state) > 0.3
    before, after = (f.mean(dim=(-2, -1)) for f in (state, later))
    torch.testing.assert_close(after, before, atol=1e-14, rtol=0)


@pytest.mark.parametrize("name", [f"r{k}{s}" for s in ("", "s") for k in range(4)])
def test_commutes_with_the_point_group(name: str, euler_d4: dict) -> None:
    act = euler_d4[name]
    state = flows()
    later = SOLVER.advance(state, 0.2)
    assert relative(SOLVER.advance(act(state), 0.2) - act(later), later) < 1e-12


def test_a_wrong_convention_does_not_commute(euler_d4: dict) -> None:
    state = flows()
    later = SOLVER.advance(state, 0.2)

    def wrong(field: Tensor) -> Tensor:
        turned = euler_d4["r1"](field)
        turned[:, 1:3] *= -1
        return turned

    assert relative(SOLVER.advance(wrong(state), 0.2) - wrong(later), later) > 0.1
    unturned = torch.rot90(state, 1, (-2, -1))
    expected = torch.rot90(later, 1, (-2, -1))
    assert relative(SOLVER.advance(unturned, 0.2) - expected, later) > 0.1


def test_commutes_with_shifts_by_whole_cells() -> None:
    state = flows()
    later = SOLVER.advance(state, 0.2)
    moved = SOLVER.advance(state.roll((5, -7), (-2, -1)), 0.2)
    assert relative(moved - later.roll((5, -7), (-2, -1)), later) < 1e-14


def test_violates_boosts_by_its_truncation_error() -> None:
    """Measured over a drift of whole cells, for a smooth flow and for shocks."""

    def violation(state: Tensor, solver: CompressibleEuler2d, speed: float, time: float) -> float:
        size = state.shape[-1]
        cells = round(speed * time * size / solver.lengths[0])
        assert math.isclose(cells, speed * time * size / solver.lengths[0])
        later = solver.advance(state, time)
        expected = boosted(later.roll((cells, 0), (-2, -1)), (speed, 0.0))
        seen = solver.advance(boosted(state, (speed, 0.0)), time)
        return relative(seen - expected, later)

    wide = CompressibleEuler2d(lengths=(10.0, 10.0))
    smooth = [violation(isentropic_vortex(n, (0.0, 0.0), 0.0), wide, 1.0, 1.25) for n in (32, 64)]
    shocks = [violation(flows(2, n), SOLVER, 1.0, 0.125) for n in (32, 64)]
    assert 1e-4 < smooth[0] < 3e-2
    assert smooth[1] < smooth[0] / 2.5
    assert 1e-3 < shocks[0] < 0.1
    assert shocks[1] < shocks[0] / 1.2


# Safety ------------------------------------------------------------------------------------


def hard_problem() -> Tensor:
    """White noise over orders of magnitude: Mach numbers of hundreds, near-vacuum everywhere."""
    uniform = torch.rand(
        4, 2, 24, 24, generator=torch.Generator().manual_seed(0), dtype=torch.float64
    )
    density, pressure = 10 ** (-2 * uniform[0]), 10 ** (-6 * uniform[3])
    u, v = 20 * uniform[1:3] - 10
    return SOLVER.conserved(torch.stack((density, u, v, pressure), dim=1))


def test_stays_positive_and_conservative_where_second_order_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    repairs = []
    repaired = CompressibleEuler2d._repaired_stage

    def counting(self: CompressibleEuler2d, state: Tensor, step: Tensor, bad: Tensor) -> Tensor:
        repairs.append(int(bad.sum()))
        return repaired(self, state, step, bad)

    monkeypatch.setattr(CompressibleEuler2d, "_repaired_stage", counting)
    state = hard_problem()
    later = SOLVER.advance(state, 0.01)
    assert repairs
    primitive = SOLVER.primitive(later)
    assert bool((primitive[:, [0, 3]] > 0).all())
    torch.testing.assert_close(
        later.mean(dim=(-2, -1)), state.mean(dim=(-2, -1)), atol=1e-13, rtol=1e-12
    )


def test_repairs_commute_with_the_point_group(euler_d4: dict) -> None:
    state = hard_problem()
    later = SOLVER.advance(state, 0.005)
    for act in euler_d4.values():
        assert relative(SOLVER.advance(act(state), 0.005) - act(later), later) < 1e-10


def test_a_sample_does_not_feel_its_batch() -> None:
    state = flows(1)
    alone = SOLVER.advance(state, 0.02)
    together = SOLVER.advance(torch.cat((hard_problem(), state, flows(2))), 0.02)
    assert relative(together[2:3] - alone, alone) < 1e-15


def test_is_deterministic_and_float32_follows_float64() -> None:
    state = four_quadrant_riemann(2, (24, 24), 5, dtype=torch.float64)
    later = SOLVER.advance(state, 0.2)
    assert torch.equal(SOLVER.advance(state, 0.2), later)
    single = SOLVER.advance(state.float(), 0.2)
    assert single.dtype == torch.float32
    assert relative(single.double() - later, later) < 1e-4


def test_leaves_its_input_and_uniform_flow_alone() -> None:
    state = flows(1)
    copy = state.clone()
    SOLVER.advance(state, 0.05)
    assert torch.equal(state, copy)
    assert torch.equal(SOLVER.advance(state, 0.0), state)
    uniform = state.mean(dim=(-2, -1), keepdim=True).expand_as(state)
    torch.testing.assert_close(SOLVER.advance(uniform, 0.3), uniform, atol=1e-14, rtol=0)


def test_conversions_are_inverse() -> None:
    state = flows()
    torch.testing.assert_close(SOLVER.conserved(SOLVER.primitive(state)), state)


def test_refuses_what_it_cannot_step() -> None:
    state = flows(1)
    with pytest.raises(InputError, match="positive density and pressure"):
        SOLVER.advance(state[:, [3, 1, 2, 0]] - 1, 0.1)
    with pytest.raises(InputError, match="expected 4 channels"):
        SOLVER.advance(state[:, :3], 0.1)
    with pytest.raises(InputError, match="NaN or infinite"):
        SOLVER.advance(state.where(state < state.max(), torch.inf), 0.1)
    with pytest.raises(InputError, match="cannot be run backwards"):
        SOLVER.advance(state, -0.1)
    with pytest.raises(InputError, match="gamma"):
        CompressibleEuler2d(gamma=1.0)
    with pytest.raises(InputError, match="courant"):
        CompressibleEuler2d(courant=0.9)
