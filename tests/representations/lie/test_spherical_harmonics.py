"""Spherical harmonics, against scipy's, their integrals and the Wigner matrices."""

from math import pi, sqrt
from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import gammaln, lpmv

from goldstone.core import InputError
from goldstone.groups import OrthogonalGroup
from goldstone.representations import solid_harmonics, spherical_harmonics, wigner_matrices
from goldstone.representations.lie.wigner import Normalisation

SEEDS = st.integers(0, 2**31)


def directions(count: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, 3, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("degree", [0, 1, 2, 3, 7, 20, 30])
def test_harmonics_by_associated_legendre_functions(degree: int) -> None:
    vectors = directions(60)
    x, y, z = (vectors / vectors.norm(dim=-1, keepdim=True)).numpy().T
    azimuth = np.arctan2(y, x)
    found = spherical_harmonics(degree, vectors).numpy()
    for m in range(-degree, degree + 1):
        k = abs(m)
        ratio = np.exp(gammaln(degree - k + 1) - gammaln(degree + k + 1))
        scale = sqrt((2 * degree + 1) / (4 * pi) * ratio * (2 if m else 1))
        legendre = (-1) ** k * lpmv(k, degree, z)  # scipy's has the Condon–Shortley phase
        expected = scale * legendre * (np.sin(k * azimuth) if m < 0 else np.cos(k * azimuth))
        assert np.abs(found[:, degree + m] - expected).max() < 1e-12 * max(1, degree)


def test_low_degrees_in_closed_form() -> None:
    vectors = directions(10)
    x, y, z = vectors.T
    first = sqrt(3 / (4 * pi)) * torch.stack((y, z, x), -1)
    assert (solid_harmonics(1, vectors) - first).abs().max() < 1e-14
    square = vectors.square().sum(-1)
    second = sqrt(15 / (4 * pi)) * torch.stack(
        (x * y, y * z, (3 * z * z - square) / (2 * sqrt(3)), x * z, (x * x - y * y) / 2), -1
    )
    assert (solid_harmonics(2, vectors) - second).abs().max() < 1e-13


@given(SEEDS, st.sampled_from([1, 2, 5, 20]))
def test_harmonics_turn_with_the_wigner_matrices(seed: int, degree: int) -> None:
    rotation = OrthogonalGroup(3).sample(torch.Generator().manual_seed(seed))
    vectors = directions(5, seed)
    *_, wigner = wigner_matrices(degree, rotation)
    turned = spherical_harmonics(degree, vectors @ rotation.T)
    assert (turned - spherical_harmonics(degree, vectors) @ wigner.T).abs().max() < 1e-12


def test_harmonics_are_orthonormal_on_the_sphere() -> None:
    # Exact quadrature: Gauss–Legendre in z, equal angles about it.
    top = 9
    nodes, weights = np.polynomial.legendre.leggauss(top + 1)
    angles = 2 * pi * np.arange(2 * top + 2) / (2 * top + 2)
    radius = np.sqrt(1 - nodes**2)[:, None]
    grid = np.stack(
        (
            radius * np.cos(angles),
            radius * np.sin(angles),
            np.broadcast_to(nodes[:, None], (len(nodes), len(angles))),
        ),
        -1,
    ).reshape(-1, 3)
    area = np.repeat(weights, len(angles)) * 2 * pi / len(angles)
    values = spherical_harmonics(range(top + 1), torch.from_numpy(grid)).numpy()
    assert np.abs((values * area[:, None]).T @ values - np.eye((top + 1) ** 2)).max() < 1e-12


@pytest.mark.parametrize("degree", [0, 1, 4, 20])
def test_normalisations(degree: int) -> None:
    vectors = directions(7)
    sizes = {
        name: spherical_harmonics(degree, vectors, name).square().sum(-1)
        for name in get_args(Normalisation)
    }
    assert torch.allclose(sizes["unit"], torch.ones(7, dtype=torch.float64))
    assert torch.allclose(sizes["component"], torch.full((7,), 2.0 * degree + 1).double())
    assert torch.allclose(sizes["orthonormal"], sizes["component"] / (4 * pi))


def test_length_does_not_matter_and_zero_has_no_direction() -> None:
    vectors = directions(6)
    found = spherical_harmonics((1, 3), vectors)
    for scale in (1e-200, 1e200):
        assert (spherical_harmonics((1, 3), vectors * scale) - found).abs().max() < 1e-14
    zero = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    nothing = spherical_harmonics((0, 1, 2), zero)
    assert nothing[0].item() == pytest.approx(1 / sqrt(4 * pi))
    assert not nothing[1:].any()
    (gradient,) = torch.autograd.grad(nothing.sum(), zero)
    assert not gradient.any()


def test_solid_harmonics_are_homogeneous_and_harmonic() -> None:
    vectors = directions(4)
    degree = 4
    scaled = solid_harmonics(degree, 2 * vectors)
    assert torch.allclose(scaled, 2**degree * solid_harmonics(degree, vectors), rtol=1e-13)
    for vector in vectors:
        hessian = torch.func.hessian(lambda v: solid_harmonics(degree, v))(vector)
        assert hessian.diagonal(dim1=-2, dim2=-1).sum(-1).abs().max() < 1e-11


def test_derivatives() -> None:
    for vectors in (directions(3), torch.tensor([[0.0, 0, 1], [0, 0, -2], [1, 0, 0]]).double()):
        free = vectors.requires_grad_()
        assert torch.autograd.gradcheck(lambda v: spherical_harmonics((1, 2, 5), v), (free,))
        assert torch.autograd.gradgradcheck(lambda v: spherical_harmonics(3, v), (free,))
    origin = torch.zeros(2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda v: solid_harmonics((0, 1, 2), v), (origin,))


def test_several_degrees_are_concatenated_in_the_order_given() -> None:
    vectors = directions(4).float().reshape(2, 2, 3)
    found = spherical_harmonics((2, 0), vectors)
    assert found.dtype is torch.float32
    assert found.shape == (2, 2, 6)
    assert torch.equal(found[..., :5], spherical_harmonics(2, vectors))


def test_bad_input_is_named() -> None:
    with pytest.raises(InputError, match=r"\(\*batch, 3\)"):
        spherical_harmonics(1, torch.zeros(2))
    with pytest.raises(InputError, match="degrees l ≥ 0"):
        spherical_harmonics((1, -1), torch.zeros(3))
    with pytest.raises(InputError, match="degrees l ≥ 0"):
        spherical_harmonics((), torch.zeros(3))
    with pytest.raises(InputError, match="orthonormal, component or unit"):
        spherical_harmonics(1, torch.zeros(3), "norm")  # type: ignore[arg-type]
