import pytest
import torch
from torch import nn

from goldstone.core import InputError
from goldstone.curvature import TreeBatch, TreeModel, kfac, kronecker_factors, probe_rows
from goldstone.curvature.output_probes import output_probes


def test_all_outputs_give_gauss_newton_exactly(model, inputs, jacobian):
    rows = torch.cat(list(probe_rows(model, inputs[:2], None)))
    j = jacobian(model, inputs[:2])
    torch.testing.assert_close(rows.T @ rows, j.T @ j / len(j), rtol=1e-10, atol=1e-12)


def test_random_probes_are_unbiased(make_model, inputs, jacobian):
    model = make_model("complex")
    j = jacobian(model, inputs[:2])
    eta = j.T @ j / len(j)
    direction = torch.randn(j.shape[1], dtype=j.dtype, generator=torch.Generator().manual_seed(2))
    values = torch.stack(
        [
            (torch.cat(list(probe_rows(model, inputs[:2], 1, seed))) @ direction).square().sum()
            for seed in range(400)
        ]
    )
    wanted = direction @ eta @ direction
    assert float(abs(values.mean() - wanted)) < 4 * float(values.std()) / 20
    assert float(values.std()) < float(wanted) * 2


def test_probes_have_the_scale_that_their_number_asks_for():
    for count in (1, 3):
        u = output_probes(50, count, 0, 0)
        torch.testing.assert_close(u.square().sum(0), torch.full((50,), 1 / 50, dtype=u.dtype))
    assert not torch.equal(output_probes(50, 1, 0, 0), output_probes(50, 1, 0, 1))
    assert not torch.equal(output_probes(50, 1, 0, 0), output_probes(50, 1, 1, 0))


def test_the_model_and_the_random_state_are_left_as_found(make_model, inputs):
    model = make_model("unused").train()
    state = torch.random.get_rng_state()
    list(probe_rows(model, inputs, 2))
    assert torch.equal(state, torch.random.get_rng_state())
    assert model.training
    assert all(p.grad is None for p in model.parameters())


def test_what_cannot_be_probed_is_refused(make_model, inputs):
    model = make_model("unused")
    with pytest.raises(InputError, match="at least one reference sample"):
        next(probe_rows(model, inputs[:0]))
    with pytest.raises(InputError, match="at least one output probe"):
        next(probe_rows(model, inputs, 0))
    with pytest.raises(InputError, match="BatchNorm in training mode"):
        next(probe_rows(nn.Sequential(nn.BatchNorm2d(2), model).double(), inputs))
    with pytest.raises(InputError, match="depends on no trainable parameter"):
        next(probe_rows(_Deaf(), inputs))
    with pytest.raises(InputError, match="got tuple"):
        next(probe_rows(_Pair(), inputs))
    with pytest.raises(InputError, match="no trainable parameter"):
        next(probe_rows(model.requires_grad_(False), inputs))


def test_models_on_trees_of_tensors():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 2)

        def forward(self, x, *, scale):
            y = self.layer(x)
            return y * scale, y.sum(1)

    model = Two().double()
    source = torch.Generator().manual_seed(0)
    x = torch.randn(4, 3, dtype=torch.float64, generator=source)
    batch = TreeBatch({"x": x, "scale": 1 + x[:, :1] ** 2})
    wrapped = TreeModel(model, flat=True)
    rows = torch.cat(list(probe_rows(wrapped, batch, None)))
    wanted = []
    for i in range(4):
        y, total = model(x[i : i + 1], scale=batch.tree["scale"][i : i + 1])
        for value in (*y[0], total[0]):
            g = torch.autograd.grad(value, list(model.parameters()), retain_graph=True)
            wanted.append(torch.cat([part.flatten() for part in g]) / 12**0.5)
    torch.testing.assert_close(rows, torch.stack(wanted))
    metric = kfac(kronecker_factors(wrapped, batch, probes=None), 0.1)
    assert [c.treatment for c in metric.coverage] == ["kronecker"]


class _Deaf(nn.Module):
    def __init__(self):
        super().__init__()
        self.spare = nn.Parameter(torch.ones(1))

    def forward(self, x):
        return x


class _Pair(_Deaf):
    def forward(self, x):
        return x * self.spare, x
