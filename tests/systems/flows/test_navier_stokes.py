"""The Navier–Stokes solver against closed forms, slow oracles and the symmetries of its law."""

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.systems.flows import NavierStokes2d, isotropic_turbulence, rollout

VISCOSITY = 2e-3
SOLVER = NavierStokes2d(VISCOSITY)


def flows(samples: int = 2, size: int = 32, peak: float = 2.5) -> Tensor:
    return isotropic_turbulence(samples, (size, size), 7, peak=peak, dtype=torch.float64)


def relative(difference: Tensor, reference: Tensor) -> float:
    return float(difference.norm() / reference.norm())


def fourier_shift(state: Tensor, distance: tuple[float, float]) -> Tensor:
    """The band-limited state moved by ``distance``, on the unit square."""
    n_x, n_y = state.shape[-2:]
    k_x = torch.fft.fftfreq(n_x, 1 / n_x, dtype=torch.float64)[:, None]
    k_y = torch.fft.fftfreq(n_y, 1 / n_y, dtype=torch.float64)[None, :]
    phase = torch.exp(-2j * math.pi * (k_x * distance[0] + k_y * distance[1]))
    return torch.fft.ifft2(torch.fft.fft2(state) * phase).real


def taylor_green(
    time: float,
    mean: tuple[float, float],
    viscosity: float,
    grid: tuple[int, int],
    lengths: tuple[float, float],
) -> Tensor:
    """Decaying vortices carried by a mean flow: an exact solution."""
    k_x, k_y = (2 * math.pi / size for size in lengths)
    x = torch.arange(grid[0], dtype=torch.float64)[:, None] * lengths[0] / grid[0] - mean[0] * time
    y = torch.arange(grid[1], dtype=torch.float64)[None, :] * lengths[1] / grid[1] - mean[1] * time
    decay = math.exp(-viscosity * (k_x**2 + k_y**2) * time)
    u = decay * torch.sin(k_x * x) * torch.cos(k_y * y) + mean[0]
    v = -decay * k_x / k_y * torch.cos(k_x * x) * torch.sin(k_y * y) + mean[1]
    return torch.stack((u, v))[None]


@pytest.mark.parametrize(
    ("mean", "grid", "lengths"),
    [
        ((0.0, 0.0), (32, 32), (1.0, 1.0)),
        ((0.7, -0.3), (32, 32), (1.0, 1.0)),
        ((0.7, -0.3), (24, 36), (1.0, 2.5)),
        ((-0.2, 1.1), (33, 27), (2 * math.pi, 1.0)),
    ],
)
def test_taylor_green_in_a_moving_frame(
    mean: tuple[float, float], grid: tuple[int, int], lengths: tuple[float, float]
) -> None:
    solver = NavierStokes2d(5e-3, lengths)
    start = taylor_green(0.0, mean, 5e-3, grid, lengths)
    exact = taylor_green(0.6, mean, 5e-3, grid, lengths)
    assert relative(exact - start, start) > 0.05
    torch.testing.assert_close(solver.advance(start, 0.6), exact, atol=1e-12, rtol=0)


@pytest.mark.parametrize("ratio", [0.0, 0.2, 3.0])
def test_eddies_decay_by_the_viscosity_of_each_axis(ratio: float) -> None:
    """Taylor–Green vortices of one wave vector are steady but for the decay of their waves."""
    lengths, grid, duration = (1.0, 2.5), (24, 36), 0.6
    solver = NavierStokes2d(5e-3, lengths, viscosity_ratio=ratio)
    start = taylor_green(0.0, (0.0, 0.0), 0.0, grid, lengths)
    k_x, k_y = (2 * math.pi / size for size in lengths)
    exact = math.exp(-5e-3 * (k_x**2 + ratio * k_y**2) * duration) * start
    torch.testing.assert_close(solver.advance(start, duration), exact, atol=1e-12, rtol=0)


