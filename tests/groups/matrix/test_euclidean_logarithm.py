"""The closed form of the logarithm of rigid motions against matrices, and its derivatives."""

from math import pi

import pytest
import torch

from goldstone.groups import SpecialEuclideanGroup, SpecialOrthogonalGroup
from goldstone.groups.matrix.logarithm import matrix_logarithm, phi_functions


def motions(n, count, reach):
    source = torch.Generator().manual_seed(n)
    group = SpecialEuclideanGroup(n)
    turns = torch.randn(count, n * (n - 1) // 2, dtype=torch.float64, generator=source)
    length = turns.norm(dim=-1, keepdim=True).clamp_min(1e-300)
    turns = reach * turns / length
    shifts = torch.randn(count, n, dtype=torch.float64, generator=source)
    return group, torch.cat((turns, shifts), -1)


@pytest.mark.parametrize("reach", [0.0, 1e-9, 1e-3, 0.5, 2.0, 3.0, pi - 1e-4])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_it_undoes_exp_at_all_angles(n, reach):
    group, x = motions(n, 20, reach)
    found = group.log(group.exp(x))
    torch.testing.assert_close(found, x, rtol=1e-9, atol=1e-12)
    # And the slow way: φ_1(X)⁻¹ t by a block exponential and elimination.
    turn = SpecialOrthogonalGroup(n).hat(found[:, :-n])
    slow = torch.linalg.solve(phi_functions(turn, 1)[1], group.exp(x)[:, :-1, -1])
    torch.testing.assert_close(found[:, -n:], slow, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("n", [2, 3])
def test_it_is_the_logarithm_of_the_matrix(n):
    group, x = motions(n, 20, 1.3)
    a = group.exp(x)
    torch.testing.assert_close(group.hat(group.log(a)), matrix_logarithm(a), rtol=0, atol=1e-12)


@pytest.mark.parametrize("reach", [0.0, 1.0])
@pytest.mark.parametrize("n", [2, 3])
def test_derivatives_at_the_identity_too(n, reach):
    group, x = motions(n, 2, reach)

    def there_and_back(x):
        return group.log(group.exp(x))

    jacobian = torch.autograd.functional.jacobian(there_and_back, x[0], vectorize=False)
    one = torch.eye(len(x[0]), dtype=torch.float64)
    torch.testing.assert_close(jacobian, one, rtol=0, atol=1e-9)
    x = (0.3 * x).requires_grad_()
    torch.autograd.gradcheck(lambda x: group.log(group.exp(x)), (x,))
    torch.autograd.gradgradcheck(lambda x: group.log(group.exp(x)), (x,), atol=1e-4)
