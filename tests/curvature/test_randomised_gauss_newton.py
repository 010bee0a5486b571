"""Randomised Gauss–Newton: exact algebra for given rows, and its statistics in the probes."""

import pytest
import torch

from goldstone.core import InputError
from goldstone.curvature import (
    per_sample_gradients,
    probe_rows,
    randomised_gauss_newton_gram,
)


@pytest.fixture
def problem(make_model, inputs, jacobian):
    model = make_model("complex")
    rows = per_sample_gradients(model, lambda y, i: (y**3).sum(), inputs)
    j = jacobian(model, inputs[:2])
    return model, inputs[:2], rows, j.T @ j / len(j)


def dense(rows, metric, damping):
    return (
        rows
        @ torch.linalg.inv(metric + damping * torch.eye(len(metric), dtype=torch.float64))
        @ rows.T
    )


def test_equals_its_own_dense_definition(problem):
    model, reference, gradients, _ = problem
    found = randomised_gauss_newton_gram(model, reference, gradients, 0.01, probes=2, sets=3)
    s = torch.cat(list(probe_rows(model, reference, 6)))
    wanted = dense(gradients, s.T @ s, 0.01)
    torch.testing.assert_close(found.gram, wanted, rtol=1e-8, atol=1e-8)
    assert found.rows == len(s) == 12
    assert found.trace == pytest.approx(float(s.square().sum()))
    # The jackknife by its definition, on dense matrices.
    leaves = []
    for left_out in range(3):
        kept = s[torch.arange(12) % 3 != left_out] * (3 / 2) ** 0.5
        leaves.append(dense(gradients, kept.T @ kept, 0.01))
    mean = sum(leaves) / 3
    error = (2 / 3 * sum((leaf - mean) ** 2 for leaf in leaves)).sqrt()
    torch.testing.assert_close(found.standard_error, error, rtol=1e-6, atol=1e-8)
    torch.testing.assert_close(found.bias, 2 * (mean - wanted), rtol=1e-6, atol=1e-8)


def test_converges_to_gauss_newton_and_knows_its_error(problem):
    model, reference, gradients, eta = problem
    damping = float(eta.trace()) / len(eta)
    wanted = dense(gradients, eta, damping)
    errors, claimed = [], []
    for probes in (4, 64):
        found = randomised_gauss_newton_gram(model, reference, gradients, damping, probes, sets=4)
        errors.append(float((found.gram - wanted).norm() / wanted.norm()))
        claimed.append(found.relative_error)
    assert errors[1] < errors[0] / 2
    assert errors[1] < 0.05
    for error, claim in zip(errors, claimed, strict=True):
        assert claim / 4 < error < claim * 4


def test_the_bias_estimate_takes_bias_away(problem):
    model, reference, gradients, eta = problem
    damping = float(eta.trace()) / len(eta)
    wanted = dense(gradients, eta, damping)
    plain, corrected = [], []
    for seed in range(40):
        found = randomised_gauss_newton_gram(model, reference, gradients, damping, 4, 6, seed)
        plain.append(found.gram - wanted)
        corrected.append(found.gram - found.bias - wanted)
    plain_mean, corrected_mean = sum(plain) / 40, sum(corrected) / 40
    # Few probes overestimate the inverse: the mean error is positive, and the correction removes
    # most of it.
    assert bool((plain_mean.diagonal() > 0).all())
    assert float(corrected_mean.norm()) < 0.5 * float(plain_mean.norm())


def test_the_same_seed_gives_the_same_result(problem):
    model, reference, gradients, _ = problem
    a, b, c = (
        randomised_gauss_newton_gram(model, reference, gradients, 0.1, seed=s).gram
        for s in (3, 3, 4)
    )
    assert torch.equal(a, b)
    assert not torch.equal(a, c)


def test_one_set_has_no_error(problem):
    model, reference, gradients, _ = problem
    with pytest.raises(InputError, match="at least two probe sets"):
        randomised_gauss_newton_gram(model, reference, gradients, 0.1, sets=1)
