"""The logarithm and the φ functions of matrices, against scipy and power series."""

from math import factorial, log

import pytest
import scipy.linalg
import torch
from hypothesis import given
from hypothesis import strategies as st

from goldstone.core import generator
from goldstone.groups.matrix.logarithm import (
    NEAR,
    matrix_logarithm,
    matrix_square_root,
    off_the_cut,
    phi_functions,
)


def random(seed, *shape, complex_numbers=False):
    dtype = torch.complex128 if complex_numbers else torch.float64
    return torch.randn(shape, generator=generator(seed, "matrix"), dtype=dtype)


@given(seed=st.integers(0, 2**20), n=st.integers(1, 6), size=st.floats(0, 2), both=st.booleans())
def test_logarithm_against_scipy(seed, n, size, both):
    x = random(seed, n, n, complex_numbers=both)
    a = torch.matrix_exp(size * x / torch.linalg.matrix_norm(x))
    assert off_the_cut(a, 1e-6)
    expected = torch.as_tensor(scipy.linalg.logm(a.numpy()))
    torch.testing.assert_close(matrix_logarithm(a).to(expected.dtype), expected, rtol=0, atol=1e-12)


@given(seed=st.integers(0, 2**20), n=st.integers(1, 6), size=st.floats(0, 3))
def test_exponential_of_the_logarithm(seed, n, size):
    a = torch.matrix_exp(size * random(seed, n, n) / n)
    if off_the_cut(a, 1e-2):
        back = torch.as_tensor(scipy.linalg.expm(matrix_logarithm(a).numpy()))
        condition = float(torch.linalg.cond(a))
        torch.testing.assert_close(back, a, rtol=0, atol=1e-13 * condition * float(a.norm()))


def test_batches_of_different_sizes_are_scaled_each_for_itself():
    x = random(0, 5, 3, 3) * torch.tensor([0.0, 1e-9, 1e-3, 0.5, 1.5]).double()[:, None, None] / 3
    a = torch.matrix_exp(x)
    for together, alone in zip(matrix_logarithm(a), a, strict=True):
        torch.testing.assert_close(together, matrix_logarithm(alone), rtol=0, atol=1e-15)


def test_the_approximant_is_exact_to_rounding_where_it_is_used():
    # The error for matrices is at most that for the number −‖X‖: Kenney and Laub (1989).
    x = torch.tensor([[[-NEAR]], [[-0.3]], [[0.2]], [[NEAR]]], dtype=torch.float64)
    torch.testing.assert_close(matrix_logarithm(1 + x), torch.log1p(x), rtol=1e-15, atol=0)


def test_defective_matrices():
    a = torch.tensor([[2.0, 1.0, 0.0], [0.0, 2.0, 1.0], [0.0, 0.0, 2.0]]).double()
    expected = torch.tensor([[0.0, 0.5, -0.125], [0.0, 0.0, 0.5], [0.0, 0.0, 0.0]]).double()
    expected += log(2) * torch.eye(3).double()
    torch.testing.assert_close(matrix_logarithm(a), expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("gap", [1e-1, 1e-3, 1e-5])
def test_accuracy_near_the_cut(gap):
    angle = torch.tensor(torch.pi - gap, dtype=torch.float64)
    rotation = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()]).view(2, 2)
    found = matrix_logarithm(rotation)
    assert abs(float(found[1, 0] - angle)) <= 1e-15 / gap * 10
    assert off_the_cut(rotation, 1e-6)
    assert not off_the_cut(rotation, 2 * gap)


def test_square_root():
    a = torch.matrix_exp(random(3, 4, 3, 3) / 2)
    root = matrix_square_root(a)
    torch.testing.assert_close(root @ root, a, rtol=0, atol=1e-13)
    # The principal one: eigenvalues in the right half plane.
    assert (torch.linalg.eigvals(root).real > 0).all()


@pytest.mark.parametrize(
    ("matrix", "inside"),
    [
        ([[1.0, 0.0], [0.0, 1.0]], True),
        ([[0.0, -1.0], [1.0, 0.0]], True),
        ([[-1.0, 0.0], [0.0, -1.0]], False),
        ([[-2.0, 0.0], [0.0, 3.0]], False),
        ([[1.0, 0.0], [0.0, 0.0]], False),
    ],
)
def test_domain(matrix, inside):
    assert bool(off_the_cut(torch.tensor(matrix), 1e-6)) is inside


@pytest.mark.parametrize("size", [0.0, 1e-6, 1.0])
def test_phi_functions_against_their_series(size):
    x = size * random(1, 2, 3, 3)
    for k, phi in enumerate(phi_functions(x, 3)):
        term, series = torch.eye(3).double().expand(2, 3, 3), torch.zeros(2, 3, 3).double()
        for j in range(30):
            series = series + term / float(factorial(j + k))
            term = term @ x
        torch.testing.assert_close(phi, series, rtol=1e-13, atol=1e-13)


def test_derivatives():
    a = torch.matrix_exp(random(5, 3, 3) / 2).requires_grad_()
    assert torch.autograd.gradcheck(matrix_logarithm, a)
    assert torch.autograd.gradcheck(matrix_square_root, a)
    assert torch.autograd.gradgradcheck(matrix_logarithm, torch.eye(2).double().requires_grad_())
