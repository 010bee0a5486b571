import pytest
import torch

from goldstone.core import InputError
from goldstone.curvature import dense_operator, gauss_newton_operator, hessian_operator
from goldstone.curvature.parameters import flatten_into, split_vector, trainable_parameters

D = torch.float64


def matrix(operator):
    return torch.stack([operator.product(e) for e in torch.eye(operator.size, dtype=D)])


def test_gauss_newton_is_the_dense_matrix(model, inputs, jacobian):
    j = jacobian(model, inputs[:2])
    operator = gauss_newton_operator(model, inputs[:2])
    assert operator.dtype == D
    torch.testing.assert_close(matrix(operator), j.T @ j / len(j), rtol=1e-9, atol=1e-12)


def test_hessian_is_the_difference_of_gradients(make_model, inputs):
    for name in ("unused", "complex"):
        model = make_model(name)
        known = trainable_parameters(model)

        def gradient(vector, model=model, known=known):
            with torch.no_grad():
                for p, part in zip(
                    known.values(), split_vector(vector, known).values(), strict=True
                ):
                    p.copy_(part)
            value = sum((model(x[None]) ** 4).sum() * (i + 1) for i, x in enumerate(inputs[:2])) / 2
            found = torch.autograd.grad(value, list(known.values()), materialize_grads=True)
            out = torch.empty_like(vector)
            flatten_into(found, out)
            return out

        operator = hessian_operator(model, lambda y, i: (y**4).sum() * (i + 1), inputs[:2])
        found = matrix(operator)
        at = torch.empty(operator.size, dtype=D)
        flatten_into([p.detach() for p in known.values()], at)
        step = 1e-5
        wanted = torch.stack(
            [
                (gradient(at + step * e) - gradient(at - step * e)) / (2 * step)
                for e in torch.eye(operator.size, dtype=D)
            ]
        )
        gradient(at)
        scale = float(wanted.abs().max())
        torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-6 * scale)
        torch.testing.assert_close(found, found.T, rtol=1e-9, atol=1e-9 * scale)


def test_a_matrix_must_be_symmetric():
    with pytest.raises(InputError, match="symmetric"):
        dense_operator(torch.tensor([[1.0, 2], [0, 1]]))
    with pytest.raises(InputError, match="square"):
        dense_operator(torch.ones(2, 3))


@pytest.mark.parametrize("batch", [2, 3, 9])
def test_batches_change_rounding_alone(make_model, inputs, batch):
    for name in ("unused", "complex"):
        model = make_model(name)

        def loss(y, i):
            return (y**4).sum() * (i + 1)

        for one, many in (
            (gauss_newton_operator(model, inputs), gauss_newton_operator(model, inputs, batch)),
            (hessian_operator(model, loss, inputs), hessian_operator(model, loss, inputs, batch)),
        ):
            v = torch.randn(one.size, dtype=D, generator=torch.Generator().manual_seed(0))
            torch.testing.assert_close(many.product(v), one.product(v), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("batch", [1, 2, 9])
def test_rows_together_are_rows_alone(make_model, inputs, batch):
    """Sharing forward passes, or keeping them, changes rounding alone."""
    for name in ("unused", "complex"):
        model = make_model(name)

        def loss(y, i):
            return (y**4).sum() * (i + 1)

        fresh = hessian_operator(model, loss, inputs, batch)
        kept = hessian_operator(model, loss, inputs, batch, keep=True)
        square = gauss_newton_operator(model, inputs, batch)
        rows = torch.randn(3, fresh.size, dtype=D, generator=torch.Generator().manual_seed(0))
        for operator, alone in ((fresh, fresh), (kept, fresh), (kept, fresh), (square, square)):
            wanted = torch.stack([alone.product(v) for v in rows])
            torch.testing.assert_close(operator.products(rows), wanted, rtol=1e-11, atol=1e-12)
            torch.testing.assert_close(
                operator.forms(rows), (rows * wanted).sum(1), rtol=1e-10, atol=1e-12
            )


def test_kept_graphs_spare_the_model(make_model, inputs):
    model, calls = make_model("unused"), []
    model.register_forward_hook(lambda *_: calls.append(1))
    operator = hessian_operator(model, lambda y, i: (y**4).sum(), inputs, 2, keep=True)
    v = torch.ones(operator.size, dtype=D)
    calls.clear()
    first = operator.product(v)
    taken = len(calls)
    assert torch.equal(operator.product(v), first)
    assert taken == len(calls) == -(-len(inputs) // 2)


def test_products_of_a_plain_operator():
    a = torch.diag(torch.tensor([1.0, 2.0]))
    operator = dense_operator(a)
    rows = torch.tensor([[1.0, 1.0], [3.0, 0.0]])
    assert torch.equal(operator.products(rows), rows @ a)
    assert operator.forms(rows).tolist() == [3.0, 9.0]
