"""The empirical Fisher against its definition: the dense p × p matrix, inverted."""

import pytest
import torch

from goldstone.core import InputError
from goldstone.curvature import empirical_fisher_gram, per_sample_gradients


def dense(gradients, reference, damping):
    fisher = reference.T @ reference / len(reference)
    return (
        gradients
        @ torch.linalg.inv(fisher + damping * torch.eye(len(fisher), dtype=torch.float64))
        @ gradients.T
    )


@pytest.fixture
def gradients(model, inputs):
    return per_sample_gradients(model, lambda y, i: (y**3).sum(), inputs)


@pytest.mark.parametrize("damping", [1e-4, 1.0])
def test_of_the_gradients_themselves(gradients, damping):
    found = empirical_fisher_gram(gradients, damping)
    wanted = dense(gradients, gradients, damping)
    torch.testing.assert_close(found.gram, wanted, rtol=1e-8, atol=1e-8)
    assert found.trace == pytest.approx(float(gradients.square().sum() / len(gradients)))
    assert found.reference == len(gradients)


@pytest.mark.parametrize("damping", [1e-2, 1.0])
def test_of_a_reference_set(gradients, damping):
    wanted = dense(gradients[:3], gradients[2:], damping)
    found = empirical_fisher_gram(gradients[:3], damping, gradients[2:])
    torch.testing.assert_close(found.gram, wanted, rtol=1e-8, atol=1e-8 * float(wanted.max()))


def test_both_ways_agree(gradients):
    own = empirical_fisher_gram(gradients, 0.1).gram
    as_reference = empirical_fisher_gram(gradients, 0.1, gradients).gram
    torch.testing.assert_close(own, as_reference, rtol=1e-8, atol=1e-8)


def test_without_damping_gradients_that_span_it_are_orthonormal(make_model, inputs):
    rows = per_sample_gradients(make_model("unused"), lambda y, i: (y**3).sum(), inputs)
    found = empirical_fisher_gram(rows, 1e-12).gram / len(rows)
    torch.testing.assert_close(found, torch.eye(len(rows), dtype=torch.float64), atol=1e-6, rtol=0)


def test_float32_rows_lose_no_digits_in_the_products():
    """Nearly parallel gradients, whose difference a float32 product would not see."""
    source = torch.Generator().manual_seed(0)
    common = torch.randn(1, 4000, generator=source)
    rows = common + 1e-3 * torch.randn(4, 4000, generator=source)
    found = empirical_fisher_gram(rows, 1e-6).gram
    wanted = dense(rows.double(), rows.double(), 1e-6)
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("damping", [0.0, -1.0, float("nan"), float("inf")])
def test_a_damping_that_is_not_positive_is_refused(damping):
    with pytest.raises(InputError, match="positive damping"):
        empirical_fisher_gram(torch.ones(2, 3), damping)


def test_sets_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="rows of one length"):
        empirical_fisher_gram(torch.ones(2, 3), 1.0, torch.ones(2, 4))
    with pytest.raises(InputError, match="at least one"):
        empirical_fisher_gram(torch.ones(2, 3), 1.0, torch.ones(0, 3))
