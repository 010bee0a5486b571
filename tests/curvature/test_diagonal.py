import pytest
import torch

from goldstone.core import InputError
from goldstone.curvature import (
    DiagonalMetric,
    empirical_fisher_diagonal,
    gauss_newton_diagonal,
    per_sample_gradients,
)


def test_products_are_those_of_the_dense_matrix():
    source = torch.Generator().manual_seed(0)
    rows = torch.randn(4, 7, dtype=torch.float64, generator=source)
    d = torch.rand(7, dtype=torch.float64, generator=source)
    metric = DiagonalMetric(d, 0.1)
    inverse = torch.linalg.inv(torch.diag(d) + 0.1 * torch.eye(7, dtype=torch.float64))
    torch.testing.assert_close(metric.gram(rows), rows @ inverse @ rows.T)
    torch.testing.assert_close(metric.solve(rows), rows @ inverse)
    with pytest.raises(InputError, match="rows of 7 numbers"):
        metric.gram(rows[:, :6])


def test_empirical_fisher(model, inputs):
    rows = per_sample_gradients(model, lambda y, i: (y**3).sum(), inputs)
    metric = empirical_fisher_diagonal(rows, 0.1)
    wanted = (rows.T @ rows / len(rows)).diagonal()
    torch.testing.assert_close(metric.diagonal, wanted)
    assert metric.damping == pytest.approx(0.1 * float(wanted.mean()))
    assert metric.relative_error == 0


def test_gauss_newton_from_all_outputs_is_exact(model, inputs, jacobian):
    j = jacobian(model, inputs[:2])
    wanted = (j.T @ j / len(j)).diagonal()
    metric = gauss_newton_diagonal(model, inputs[:2], 1e-3, probes=None)
    torch.testing.assert_close(metric.diagonal, wanted, rtol=1e-10, atol=1e-14)
    assert metric.relative_error == 0
    assert metric.damping == pytest.approx(1e-3 * float(wanted.mean()))
    assert metric.mean_curvature == pytest.approx(float(wanted.mean()))


def test_gauss_newton_from_probes_is_unbiased_and_knows_its_error(make_model, inputs, jacobian):
    model = make_model("complex")
    j = jacobian(model, inputs[:2])
    wanted = (j.T @ j / len(j)).diagonal()
    metrics = [gauss_newton_diagonal(model, inputs[:2], 1e-3, 8, seed) for seed in range(100)]
    found = torch.stack([m.diagonal for m in metrics])
    z = (found.mean(0) - wanted) / (found.std(0) / 10 + 1e-12 * wanted.max())
    assert float(z.square().mean()) < 2
    claimed = torch.tensor([m.relative_error for m in metrics]).square().mean().sqrt()
    true = (found - wanted).square().sum(1).mean().sqrt() / wanted.norm()
    assert float(claimed) == pytest.approx(float(true), rel=0.25)


def test_one_probe_cannot_tell_its_error(make_model, inputs):
    assert gauss_newton_diagonal(make_model("unused"), inputs[:2], 1.0, 1).relative_error is None


def test_bad_input(make_model, inputs):
    with pytest.raises(InputError, match="positive damping"):
        gauss_newton_diagonal(make_model("unused"), inputs[:1], 0.0)
    with pytest.raises(InputError, match="at least one"):
        empirical_fisher_diagonal(torch.ones(0, 3), 1.0)
    with pytest.raises(InputError, match="at least one reference sample"):
        gauss_newton_diagonal(make_model("unused"), inputs[:0], 1.0)
