import pytest
import torch

from goldstone.curvature import gauss_newton_gram, per_sample_gradients


def problem(model, inputs, jacobian):
    rows = per_sample_gradients(model, lambda y, i: (y**3).sum(), inputs)
    j = jacobian(model, inputs[:2])
    return rows, j.T @ j / len(j)


@pytest.mark.parametrize("damping", [1e-2, 1.0])
def test_equals_a_dense_solve(model, inputs, damping, jacobian):
    rows, eta = problem(model, inputs, jacobian)
    solve = gauss_newton_gram(model, inputs[:2], rows, damping, tolerance=1e-10)
    dense = torch.linalg.solve(eta + damping * torch.eye(len(eta)), rows.T)
    wanted = rows @ dense
    torch.testing.assert_close(solve.gram, wanted, rtol=1e-7, atol=1e-7 * float(wanted.abs().max()))
    assert solve.residual <= 1e-10
    assert 0 < solve.iterations <= 200
    assert solve.damping == damping


def test_an_unfinished_solve_says_so(make_model, inputs, jacobian):
    model = make_model("unused")
    rows, _ = problem(model, inputs, jacobian)
    solve = gauss_newton_gram(model, inputs[:2], rows, 1e-6, tolerance=1e-12, most_iterations=3)
    assert solve.iterations == 3
    assert solve.residual > 1e-12


def test_a_large_damping_is_euclidean_up_to_scale(make_model, inputs, jacobian):
    model = make_model("complex")
    rows, eta = problem(model, inputs, jacobian)
    damping = 1e8 * float(torch.linalg.matrix_norm(eta, 2))
    solve = gauss_newton_gram(model, inputs[:2], rows, damping)
    torch.testing.assert_close(solve.gram * damping, rows @ rows.T, rtol=1e-6, atol=1e-9)


def test_no_other_gradient_matters(make_model, inputs, jacobian):
    model = make_model("unused")
    rows, _ = problem(model, inputs, jacobian)
    both = gauss_newton_gram(model, inputs[:2], rows, 0.1, tolerance=1e-12).gram
    alone = gauss_newton_gram(model, inputs[:2], rows[1:3], 0.1, tolerance=1e-12).gram
    torch.testing.assert_close(both[1:3, 1:3], alone, rtol=1e-9, atol=1e-12)


def test_a_zero_gradient_has_no_length(make_model, inputs, jacobian):
    model = make_model("unused")
    rows, _ = problem(model, inputs, jacobian)
    rows = torch.cat([rows[:1], torch.zeros_like(rows[:1])])
    gram = gauss_newton_gram(model, inputs[:2], rows, 0.1).gram
    assert gram[1].count_nonzero() == 0
    assert float(gram[0, 0]) > 0
