"""Couplings of angular momenta, against sympy's and e3nn's numbers and the algebra."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from goldstone.representations.lie.angular_momentum import (
    angular_momentum,
    coupling,
    real_basis,
    real_coupling,
)

GOLDEN = json.loads(
    (Path(__file__).parents[2] / "golden" / "clebsch_gordan_so3.json").read_text("utf-8")
)


@pytest.mark.parametrize("twice", range(8))
def test_angular_momentum_satisfies_its_algebra(twice: int) -> None:
    x, y, z = angular_momentum(twice)
    assert np.allclose(x @ y - y @ x, 1j * z, atol=1e-13)
    assert np.allclose(y @ z - z @ y, 1j * x, atol=1e-13)
    j = twice / 2
    assert np.allclose(x @ x + y @ y + z @ z, j * (j + 1) * np.eye(twice + 1), atol=1e-12)
    assert np.array_equal(z.diagonal().real, j - np.arange(twice + 1))


def test_couplings_are_those_of_condon_and_shortley() -> None:
    for case in GOLDEN["clebsch_gordan"]:
        a, b, c = case["twice_j"]
        expected = np.zeros((a + 1, b + 1, c + 1))
        for m_a, m_b, value, _ in case["entries"]:
            expected[(a - m_a) // 2, (b - m_b) // 2, (c - m_a - m_b) // 2] = value
        assert np.abs(coupling(a, b, c) - expected).max() < 1e-15


def test_real_couplings_are_those_of_e3nn_up_to_sign() -> None:
    for case in GOLDEN["wigner_3j"]:
        found = real_coupling(*case["l"])
        expected = np.zeros_like(found)
        for i, j, k, value in case["entries"]:
            expected[i, j, k] = value
        cosine = (found * expected).sum() / np.linalg.norm(found)
        assert abs(abs(cosine) - 1) < 1e-12


@pytest.mark.parametrize(("a", "b"), [(3, 4), (6, 6), (40, 1), (20, 40), (40, 40)])
def test_couplings_are_an_orthogonal_change_of_basis(a: int, b: int) -> None:
    parts = [coupling(a, b, c).reshape(-1, c + 1) for c in range(abs(a - b), a + b + 1, 2)]
    whole = np.concatenate(parts, 1)
    assert np.abs(whole.T @ whole - np.eye((a + 1) * (b + 1))).max() < 1e-13


def test_couplings_outside_the_triangle_vanish() -> None:
    assert not coupling(2, 2, 6).any()
    assert not coupling(2, 2, 3).any()
    assert not coupling(4, 1, 1).any()


@pytest.mark.parametrize(("a", "b", "c"), [(1, 1, 1), (1, 2, 2), (2, 3, 4), (3, 3, 3)])
def test_real_couplings_commute_with_the_rotations(a: int, b: int, c: int) -> None:
    def generators(degree: int) -> np.ndarray:
        u = real_basis(degree)
        found = u.conj() @ (-1j * angular_momentum(2 * degree)) @ u.T
        assert np.abs(found.imag).max() < 1e-13
        return found.real

    products = real_coupling(a, b, c)
    for on_a, on_b, on_c in zip(generators(a), generators(b), generators(c), strict=True):
        before = np.einsum("ijk,ix,jy->xyk", products, on_a, np.eye(2 * b + 1))
        before += np.einsum("ijk,ix,jy->xyk", products, np.eye(2 * a + 1), on_b)
        after = np.einsum("xyl,kl->xyk", products, on_c)
        assert np.abs(before - after).max() < 1e-13


def test_real_couplings_lose_nothing_as_real_numbers() -> None:
    for a, b, c in product(range(4), repeat=3):
        if abs(a - b) <= c <= a + b:
            assert abs(np.linalg.norm(real_coupling(a, b, c)) ** 2 - (2 * c + 1)) < 1e-12
