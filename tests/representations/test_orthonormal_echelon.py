"""The echelon basis against plain Gram–Schmidt on the projector's rows, one at a time."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from goldstone.core import InputError
from goldstone.representations import image_basis, orthonormal_echelon


def random_rows(k, n, seed, dtype=torch.float64):
    z = torch.randn(n, k, dtype=dtype, generator=torch.manual_seed(seed))
    return torch.linalg.qr(z).Q.mT


def one_at_a_time(projector):
    found = []
    for i in range(len(projector)):
        rest = projector[:, i].clone()
        for known in found * 2:
            rest = rest - (known.conj() @ rest) * known
        if rest.norm() > 1e-6:
            found.append(rest / rest.norm())
    return torch.stack(found)


def projector_of(rows):
    return rows.mT @ rows.conj()


spaces = st.tuples(
    st.integers(1, 6), st.integers(0, 300), st.integers(0, 9), st.sampled_from(["real", "complex"])
)


@settings(max_examples=25, deadline=None)
@given(spaces)
def test_against_gram_schmidt_on_the_projector(space):
    k, more, seed, field = space
    dtype = torch.complex128 if field == "complex" else torch.float64
    rows = random_rows(k, k + more, seed, dtype)
    expected = one_at_a_time(projector_of(rows))
    torch.testing.assert_close(orthonormal_echelon(rows), expected)
    torch.testing.assert_close(image_basis(projector_of(rows)), expected)


@settings(max_examples=25, deadline=None)
@given(spaces)
def test_any_basis_of_the_space_gives_the_same(space):
    k, more, seed, field = space
    dtype = torch.complex128 if field == "complex" else torch.float64
    rows = random_rows(k, k + more, seed, dtype)
    turned = random_rows(k, k, seed + 1, dtype) @ rows
    torch.testing.assert_close(orthonormal_echelon(turned), orthonormal_echelon(rows))


def test_dependent_rows_late_pivots_and_signs():
    # The space of (0, 0, 1, 1) and (0, 0, 0, 0, 1, −1), beyond the width of a block.
    rows = torch.zeros(2, 400, dtype=torch.float64)
    rows[0, 150] = rows[0, 300] = rows[1, 350] = -(0.5**0.5)
    rows[1, 399] = 0.5**0.5
    expected = rows * torch.tensor([[-1.0], [-1.0]])
    torch.testing.assert_close(orthonormal_echelon(rows), expected)
    torch.testing.assert_close(orthonormal_echelon(rows.flip(0)), expected)


def test_a_real_space_given_by_complex_rows():
    rows = random_rows(3, 20, 0)
    turned = random_rows(3, 3, 1, torch.complex128) @ rows.to(torch.complex128)
    found = orthonormal_echelon(turned, real=True)
    assert found.dtype is torch.float64
    torch.testing.assert_close(found, orthonormal_echelon(rows))
    with pytest.raises(InputError, match="real space"):
        orthonormal_echelon(random_rows(3, 20, 2, torch.complex128), real=True)


def test_thin_spaces_of_many_dimensions():
    # All entries are small, yet the first one leads.
    rows = torch.full((1, 2_000_000), 2e6**-0.5, dtype=torch.float64)
    torch.testing.assert_close(orthonormal_echelon(-rows), rows)


def test_the_empty_space():
    assert orthonormal_echelon(torch.zeros(0, 5, dtype=torch.float64)).shape == (0, 5)
    assert image_basis(torch.zeros(5, 5, dtype=torch.float64)).shape == (0, 5)
