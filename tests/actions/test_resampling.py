"""Resampling against scipy's splines, torch's bilinear sampling, explicit sums and differences."""

from math import pi

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from goldstone.actions import fourier_shift, resample, translate
from goldstone.core import InputError

SPLINES = [("reflect", "mirror"), ("periodic", "grid-wrap")]
ALL = [
    ("spline", "zero"),
    ("spline", "reflect"),
    ("spline", "periodic"),
    ("fourier", "periodic"),
    ("bilinear", "zero"),
    ("bilinear", "reflect"),
    ("bilinear", "periodic"),
]


def noise(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def affine(d, seed=1, size=0.3):
    matrix = torch.eye(d, dtype=torch.float64) + size * noise(d, d, seed=seed)
    return matrix, noise(d, seed=seed + 1)


def by_scipy(x, matrix, offset, order, boundary):
    """scipy counts from the first grid point, so the centre moves into the offset."""
    centre = (np.array(x.shape) - 1) / 2
    shift = centre - matrix @ centre + offset
    return ndimage.affine_transform(x, matrix, shift, order=order, mode=boundary)


@pytest.mark.parametrize(("ours", "theirs"), SPLINES)
@pytest.mark.parametrize("shape", [(9,), (8, 11), (5, 6, 7)])
def test_splines_against_scipy(ours, theirs, shape):
    x = noise(*shape)
    matrix, offset = affine(len(shape))
    expected = by_scipy(x.numpy(), matrix.numpy(), offset.numpy(), 3, theirs)
    found = resample(x[None, None], matrix, offset, "spline", ours)[0, 0]
    torch.testing.assert_close(found, torch.from_numpy(expected), rtol=0, atol=1e-12)


def test_a_zero_boundary_is_a_field_of_zeros_around():
    x = noise(8, 11)
    matrix, offset = affine(2)
    wide = torch.nn.functional.pad(x, (40,) * 4)
    expected = by_scipy(wide.numpy(), matrix.numpy(), offset.numpy(), 3, "mirror")
    found = resample(x[None, None], matrix, offset, "spline", "zero")[0, 0]
    expected = torch.from_numpy(expected[40:-40, 40:-40].copy())
    # Spline coefficients are cut off 16 cells outside, where they are 1e-9 of the edge's.
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-8)
    far = resample(x[None, None], matrix, offset + 100.0, "spline", "zero")
    assert not far.any()


@pytest.mark.parametrize(("ours", "theirs"), [("zero", "zeros"), ("reflect", "reflection")])
def test_bilinear_against_torch(ours, theirs):
    x = noise(2, 3, 8, 11)
    matrix, offset = affine(2)
    # torch counts the second axis first, from −1 to 1 between the outermost grid points.
    half = (torch.tensor(x.shape[-2:], dtype=torch.float64) - 1) / 2
    theta = torch.cat((matrix * half[None] / half[:, None], (offset / half)[:, None]), 1)
    theta = torch.stack((theta[1, [1, 0, 2]], theta[0, [1, 0, 2]]))
    grid = torch.nn.functional.affine_grid(theta.expand(2, -1, -1), x.shape, align_corners=True)
    expected = torch.nn.functional.grid_sample(
        x, grid, mode="bilinear", padding_mode=theirs, align_corners=True
    )
    found = resample(x, matrix, offset, "bilinear", ours)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("shape", [(7,), (8,), (5, 6), (4, 7), (3, 4, 5)])
def test_fourier_against_explicit_sums(shape):
    """Σ_k c_k e^{2πi k·q}, the Nyquist modes split evenly between ±N/2, mode by mode."""
    x = noise(*shape)
    matrix, offset = affine(len(shape))
    spectrum = np.fft.fftn(x.numpy(), norm="forward")
    centre = (np.array(shape) - 1) / 2
    expected = np.zeros(shape)
    for place in np.ndindex(*shape):
        q = matrix.numpy() @ (np.array(place) - centre) + offset.numpy() + centre
        total = 0.0
        for k in np.ndindex(*shape):
            wave = spectrum[k]
            for axis, n in enumerate(shape):
                if 2 * k[axis] == n:
                    wave = wave * np.cos(pi * q[axis])
                else:
                    mode = k[axis] if 2 * k[axis] < n else k[axis] - n
                    wave = wave * np.exp(2j * pi * mode * q[axis] / n)
            total += wave
        expected[place] = total.real
    found = resample(x[None, None], matrix, offset, "fourier", "periodic")[0, 0]
    torch.testing.assert_close(found, torch.from_numpy(expected), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("mode", "boundary"), ALL)
@pytest.mark.parametrize("shape", [(8,), (1, 5), (2, 7), (4, 5, 3)])
def test_the_identity_changes_nothing(mode, boundary, shape):
    x = noise(2, 3, *shape)
    d = len(shape)
    one, zero = torch.eye(d, dtype=torch.float64), torch.zeros(d, dtype=torch.float64)
    torch.testing.assert_close(resample(x, one, zero, mode, boundary), x, rtol=0, atol=1e-13)