def test_a_viscosity_of_each_axis_damps_the_tendency_by_its_second_derivative() -> None:
    state, duration, ratio = SOLVER.project(flows()), 1e-5, 0.1
    later, usual = (
        NavierStokes2d(VISCOSITY, viscosity_ratio=a).advance(state, duration) for a in (ratio, 1.0)
    )
    wave = 2 * math.pi * torch.fft.fftfreq(32, 1 / 32, dtype=torch.float64)
    curved = torch.fft.ifft(-(wave**2) * torch.fft.fft(state, dim=-1), dim=-1).real
    expected = VISCOSITY * (ratio - 1) * curved
    assert relative((later - usual) / duration - expected, expected) < 1e-3


def test_converges_with_fourth_order_in_time() -> None:
    state = flows()
    fine = NavierStokes2d(VISCOSITY, courant=0.05).advance(state, 0.3)
    errors = [
        relative(NavierStokes2d(VISCOSITY, courant=courant).advance(state, 0.3) - fine, fine)
        for courant in (0.8, 0.4, 0.2)
    ]
    orders = [math.log2(a / b) for a, b in pairwise(errors)]
    assert errors[0] < 1e-4
    assert all(3.6 < order < 4.5 for order in orders), orders


def test_converges_to_a_fine_run_in_space() -> None:
    viscosity, duration = 5e-3, 0.3
    solver = NavierStokes2d(viscosity, courant=0.4)
    fine = solver.advance(flows(1, 128), duration)
    errors = [
        relative(solver.advance(flows(1, n), duration) - fine[..., :: 128 // n, :: 128 // n], fine)
        for n in (16, 32, 64)
    ]
    # Faster than any power: the last halving gains more than the one before.
    assert errors[1] < errors[0] / 8
    assert errors[2] < errors[1] / 64
    assert errors[2] < 1e-5


def test_tendency_is_the_dealiased_advection() -> None:
    """Oracle: −u·∇ω + ν∇²ω from a grid of twice the size, where products do not alias."""
    n, duration = 24, 1e-5
    white = torch.randn(1, 2, n, n, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    state = SOLVER.project(white)
    k = torch.fft.fftfreq(n, 1 / n, dtype=torch.float64)
    k_x, k_y = torch.meshgrid(k, k, indexing="ij")
    kept = (k_x.abs() < n / 3) & (k_y.abs() < n / 3)

    def curl(velocity: Tensor) -> Tensor:
        spectrum = torch.fft.fft2(velocity)
        return 2j * math.pi * (k_x * spectrum[:, 1] - k_y * spectrum[:, 0])

    def on_fine_grid(spectrum: Tensor) -> Tensor:
        padded = torch.fft.fftshift(torch.zeros(2 * n, 2 * n, dtype=torch.complex128))
        padded[n // 2 : n + n // 2, n // 2 : n + n // 2] = torch.fft.fftshift(spectrum)
        return torch.fft.ifft2(torch.fft.ifftshift(padded)).real * 4

    vorticity = curl(state)[0]
    velocity = torch.fft.fft2(state)[0]
    gradient = [on_fine_grid(2j * math.pi * wave * vorticity) for wave in (k_x, k_y)]
    product = sum(
        on_fine_grid(component) * slope for component, slope in zip(velocity, gradient, strict=True)
    )
    shifted = torch.fft.fftshift(torch.fft.fft2(product)) / 4
    advection = torch.fft.ifftshift(shifted[n // 2 : n + n // 2, n // 2 : n + n // 2]) * kept
    expected = -advection - VISCOSITY * 4 * math.pi**2 * (k_x**2 + k_y**2) * vorticity

    later = SOLVER.advance(state, duration)
    measured = (curl(later)[0] - vorticity) / duration
    assert relative(measured - expected, expected) < 2e-3
    # The aliased product on the grid itself is far away from it.
    slopes = [torch.fft.ifft2(2j * math.pi * wave * vorticity).real for wave in (k_x, k_y)]
    aliased = torch.fft.fft2(state[0, 0] * slopes[0] + state[0, 1] * slopes[1])
    assert relative(-aliased - advection, advection) > 0.1


def test_conserves_energy_and_enstrophy_without_viscosity() -> None:
    state = flows(2, 32)
    later = NavierStokes2d(0.0, courant=0.1).advance(state, 0.5)
    assert relative(later - state, state) > 0.5
    for power in (0, 1):
        before, after = (_moment(f, power) for f in (state, later))
        torch.testing.assert_close(after, before, rtol=1e-6, atol=0)


def _moment(velocity: Tensor, power: int) -> Tensor:
    n = velocity.shape[-1]
    k = torch.fft.fftfreq(n, 1 / n, dtype=torch.float64)
    square = k[:, None] ** 2 + k[None, :] ** 2
    return (torch.fft.fft2(velocity).abs().square().sum(1) * square**power).sum(dim=(-2, -1))


@pytest.mark.parametrize("name", [f"r{k}{s}" for s in ("", "s") for k in range(4)])
def test_commutes_with_the_point_group(name: str, velocity_d4: dict) -> None:
    act = velocity_d4[name]
    state = flows()
    later = SOLVER.advance(state, 0.2)
    assert relative(SOLVER.advance(act(state), 0.2) - act(later), later) < 1e-12


@pytest.mark.parametrize("name", [f"r{k}{s}" for s in ("", "s") for k in range(4)])
def test_unequal_viscosities_break_what_swaps_the_axes(name: str, velocity_d4: dict) -> None:
    """The rest of D4 still commutes; what swaps the axes takes the law to that of swapped ones."""
    act, state, ratio = velocity_d4[name], flows(), 0.2
    solver = NavierStokes2d(2e-2, viscosity_ratio=ratio)
    later, moved = solver.advance(state, 0.2), solver.advance(act(state), 0.2)
    swaps = name in ("r1", "r3", "r1s", "r3s")
    assert (relative(moved - act(later), later) < 1e-12) != swaps
    swapped = NavierStokes2d(2e-2 * ratio, viscosity_ratio=1 / ratio)
    of_other = (swapped if swaps else solver).advance(act(state), 0.2)
    assert relative(of_other - act(later), later) < 1e-12


def test_a_wrong_convention_does_not_commute(velocity_d4: dict) -> None:
    state = flows()
    later = SOLVER.advance(state, 0.2)
    turn = velocity_d4["r1"]
    assert relative(SOLVER.advance(-turn(state), 0.2) + turn(later), later) > 0.1
    # Turning the grid alone leaves a flow that is not even free of divergence.
    unturned = torch.rot90(state, 1, (-2, -1))
    expected = torch.rot90(later, 1, (-2, -1))
    assert relative(SOLVER.advance(unturned, 0.2) - expected, later) > 0.1


@pytest.mark.parametrize("distance", [(3 / 32, -5 / 32), (0.0137, 0.2), (0.5 / 32, 0.25 / 32)])
def test_commutes_with_shifts_of_any_size(distance: tuple[float, float]) -> None:
    state = SOLVER.project(flows())
    later = SOLVER.advance(state, 0.2)
    moved = SOLVER.advance(fourier_shift(state, distance), 0.2)
    assert relative(moved - fourier_shift(later, distance), later) < 1e-11


@pytest.mark.parametrize("speed", [(0.3, 0.0), (-1.7, 0.9), (12.0, 5.0)])
def test_commutes_with_boosts_in_the_moving_frame(speed: tuple[float, float]) -> None:
    state, duration = SOLVER.project(flows()), 0.2
    later = SOLVER.advance(state, duration)
    boost = torch.tensor(speed, dtype=torch.float64)[None, :, None, None]
    expected = fourier_shift(later, (speed[0] * duration, speed[1] * duration)) + boost
    violation = relative(SOLVER.advance(state + boost, duration) - expected, later)
    assert violation < 1e-11
    # Without the drift of the frame the two are different flows.
    assert relative(SOLVER.advance(state + boost, duration) - later - boost, later) > 0.1


def test_a_sample_does_not_feel_its_batch() -> None:
    state = flows(1, 32)
    mates = torch.cat((5 * flows(2, 32), state, torch.zeros_like(state)))
    alone = SOLVER.advance(state, 0.1)
    assert relative(SOLVER.advance(mates, 0.1)[2:3] - alone, alone) < 1e-13


def test_is_deterministic_and_float32_follows_float64() -> None:
    state = flows(3)
    later = SOLVER.advance(state, 0.2)
    assert torch.equal(SOLVER.advance(state, 0.2), later)
    single = SOLVER.advance(state.float(), 0.2)
    assert single.dtype == torch.float32
    assert relative(single.double() - later, later) < 1e-5


def test_steps_compose_and_none_is_the_projection() -> None:
    state = SOLVER.project(flows())
    torch.testing.assert_close(SOLVER.advance(state, 0.0), state, atol=1e-13, rtol=0)
    two = SOLVER.advance(SOLVER.advance(state, 0.1), 0.1)
    assert relative(two - SOLVER.advance(state, 0.2), two) < 1e-5
    snapshots = rollout(SOLVER, state, 0.1, 2)
    assert snapshots.shape == (2, 3, 2, 32, 32)
    assert torch.equal(snapshots[:, 2], two)


def test_projects_what_the_law_cannot_hold() -> None:
    flow = SOLVER.project(flows(1, 32))
    x = torch.arange(32, dtype=torch.float64) / 32
    compression = torch.sin(2 * math.pi * x)[:, None].expand(32, 32)
    short_wave = torch.cos(2 * math.pi * 11 * x)[:, None].expand(32, 32)
    spoiled = flow + torch.stack((compression, short_wave))
    torch.testing.assert_close(SOLVER.project(spoiled), flow, atol=1e-13, rtol=0)


def test_a_lonely_fast_vortex_takes_enough_steps() -> None:
    """Its largest speed is many standard deviations: the step count must see it."""
    n = 96
    x = (torch.arange(n, dtype=torch.float64) / n - 0.5)[:, None]
    y = (torch.arange(n, dtype=torch.float64) / n - 0.5)[None, :]
    bump = torch.exp(-(x**2 + y**2) / (2 * 0.03**2))
    state = SOLVER.project(50 * torch.stack((-y * bump, x * bump))[None] / 0.03)
    assert state.abs().max() > 8 * state.std()
    later = SOLVER.advance(state, 0.02)
    fine = NavierStokes2d(VISCOSITY, courant=0.1).advance(state, 0.02)
    assert relative(later - fine, fine) < 1e-3


def test_refuses_what_it_cannot_step() -> None:
    state = flows(1)
    with pytest.raises(InputError, match="expected 2 channels"):
        SOLVER.advance(state[:, :1], 0.1)
    with pytest.raises(InputError, match=r"shape \(batch, channel, X, Y\)"):
        SOLVER.advance(state[0], 0.1)
    with pytest.raises(InputError, match="NaN or infinite"):
        SOLVER.advance(state.where(state < state.max(), torch.nan), 0.1)
    with pytest.raises(InputError, match="cannot be run backwards"):
        SOLVER.advance(state, -0.1)
    with pytest.raises(InputError, match="4×4 points or more"):
        SOLVER.advance(state.movedim(1, -1)[:, :2], 0.1)
    with pytest.raises(InputError, match="viscosity"):
        NavierStokes2d(-1.0)
    with pytest.raises(InputError, match="viscosity_ratio"):
        NavierStokes2d(1e-3, viscosity_ratio=math.nan)
    with pytest.raises(InputError, match="courant"):
        NavierStokes2d(1e-3, courant=3.0)
    with pytest.raises(InputError, match="lengths"):
        NavierStokes2d(1e-3, lengths=(1.0, 0.0))
