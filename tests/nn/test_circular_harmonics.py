"""Circular harmonics on a grid: how they turn, their scale, and that they do not alias."""

from math import pi, sqrt

import pytest
import torch

from goldstone.core import InputError
from goldstone.groups import DihedralGroup
from goldstone.nn.circular_harmonics import CircularHarmonics, harmonic_action


def harmonics(points, frequency):
    phase = frequency * torch.atan2(points[..., 1], points[..., 0])
    return torch.stack((phase.cos(), phase.sin()), -1)


@pytest.mark.parametrize("frequency", [1, 2, 3, 5])
def test_the_action_turns_the_harmonics(frequency):
    group = DihedralGroup(7)
    matrices = group.matrices(group.element_tensor())
    points = torch.randn(9, 2, dtype=torch.float64, generator=torch.manual_seed(0))
    moved = harmonics(torch.einsum("gij,pj->gpi", matrices, points), frequency)
    expected = torch.einsum(
        "gab,pb->gpa", harmonic_action(matrices, frequency), harmonics(points, frequency)
    )
    torch.testing.assert_close(moved, expected)


def test_cutoffs_by_ring():
    assert CircularHarmonics(1).cutoffs == ((0.0, 0),)
    assert CircularHarmonics(2).cutoffs == ((0.5, 1),)
    assert CircularHarmonics(3).cutoffs == ((0.0, 0), (1.0, 2))
    assert CircularHarmonics(4).cutoffs == ((0.5, 1), (1.5, 2))
    assert CircularHarmonics(5).cutoffs == ((0.0, 0), (1.0, 2), (2.0, 3))
    assert CircularHarmonics(5, 1).cutoffs == ((0.0, 0), (1.0, 1), (2.0, 1))
    with pytest.raises(InputError, match="max_frequency of 0 or more, got -1"):
        CircularHarmonics(3, -1)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7])
def test_filters_are_orthonormal_in_the_mean_over_rotations(size):
    angle = 2 * pi * torch.arange(64, dtype=torch.float64) / 64
    c, s = angle.cos(), angle.sin()
    rotations = torch.stack((torch.stack((c, -s), -1), torch.stack((s, c), -1)), -2)
    turned = CircularHarmonics(size).turned(rotations).flatten(2)
    gram = (turned @ turned.mT).mean(0)
    torch.testing.assert_close(gram, torch.eye(len(gram), dtype=torch.float64))


def aliased_part(kernel, frequency):
    """The part of a kernel's response to waves of up to π/2 per tap that turns otherwise.

    To the wave of direction φ a kernel R(|p|) e^{ifφ} of the plane responds with ∝ e^{ifφ}.
    """
    size = kernel.shape[-1]
    axis = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    x, y = torch.meshgrid(axis, axis, indexing="ij")
    angle = 2 * pi * torch.arange(64, dtype=torch.float64) / 64
    whole = right = 0.0
    for wave in torch.linspace(0.1, pi / 2, 8, dtype=torch.float64):
        phase = wave * (angle.cos()[:, None, None] * x + angle.sin()[:, None, None] * y)
        response = (kernel * torch.exp(1j * phase)).sum((1, 2))
        power = torch.fft.fft(response).abs().square()
        whole, right = whole + float(power.sum()), right + float(power[frequency])
    return sqrt(max(0.0, 1 - right / whole))


@pytest.mark.parametrize("size", [3, 4, 5])
def test_kept_frequencies_hardly_alias(size):
    filters = CircularHarmonics(size)
    for f in filters.frequencies:
        angular = filters.angular(f)
        wave = torch.complex(angular[0], angular[1]) if f else angular[0].to(torch.complex128)
        for ring in filters.rings(f):
            assert aliased_part(ring * wave, f) < 0.17
    # Higher frequencies would.
    f = filters.frequencies[-1] + 2
    axis = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    x, y = torch.meshgrid(axis, axis, indexing="ij")
    ring = torch.exp(-(((torch.hypot(x, y) - axis[-1]) / 0.6) ** 2) / 2)
    assert aliased_part(ring * torch.exp(1j * f * torch.atan2(y, x)), f) > 0.35


@pytest.mark.parametrize("size", [3, 4, 5, 7])
def test_the_lowest_aliased_moment_is_zero(size):
    """To f the lattice adds f ± 4: a field ∝ |p|^q e^{i(4−f)φ} must get no response."""
    axis = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    x, y = torch.meshgrid(axis, axis, indexing="ij")
    filters = CircularHarmonics(size)
    for f in filters.frequencies:
        moment = torch.hypot(x, y) ** abs(f - 4) * torch.cos(4 * torch.atan2(y, x))
        response = torch.einsum("jxy,xy->j", filters.rings(f), moment)
        torch.testing.assert_close(response, torch.zeros_like(response))
