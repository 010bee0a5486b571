import pytest
import torch

from goldstone.core import InputError
from goldstone.curvature import (
    deflated_trace,
    dense_operator,
    gauss_newton_operator,
    hutchpp,
    lanczos,
)
from goldstone.curvature.operators import CurvatureOperator

D = torch.float64


def with_spectrum(values, seed=0):
    source = torch.Generator().manual_seed(seed)
    q = torch.linalg.qr(torch.randn(len(values), len(values), dtype=D, generator=source))[0]
    return q @ torch.diag(values) @ q.T


def test_low_rank_is_exact():
    values = torch.tensor([5.0, 3.0, 2.0] + [0.0] * 47, dtype=D)
    found = hutchpp(dense_operator(with_spectrum(values)), 12)
    assert found.trace == pytest.approx(10.0, rel=1e-9)
    assert found.standard_error < 1e-9
    assert found.products == 12


@pytest.mark.parametrize("indefinite", [False, True])
def test_is_unbiased_and_knows_its_error(indefinite):
    values = torch.logspace(1, -1, 100, dtype=D)
    if indefinite:
        values[1::2] *= -1
    operator = dense_operator(with_spectrum(values))
    found = [hutchpp(operator, 30, seed) for seed in range(200)]
    errors = torch.tensor([f.trace for f in found]) - float(values.sum())
    assert abs(float(errors.mean())) < 4 * float(errors.std()) / 200**0.5
    claimed = torch.tensor([f.standard_error for f in found]).square().mean().sqrt()
    assert float(claimed) == pytest.approx(float(errors.std()), rel=0.25)


def test_is_closer_than_plain_probes_on_a_decaying_spectrum():
    values = torch.logspace(2, -13, 100, dtype=D)
    a = with_spectrum(values)
    source = torch.Generator().manual_seed(0)
    signs = (2 * torch.randint(0, 2, (200, 30, 100), generator=source) - 1).to(D)
    plain = torch.einsum("rki,ij,rkj->rk", signs, a, signs).mean(1) - values.sum()
    ours = torch.tensor([hutchpp(dense_operator(a), 30, s).trace for s in range(50)]) - values.sum()
    assert float(ours.std()) < 0.2 * float(plain.std())


def test_trace_of_gauss_newton(make_model, inputs, jacobian):
    model = make_model("unused")
    j = jacobian(model, inputs[:2])
    found = hutchpp(gauss_newton_operator(model, inputs[:2]), 60)
    wanted = float(j.square().sum() / len(j))
    assert abs(found.trace - wanted) < 4 * found.standard_error + 1e-9
    assert 0 < found.captured <= wanted * (1 + 1e-9)


def test_bad_input():
    with pytest.raises(InputError, match="six products"):
        hutchpp(dense_operator(torch.eye(3)), 5)
    broken = CurvatureOperator(lambda v: v * float("nan"), 9, D, torch.device("cpu"))
    with pytest.raises(InputError, match="NaN"):
        hutchpp(broken)


def test_the_rest_beside_a_krylov_space_is_unbiased_and_knows_its_error():
    values = torch.logspace(1, -1, 100, dtype=D)
    values[1::2] *= -1
    operator = dense_operator(with_spectrum(values))
    krylov = lanczos(operator, 3, "ends", 1e-3)
    found = [
        deflated_trace(operator, krylov.basis, krylov.captured, 10, seed) for seed in range(200)
    ]
    assert {f.captured for f in found} == {krylov.captured}
    assert {f.products for f in found} == {10}
    errors = torch.tensor([f.trace for f in found]) - float(values.sum())
    assert abs(float(errors.mean())) < 4 * float(errors.std()) / 200**0.5
    claimed = torch.tensor([f.standard_error for f in found]).square().mean().sqrt()
    assert float(claimed) == pytest.approx(float(errors.std()), rel=0.25)
    with pytest.raises(InputError, match="two or more probes"):
        deflated_trace(operator, krylov.basis, krylov.captured, 1)
    whole = torch.eye(100, dtype=D)
    exact = deflated_trace(operator, whole, float(values.sum()), 2)
    assert exact.trace == pytest.approx(float(values.sum()))
