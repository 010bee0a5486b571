import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from goldstone.core import InputError
from goldstone.curvature import (
    CurvatureOperator,
    dense_operator,
    gauss_newton_operator,
    hessian_operator,
    lanczos,
)

D = torch.float64


def with_spectrum(values, seed=0):
    source = torch.Generator().manual_seed(seed)
    q = torch.linalg.qr(torch.randn(len(values), len(values), dtype=D, generator=source))[0]
    return q @ torch.diag(values) @ q.T


@given(st.integers(0, 10**6), st.sampled_from(["largest", "smallest", "magnitude", "ends"]))
def test_finds_a_known_spectrum(seed, which):
    source = torch.Generator().manual_seed(seed)
    values = torch.randn(40, dtype=D, generator=source)
    found = lanczos(dense_operator(with_spectrum(values, seed)), 4, which, 1e-8, 40, seed)
    order = {
        "largest": values.sort(descending=True).values,
        "smallest": values.sort().values,
        "magnitude": values[values.abs().argsort(descending=True)],
        "ends": torch.cat([values.sort(descending=True).values[:4], values.min()[None]]),
    }[which]
    k = 5 if which == "ends" else 4
    torch.testing.assert_close(found.values, order[:k], rtol=1e-7, atol=1e-7)
    torch.testing.assert_close(
        found.vectors @ found.vectors.T, torch.eye(k, dtype=D), atol=1e-10, rtol=0
    )
    assert found.converged


def test_residuals_are_those_of_the_matrix():
    values = torch.logspace(0, -3, 60, dtype=D)
    a = with_spectrum(values)
    found = lanczos(dense_operator(a), 5, tolerance=1e-12, most_products=12)
    wanted = (found.vectors @ a - found.values[:, None] * found.vectors).norm(dim=1)
    torch.testing.assert_close(found.residuals, wanted, rtol=1e-6, atol=1e-15)
    assert not found.converged
    assert found.products == 17
    # Each is that close to an eigenvalue.
    for value, residual in zip(found.values, found.residuals, strict=True):
        assert float((values - value).abs().min()) <= float(residual) + 1e-12


@pytest.mark.parametrize("dtype", [torch.float32, D])
def test_low_rank_and_repeated_eigenvalues(dtype):
    values = torch.tensor([3.0, 3.0, 3.0, 1.0, 1.0] + [0.0] * 25, dtype=D)
    a = with_spectrum(values).to(dtype)
    found = lanczos(dense_operator((a + a.T) / 2), 6, most_products=30)
    torch.testing.assert_close(found.values, values[:6], atol=1e-4, rtol=0)
    assert found.converged
    zero = lanczos(dense_operator(torch.zeros(5, 5, dtype=dtype)), 2)
    assert zero.values.count_nonzero() == 0


def test_reorthogonalisation_keeps_ghosts_out():
    """A dominating eigenvalue converges early: without it, it would come back as copies."""
    values = torch.cat([torch.tensor([1e6]), torch.linspace(1, 0, 199)]).to(D)
    found = lanczos(
        dense_operator(with_spectrum(values).float()), 4, tolerance=1e-9, most_products=120
    )
    assert float(found.values[0]) == pytest.approx(1e6, rel=1e-5)
    assert float(found.values[1]) < 10


def test_curvature_of_a_network(make_model, inputs, jacobian):
    model = make_model("complex")
    j = jacobian(model, inputs[:2])
    wanted = torch.linalg.eigvalsh(j.T @ j / len(j)).flip(0)
    found = lanczos(gauss_newton_operator(model, inputs[:2]), 3, tolerance=1e-8)
    torch.testing.assert_close(found.values, wanted[:3], rtol=1e-7, atol=0)
    operator = hessian_operator(model, lambda y, i: (y**4).sum(), inputs[:2])
    dense = torch.stack([operator.product(e) for e in torch.eye(operator.size, dtype=D)])
    wanted = torch.linalg.eigvalsh(dense)
    found = lanczos(operator, 2, "smallest", 1e-8)
    torch.testing.assert_close(found.values, wanted[:2], rtol=1e-6, atol=1e-8)


def test_bad_input():
    operator = dense_operator(torch.eye(3))
    with pytest.raises(InputError, match="count between"):
        lanczos(operator, 4)
    with pytest.raises(InputError, match="count between 1 and 2"):
        lanczos(operator, 3, "ends")
    with pytest.raises(InputError, match="magnitude"):
        lanczos(operator, 1, "lowest")
    broken = CurvatureOperator(lambda v: v * float("nan"), 3, D, torch.device("cpu"))
    with pytest.raises(InputError, match="NaN"):
        lanczos(broken, 1)


def test_wrong_second_derivatives_are_noticed():
    """Those of PyTorch's fused weight_norm are: the products are not symmetric."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.utils.parametrizations.weight_norm(nn.Conv2d(2, 3, 3)), nn.Tanh(), nn.Conv2d(3, 2, 1)
    ).double()
    x = torch.randn(2, 2, 6, 6, dtype=torch.float64)
    with pytest.raises(InputError, match="weight_norm"):
        lanczos(hessian_operator(model, lambda y, i: (y**3).mean(), x), 3)
    nn.utils.parametrize.remove_parametrizations(model[0], "weight")
    assert lanczos(hessian_operator(model, lambda y, i: (y**3).mean(), x), 3).converged


def test_rounding_is_no_asymmetry():
    torch.manual_seed(0)
    layers = [nn.Conv2d(2, 8, 3, padding=1), nn.ReLU(), nn.GroupNorm(2, 8), nn.Conv2d(8, 2, 3)]
    model, x = nn.Sequential(*layers), torch.randn(3, 2, 12, 12)
    operator = hessian_operator(model, lambda y, i: (y**2).mean(), x)
    assert lanczos(operator, 3, tolerance=1e-3, most_products=60).converged


def test_a_loose_tolerance_misses_no_eigenvalue():
    """Outliers in pairs beside a bulk: residuals alone stop before the last of them shows."""
    missed = 0
    for seed in range(30):
        source = torch.Generator().manual_seed(1000 + seed)
        values = 0.05 * torch.randn(800, dtype=D, generator=source)
        values[:8] = torch.tensor([1, 0.99, 0.8, 0.79, 0.6, 0.595, 0.4, 0.39], dtype=D)
        values[-1] = -0.3
        operator = CurvatureOperator(lambda v, d=values: d * v, 800, D, torch.device("cpu"))
        found = lanczos(operator, 5, "ends", tolerance=1e-2, most_products=100, seed=seed)
        wanted = torch.cat([values[:5], values.min()[None]])
        assert found.converged
        missed += float((found.values - wanted).abs().max()) > 0.02
    assert missed == 0


def test_the_basis_knows_its_part_of_the_trace():
    a = with_spectrum(torch.logspace(0, -3, 60, dtype=D))
    found = lanczos(dense_operator(a), 3, most_products=20)
    q = found.basis
    torch.testing.assert_close(q @ q.T, torch.eye(len(q), dtype=D), atol=1e-12, rtol=0)
    assert found.captured == pytest.approx(float((q @ a @ q.T).trace()))
    # At the cap the residuals may do, but nothing says that the values stay.
    short = lanczos(dense_operator(a), 3, tolerance=10.0, most_products=4)
    assert not short.converged
    assert lanczos(dense_operator(a), 3, tolerance=10.0, most_products=9).converged
