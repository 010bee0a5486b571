"""Galerkin products against the definition itself: dense G, dense J, explicit SVD."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from goldstone.curvature import galerkin_gram, output_jvps, per_sample_gradients


def dense_galerkin(gradients, eta, discarded_energy, relative_damping):
    """Gᵀ Q (Qᵀ η Q + λ)⁻¹ Qᵀ G with gradients in the columns of G."""
    u, s, _ = torch.linalg.svd(gradients, full_matrices=False)
    for k in range(1, len(s) + 1):
        if float((s[k:] ** 2).sum() / (s**2).sum()) <= discarded_energy:
            break
    q = u[:, :k]
    metric = q.T @ eta @ q
    metric = metric + relative_damping * torch.trace(metric) / k * torch.eye(k).double()
    coordinates = q.T @ gradients
    return coordinates.T @ torch.linalg.inv(metric) @ coordinates


def random_problem(seed, parameters=30, samples=6, outputs=40, decay=0.0):
    source = torch.Generator().manual_seed(seed)
    g = torch.randn(parameters, samples, dtype=torch.float64, generator=source)
    g = g * torch.exp(-decay * torch.arange(samples).double())
    j = torch.randn(outputs, parameters, dtype=torch.float64, generator=source)
    return g, j.T @ j / outputs


@pytest.mark.parametrize("name", ["unused", "complex", "backward-only unused"])
@pytest.mark.parametrize("damping", [1e-6, 1e-1])
def test_network_equals_the_definition(make_model, inputs, name, damping, jacobian):
    model = make_model(name)
    rows = per_sample_gradients(model, lambda y, i: (y**2).sum() + y[0, 0, 0, 0], inputs)
    reference = inputs.flip(0)[:3] * 1.3
    pushed, _ = output_jvps(model, reference, rows)
    found = galerkin_gram(
        rows @ rows.T, pushed @ pushed.T / pushed.shape[1], relative_damping=damping
    )
    j = jacobian(model, reference)
    wanted = dense_galerkin(rows.T, j.T @ j / len(j), 1e-4, damping)
    torch.testing.assert_close(found, wanted, rtol=1e-8, atol=1e-8 * float(wanted.abs().max()))


@given(st.integers(0, 10**6), st.sampled_from([1e-4, 1e-2, 0.3]), st.floats(0.0, 2.0))
def test_equals_the_definition_at_every_rank(seed, discarded, decay):
    g, eta = random_problem(seed, decay=decay)
    found = galerkin_gram(g.T @ g, g.T @ eta @ g, discarded, 1e-6)
    wanted = dense_galerkin(g, eta, discarded, 1e-6)
    torch.testing.assert_close(found, wanted, rtol=1e-7, atol=1e-7 * float(wanted.abs().max()))


@given(st.integers(0, 10**6))
def test_the_order_of_samples_does_not_matter(seed):
    g, eta = random_problem(seed)
    order = torch.randperm(g.shape[1], generator=torch.Generator().manual_seed(seed))
    gram, output = g.T @ g, g.T @ eta @ g
    plain = galerkin_gram(gram, output)
    moved = galerkin_gram(gram[order][:, order], output[order][:, order])
    torch.testing.assert_close(moved, plain[order][:, order], rtol=1e-8, atol=1e-9)


def test_a_large_damping_is_euclidean_up_to_scale():
    g, eta = random_problem(3)
    gram = g.T @ g
    found = galerkin_gram(gram, g.T @ eta @ g, 1e-12, 1e9)
    torch.testing.assert_close(found / found[0, 0], gram / gram[0, 0], rtol=1e-7, atol=1e-7)


def test_an_identity_metric_is_euclidean():
    g, _ = random_problem(4)
    gram = g.T @ g
    torch.testing.assert_close(galerkin_gram(gram, gram, 1e-12, 0.0), gram)


@pytest.mark.parametrize("discarded", [0.0, 1e-16, 1e-4])
def test_dependent_gradients_do_no_harm(discarded):
    g, eta = random_problem(5, samples=3)
    g = torch.cat([g, g, g[:, :1] - g[:, 1:2]], 1)
    found = galerkin_gram(g.T @ g, g.T @ eta @ g, discarded)
    wanted = dense_galerkin(g, eta, 1e-12, 1e-6)
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-6)


def test_zero_gradients_give_zero():
    zeros = torch.zeros(4, 4)
    found = galerkin_gram(zeros, zeros)
    assert found.dtype == torch.float64
    assert found.count_nonzero() == 0
