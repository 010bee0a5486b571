"""The statistics of the initial flows, and that a sample is its own."""

import pytest
import torch
from torch import Tensor

from goldstone.core import InputError
from goldstone.systems.flows import NavierStokes2d, anisotropic_turbulence, isotropic_turbulence

GRID = (32, 32)
DRAWS = {"isotropic": isotropic_turbulence, "anisotropic": anisotropic_turbulence}


def mean_energy(velocity: Tensor) -> Tensor:
    """Mean energy of each wave (k_x, k_y), with the zero wave in the middle."""
    energy = torch.fft.fft2(velocity).abs().square().sum(1).mean(0)
    return torch.fft.fftshift(energy)[1:, 1:] / energy.sum()


def asymmetry(energy: Tensor, moved: Tensor) -> float:
    """Total variation distance of two spectra, in [0, 1]."""
    return float((energy - moved).abs().sum() / 2)


@pytest.mark.parametrize("kind", DRAWS)
def test_flows_suit_the_solver(kind: str) -> None:
    flow = DRAWS[kind](3, GRID, 0, rms_velocity=0.7, dtype=torch.float64)
    assert flow.shape == (3, 2, *GRID)
    assert flow.dtype == torch.float64
    assert DRAWS[kind](1, GRID, 0).dtype == torch.float32
    # Free of divergence and within the band: the projection changes nothing.
    torch.testing.assert_close(NavierStokes2d(1e-3).project(flow), flow, atol=1e-13, rtol=0)
    speed = flow.square().sum(1).mean(dim=(-2, -1)).sqrt()
    torch.testing.assert_close(speed, torch.full_like(speed, 0.7))
    assert flow.mean(dim=(-2, -1)).abs().max() < 1e-14


@pytest.mark.parametrize("kind", DRAWS)
def test_a_sample_depends_on_seed_and_index_alone(kind: str) -> None:
    draw = DRAWS[kind]
    flow = draw(5, GRID, 3)
    assert torch.equal(draw(2, GRID, 3, first=3), flow[3:])
    assert not torch.equal(draw(5, GRID, 4), flow)
    assert not torch.equal(flow[0], flow[1])
    # A finer grid samples the same flow.
    torch.testing.assert_close(draw(5, (64, 96), 3)[..., ::2, ::3], flow, atol=1e-6, rtol=0)


def test_isotropic_statistics_have_the_symmetry_of_the_square_and_of_the_circle() -> None:
    flow = isotropic_turbulence(400, GRID, 1, dtype=torch.float64)
    energy = mean_energy(flow)
    for moved in (energy.rot90(1), energy.flip(0), energy.T):
        assert asymmetry(energy, moved) < 0.06
    # Waves of one length have one energy: (5, 0), (4, 3) and their like.
    centre = 15
    ring = [energy[centre + x, centre + y] for x, y in ((5, 0), (0, 5), (4, 3), (3, -4))]
    assert max(ring) / min(ring) < 1.4
    stress = (flow[:, 0] * flow[:, 1]).mean()
    assert abs(float(stress)) < 0.02
    # The band is round: nothing beyond twice the peak.
    axis = torch.arange(-15, 16)
    outside = axis[:, None] ** 2 + axis[None, :] ** 2 > 64
    assert float(energy[outside].sum()) < 1e-25
    assert float(energy[centre + 7, centre]) > 0


def test_energy_spectrum_peaks_where_declared() -> None:
    energy = mean_energy(isotropic_turbulence(200, GRID, 2, peak=4.0, dtype=torch.float64))
    axis = torch.arange(-15, 16)
    length = (axis[:, None] ** 2 + axis[None, :] ** 2).sqrt()
    # Energy per unit of |k| from the mean over a ring, which counts no lattice points.
    ring = torch.tensor([float(energy[(length - k).abs() < 0.5].mean()) * k for k in range(1, 9)])
    expected = torch.tensor([float(k) ** 3 for k in range(1, 9)])
    expected = expected * torch.exp(-1.5 * (torch.arange(1.0, 9.0) / 4) ** 2)
    assert int(ring.argmax()) + 1 == 4
    torch.testing.assert_close(ring / ring.sum(), expected / expected.sum(), atol=0.03, rtol=0)


def test_anisotropic_statistics_break_quarter_turns_and_keep_the_reflections() -> None:
    flow = anisotropic_turbulence(400, GRID, 1, dtype=torch.float64)
    energy = mean_energy(flow)
    for moved in (energy.flip(0), energy.flip(1), energy.rot90(2)):
        assert asymmetry(energy, moved) < 0.06
    for moved in (energy.rot90(1), energy.T):
        assert asymmetry(energy, moved) > 0.8
    variance = flow.square().mean(dim=(0, 2, 3))
    assert variance[1] > 3 * variance[0]
    assert abs(float((flow[:, 0] * flow[:, 1]).mean())) < 0.02


def test_anisotropy_outlives_the_usual_trajectory() -> None:
    """Over ten steps of 0.05 the eddies only slowly forget the axis they were stretched along."""
    state = anisotropic_turbulence(8, (48, 48), 1)
    solver = NavierStokes2d(2e-3)
    axis = torch.arange(-23, 24)
    along = axis[:, None].abs() > axis[None, :].abs()
    fractions = []
    for _ in range(10):
        state = solver.advance(state, 0.05)
        energy = mean_energy(state)
        fractions.append(float(energy[along].sum()))
    assert min(fractions[:5]) > 0.85
    assert min(fractions) > 0.5


def test_other_domains_keep_the_physical_band() -> None:
    flow = isotropic_turbulence(300, (32, 64), 0, lengths=(1.0, 2.0), dtype=torch.float64)
    solver = NavierStokes2d(1e-3, lengths=(1.0, 2.0))
    torch.testing.assert_close(solver.project(flow), flow, atol=1e-13, rtol=0)
    variance = flow.square().mean(dim=(0, 2, 3))
    assert abs(float(variance[0] / variance[1]) - 1) < 0.1


def test_refuses_what_cannot_be_drawn() -> None:
    with pytest.raises(InputError, match="at least 27×27"):
        isotropic_turbulence(1, (24, 24), 0)
    isotropic_turbulence(1, (27, 27), 0)
    with pytest.raises(InputError, match="peak"):
        isotropic_turbulence(1, GRID, 0, peak=0.5)
    with pytest.raises(InputError, match="elongation"):
        anisotropic_turbulence(1, GRID, 0, elongation=0.0)