@pytest.mark.parametrize(("mode", "boundary"), [c for c in ALL if c[0] != "bilinear"])
@pytest.mark.parametrize("d", [1, 2, 3])
def test_derivatives_converge_on_noise(mode, boundary, d):
    """Central differences of second order, at the identity, for every entry of M and b."""
    x = noise(1, 2, *(6, 7, 5)[:d])

    def moved(t):
        eye = torch.eye(d, dtype=torch.float64)
        return resample(x, eye + t[: d * d].reshape(d, d), t[d * d :], mode, boundary)

    zero, v = torch.zeros(d * d + d, dtype=torch.float64), noise(d * d + d)
    _, forward = torch.func.jvp(moved, (zero,), (v,))
    errors = []
    for h in (1e-3, 5e-4):
        difference = (moved(h * v) - moved(-h * v)) / (2 * h)
        errors.append(float((difference - forward).norm() / forward.norm()))
    assert errors[1] < 2e-4
    assert errors[1] < 0.3 * errors[0]
    weights = noise(*x.shape, seed=5)
    _, backward = torch.func.vjp(lambda t: (moved(t) * weights).sum(), zero)
    gradient = backward(torch.ones((), dtype=torch.float64))[0]
    torch.testing.assert_close(gradient @ v, (forward * weights).sum())


def test_bilinear_has_a_kink_at_the_grid_points():
    x = noise(1, 1, 16)
    one = torch.ones(1, 1, dtype=torch.float64)

    def moved(b):
        return resample(x, one, b, "bilinear", "periodic")

    zero, unit = torch.zeros(1, dtype=torch.float64), torch.ones(1, dtype=torch.float64)
    _, derivative = torch.func.jvp(moved, (zero,), (unit,))
    torch.testing.assert_close(derivative, x.roll(-1, -1) - x)
    h = 1e-6
    torch.testing.assert_close((moved(zero + h) - moved(zero)) / h, derivative)
    two_sided = (moved(zero + h) - moved(zero - h)) / (2 * h)
    torch.testing.assert_close(two_sided, (x.roll(-1, -1) - x.roll(1, -1)) / 2)
    assert float((two_sided - derivative).norm() / derivative.norm()) > 0.3


def test_order_of_accuracy():
    """A wave resolved twice as well: splines gain 2⁴, bilinear 2²; Fourier is exact."""

    def error(mode, n):
        i = torch.arange(n, dtype=torch.float64)
        a = 0.37
        wave = torch.cos(2 * pi * 2 * i / n + 0.3)[None, None]
        exact = torch.cos(2 * pi * 2 * (i - a) / n + 0.3)[None, None]
        found = translate(wave, torch.tensor([a], dtype=torch.float64), mode, "periodic")
        return float((found - exact).abs().max())

    assert 10 < error("spline", 32) / error("spline", 64) < 25
    assert 3 < error("bilinear", 32) / error("bilinear", 64) < 5
    assert error("fourier", 16) < 1e-14


@given(st.integers(1, 8), st.integers(1, 9), st.floats(-9, 9), st.floats(-9, 9))
def test_fourier_translations_agree_with_the_general_way(nx, ny, a, b):
    x, shift = noise(2, 2, nx, ny), torch.tensor([a, b], dtype=torch.float64)
    one = torch.eye(2, dtype=torch.float64)
    fast = translate(x, shift, "fourier", "periodic")
    torch.testing.assert_close(fast, resample(x, one, -shift, "fourier", "periodic"))
    torch.testing.assert_close(fast, fourier_shift(x, (a, b)))


@pytest.mark.parametrize(("mode", "boundary"), ALL)
@pytest.mark.parametrize(
    ("dtype", "tolerance"),
    [
        (torch.float16, 5e-3),
        (torch.bfloat16, 4e-2),
        (torch.float32, 1e-5),
        (torch.complex64, 1e-5),
        (torch.complex128, 1e-12),
    ],
)
def test_dtypes(mode, boundary, dtype, tolerance):
    x = noise(1, 2, 6, 5, dtype=torch.complex128)
    x = x if dtype.is_complex else x.real
    matrix, offset = affine(2)
    moved = resample(x.to(dtype), matrix, offset, mode, boundary)
    assert moved.dtype == dtype
    if dtype.is_complex:
        parts = [resample(p.clone(), matrix, offset, mode, boundary) for p in (x.real, x.imag)]
        expected = torch.complex(*parts)
    else:
        expected = resample(x, matrix, offset, mode, boundary)
    exact = torch.complex128 if dtype.is_complex else torch.float64
    torch.testing.assert_close(moved.to(exact), expected, rtol=tolerance, atol=tolerance)


def test_errors():
    x, one, zero = noise(1, 1, 4, 4), torch.eye(2), torch.zeros(2)
    with pytest.raises(InputError, match="unknown resampling mode 'nearest'"):
        resample(x, one, zero, "nearest", "zero")
    with pytest.raises(InputError, match="unknown boundary 'wrap'"):
        resample(x, one, zero, "spline", "wrap")
    with pytest.raises(InputError, match="'fourier' is for periodic fields, got boundary 'zero'"):
        resample(x, one, zero, "fourier", "zero")
    with pytest.raises(InputError, match=r"d×d matrix .* \(1, 1, 4, 4\), \(3, 3\)"):
        resample(x, torch.eye(3), zero, "spline", "zero")
