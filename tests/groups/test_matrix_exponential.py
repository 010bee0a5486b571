"""The matrix exponential against mpmath's, whose 40 digits neither torch's nor scipy's has."""

import json
from pathlib import Path

import mpmath
import pytest
import scipy.linalg
import torch

from goldstone.groups.matrix.exponential import matrix_exponential

GOLDEN = Path(__file__).parents[1] / "golden" / "lie_exp_log.json"


def by_mpmath(a):
    with mpmath.workdps(40):
        found = mpmath.expm(mpmath.matrix(a.tolist()))
        rows = [[complex(x) for x in row] for row in found.tolist()]
    exact = torch.tensor(rows, dtype=torch.complex128)
    return exact if a.is_complex() else exact.real


@pytest.mark.parametrize("n", [1, 2, 3, 6])
@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128])
# Norms of 0.01 to 0.05 are those where torch.matrix_exp loses half of its digits.
@pytest.mark.parametrize("size", [0.0, 1e-9, 1e-3, 0.01, 0.03, 0.047, 0.3, 1.0, 3.0, 6.0, 40.0])
def test_against_mpmath(n, dtype, size):
    source = torch.Generator().manual_seed(n)
    a = torch.randn(3, n, n, dtype=dtype, generator=source)
    a = a / a.abs().sum(-2).amax(-1)[:, None, None] * size
    found = matrix_exponential(a)
    for x, y in zip(a, found, strict=True):
        expected = by_mpmath(x)
        assert float((y - expected).abs().max()) <= 2e-15 * max(1, size) * float(expected.norm())


def test_matrices_of_a_batch_do_not_see_one_another():
    a = torch.randn(4, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    a = a * torch.tensor([1e-3, 1.0, 10.0, 30.0], dtype=torch.float64)[:, None, None]
    together = matrix_exponential(a)
    for x, y in zip(a, together, strict=True):
        assert torch.equal(matrix_exponential(x), y)
    assert matrix_exponential(a[:0]).shape == (0, 3, 3)


@pytest.mark.parametrize("scale", [0.0, 0.03, 8.0])
def test_derivatives(scale):
    a = scale * torch.randn(
        2, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1)
    )
    assert torch.autograd.gradcheck(matrix_exponential, a.requires_grad_(), rtol=1e-4)
    assert torch.autograd.gradgradcheck(matrix_exponential, 0.1 * a.detach().requires_grad_())
    direction = torch.ones_like(a)
    tangent = torch.func.jvp(matrix_exponential, (a.detach(),), (direction,))[1]
    reference = scipy.linalg.expm_frechet(
        a[0].detach().numpy(), direction[0].numpy(), compute_expm=False
    )
    torch.testing.assert_close(tangent[0], torch.from_numpy(reference), rtol=1e-10, atol=1e-12)


def test_under_vmap_and_jacfwd():
    source = torch.Generator().manual_seed(2)
    a = 10 * torch.randn(4, 3, 3, dtype=torch.float64, generator=source)
    torch.testing.assert_close(torch.func.vmap(matrix_exponential)(a), matrix_exponential(a))
    forward = torch.func.jacfwd(matrix_exponential)(0.1 * a[0])
    torch.testing.assert_close(forward, torch.func.jacrev(matrix_exponential)(0.1 * a[0]))


def test_golden_values():
    groups = json.loads(GOLDEN.read_text())["groups"]
    checked = 0
    for cases in groups.values():
        for case in cases:
            x, y = (_complex(case["X"]), _complex(case["exp"]))
            found = matrix_exponential(x)
            assert float((found - y).abs().max()) <= 1e-14 * float(y.norm())
            checked += 1
    assert checked > 30


def _complex(part):
    real = torch.tensor(part["re"], dtype=torch.float64)
    imaginary = torch.tensor(part["im"], dtype=torch.float64) if "im" in part else real * 0
    return torch.complex(real, imaginary)
