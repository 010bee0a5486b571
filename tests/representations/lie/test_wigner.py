"""Wigner matrices, against e3nn's, closed forms and the laws of a representation."""

import json
from math import cos, pi, sin, sqrt
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from goldstone.core import InputError
from goldstone.groups import OrthogonalGroup, SpecialOrthogonalGroup
from goldstone.representations import wigner_matrices

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "wigner_d.json").read_text("utf-8"))
# The axes of the golden file are named y, z, x where ours are x, y, z.
TO_GOLDEN = torch.tensor([[0.0, 1, 0], [0, 0, 1], [1, 0, 0]], dtype=torch.float64)
SEEDS = st.integers(0, 2**31)


def about(axis: int, angle: float | Tensor) -> Tensor:
    turn = torch.zeros(3, dtype=torch.float64)
    turn[axis] = 1.0
    return SpecialOrthogonalGroup(3).exp(turn * angle)


def last(degree: int, rotations: Tensor) -> Tensor:
    return list(wigner_matrices(degree, rotations))[-1]


@pytest.mark.parametrize("case", GOLDEN["wigner_d"])
def test_matrices_are_those_of_e3nn(case: dict) -> None:
    rotation = torch.tensor(case["rotation"], dtype=torch.float64)
    for degree, found in enumerate(wigner_matrices(4, TO_GOLDEN.T @ rotation @ TO_GOLDEN)):
        expected = torch.tensor(case["D"][str(degree)], dtype=torch.float64)
        assert (found - expected).abs().max() < 1e-13


def test_degree_one_is_the_vector_with_axes_in_the_order_yzx() -> None:
    rotation = SpecialOrthogonalGroup(3).sample(torch.Generator().manual_seed(1))
    order = [1, 2, 0]
    assert torch.equal(last(1, rotation), rotation[order][:, order])


def test_degree_two_turns_symmetric_traceless_tensors() -> None:
    # xy, yz, (3z² − r²)/2√3, xz, (x² − y²)/2 in terms of the matrix of a quadratic form.
    root = sqrt(3)
    basis = torch.zeros(5, 3, 3, dtype=torch.float64)
    for n, (i, j) in {0: (0, 1), 1: (1, 2), 3: (0, 2)}.items():
        basis[n, i, j] = basis[n, j, i] = 0.5
    basis[2] = torch.diag(torch.tensor([-1.0, -1.0, 2.0]).double()) / (2 * root)
    basis[4] = torch.diag(torch.tensor([1.0, -1.0, 0.0])) / 2
    rotation = SpecialOrthogonalGroup(3).sample(torch.Generator().manual_seed(2))
    turned = rotation @ basis @ rotation.T
    expected = torch.einsum("mij,nij->mn", basis, turned) * 2
    assert (last(2, rotation) - expected).abs().max() < 1e-14


@given(SEEDS)
def test_products_of_rotations_become_products(seed: int) -> None:
    a, b = SpecialOrthogonalGroup(3).sample(torch.Generator().manual_seed(seed), (2,))
    pairs = zip(wigner_matrices(8, a), wigner_matrices(8, b), strict=True)
    for product, (of_a, of_b) in zip(wigner_matrices(8, a @ b), pairs, strict=True):
        assert (product - of_a @ of_b).abs().max() < 1e-13


@pytest.mark.parametrize("degree", [20, 30, 40])
def test_high_degrees_stay_orthogonal_and_multiplicative(degree: int) -> None:
    rotations = SpecialOrthogonalGroup(3).sample(torch.Generator().manual_seed(3), (8,))
    found = last(degree, rotations)
    one = torch.eye(2 * degree + 1, dtype=torch.float64)
    assert (found @ found.mT - one).abs().max() < 1e-12
    product = last(degree, rotations[:4] @ rotations[4:])
    assert (product - found[:4] @ found[4:]).abs().max() < 1e-12


@pytest.mark.parametrize("case", GOLDEN["characters"], ids=lambda case: f"{case['angle']:.3g}")
def test_traces_are_the_characters(case: dict) -> None:
    axis = torch.tensor([0.36, -0.48, 0.8], dtype=torch.float64)
    rotation = SpecialOrthogonalGroup(3).exp(axis * case["angle"])
    matrices = wigner_matrices(len(case["characters"]) - 1, rotation)
    for found, expected in zip(matrices, case["characters"], strict=True):
        assert abs(float(found.trace()) - expected) < 1e-11


@pytest.mark.parametrize("degree", [1, 5, 20])
def test_turns_about_z_rotate_pairs_of_components(degree: int) -> None:
    angle = 0.7
    found = last(degree, about(2, angle))
    expected = torch.zeros_like(found)
    for m in range(-degree, degree + 1):
        expected[degree + m, degree + m] = cos(m * angle)
        if m:
            expected[degree + m, degree - m] = -sin(m * angle)
    assert (found - expected).abs().max() < 1e-13


@given(SEEDS, st.integers(0, 6))
def test_inversion_has_parity_of_the_degree(seed: int, degree: int) -> None:
    element = OrthogonalGroup(3).sample(torch.Generator().manual_seed(seed))
    difference = last(degree, -element) - (-1) ** degree * last(degree, element)
    assert difference.abs().max() < 1e-14


def test_derivatives_exist_at_the_poles_and_at_half_turns() -> None:
    for rotation in (torch.eye(3, dtype=torch.float64), about(1, pi), about(2, pi), about(0, pi)):
        free = rotation.clone().requires_grad_()
        assert torch.autograd.gradcheck(lambda r: last(3, r), (free,))
        assert torch.autograd.gradgradcheck(lambda r: last(2, r), (free,))


def test_float32_in_float32_out() -> None:
    rotations = SpecialOrthogonalGroup(3).sample(torch.Generator().manual_seed(4), (2, 5))
    found = last(6, rotations.float())
    assert found.dtype is torch.float32
    assert found.shape == (2, 5, 13, 13)
    assert (found.double() - last(6, rotations)).abs().max() < 1e-5


def test_bad_input_is_named() -> None:
    with pytest.raises(InputError, match="degree l ≥ 0"):
        wigner_matrices(-1, torch.eye(3))
    with pytest.raises(InputError, match=r"\(\*batch, 3, 3\)"):
        wigner_matrices(1, torch.eye(2))
    with pytest.raises(InputError, match="int64"):
        wigner_matrices(1, torch.eye(3, dtype=torch.int64))
