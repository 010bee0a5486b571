import pytest
import torch
from torch import nn

from goldstone.core import InputError
from goldstone.curvature import TreeBatch, TreeModel, per_sample_gradients


def cubic(output, i):
    return (output**3 / (i + 1)).sum()


def test_rows_are_the_gradients_of_single_samples(model, inputs, gradient):
    rows = per_sample_gradients(model, cubic, inputs)
    wanted = [
        gradient(model, lambda y, i=i: cubic(y, i), inputs[i : i + 1]) for i in range(len(inputs))
    ]
    torch.testing.assert_close(rows, torch.stack(wanted), rtol=1e-12, atol=1e-14)


def test_a_complex_gradient_is_the_derivative_in_real_and_imaginary_parts(make_model, inputs):
    model = make_model("complex")
    row = per_sample_gradients(model, cubic, inputs[:1])[0]
    step = 1e-6
    for k, unit in enumerate((step, 1j * step)):
        with torch.no_grad():
            values = []
            for sign in (1, -1):
                model.modes[0, 1] += sign * unit
                values.append(float(cubic(model(inputs[:1]), 0)))
                model.modes[0, 1] -= sign * unit
        # Entry [0, 1] is the second complex number of the vector.
        assert float(row[2 + k]) == pytest.approx((values[0] - values[1]) / (2 * step), rel=1e-6)


def test_the_model_is_left_as_found(model, inputs):
    before = {name: value.clone() for name, value in model.state_dict().items()}
    per_sample_gradients(model, cubic, inputs)
    assert all(p.grad is None for p in model.parameters())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_a_scalar_without_parameters_has_gradient_zero(make_model, inputs):
    rows = per_sample_gradients(make_model("unused"), lambda y, i: y.detach().sum(), inputs)
    assert rows.count_nonzero() == 0
    assert len(rows) == 5


def test_works_inside_no_grad(make_model, inputs):
    model = make_model("unused")
    with torch.no_grad():
        assert per_sample_gradients(model, cubic, inputs).abs().sum() > 0


def test_a_nan_gradient_names_the_sample(make_model, inputs):
    def scalar(output, i):
        # The derivative of √|y − y| is 0/0.
        return (output - output.detach()).abs().sqrt().sum() if i == 3 else output.sum()

    with pytest.raises(InputError, match="sample 3"):
        per_sample_gradients(make_model("unused"), scalar, inputs)


def test_a_model_without_trainable_parameters_is_refused(inputs):
    model = nn.Conv2d(2, 2, 1).double().requires_grad_(False)
    with pytest.raises(InputError, match="no trainable parameter"):
        per_sample_gradients(model, cubic, inputs)


def test_large_gradients_whose_sum_overflows_are_finite():
    model = nn.Linear(1000, 1, bias=False)
    rows = per_sample_gradients(model, lambda y, i: y.sum(), torch.full((2, 1000), 1e36))
    assert torch.equal(rows, torch.full((2, 1000), 1e36))


def test_infinities_of_both_signs_are_found(make_model, inputs):
    def scalar(output, i):
        # The derivative of √y at 0 is infinite.
        gap = (output - output.detach()).flatten()
        return gap[0].sqrt() - gap[1].sqrt() if i == 2 else output.sum()

    with pytest.raises(InputError, match="sample 2"):
        per_sample_gradients(make_model("unused"), scalar, inputs)


def test_a_nan_gradient_names_the_parameters():
    """The bias alone: the weight's gradient is that of a plain sum, the bias's is 0/0."""

    class Root(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(2))
            self.bias = nn.Parameter(torch.zeros(2))

        def forward(self, x):
            return x * self.weight + self.bias.square().sqrt()

    for model, x in ((Root(), torch.ones(2, 2)), (TreeModel(Root()), TreeBatch(torch.ones(2, 2)))):
        with pytest.raises(InputError, match=r"sample 0 is NaN or infinite, in 'bias'; check"):
            per_sample_gradients(model, lambda y, i: y.sum(), x)
    deep = nn.Sequential(*(nn.Linear(2, 2) for _ in range(3)))
    with pytest.raises(InputError, match=r"in '0.weight', '0.bias', '1.weight' and 3 more"):
        per_sample_gradients(deep, lambda y, i: y.sum() * torch.nan, torch.ones(1, 2))
