"""The per-sample losses against loops, and their invariances."""

import math

import pytest
import torch

from goldstone.actions import NAVIER_STOKES_FIELDS, Context, PointAction
from goldstone.core import InputError
from goldstone.groups import DihedralGroup
from goldstone.systems.losses import loss_by_name, mse, scaled_mse, squared_scaled_mse

LOSSES = (mse, scaled_mse, squared_scaled_mse)


def _pair(channels=2, grid=(6, 6)):
    random = torch.Generator().manual_seed(3)
    shape = (4, channels, *grid)
    return tuple(torch.randn(shape, generator=random, dtype=torch.float64) for _ in range(2))


def _by_loops(name, prediction, target):
    values = []
    batch, channels, x_size, y_size = target.shape
    for i in range(batch):
        total = 0.0
        for f in range(channels):
            square = sum(float(v) ** 2 for v in target[i, f].flatten())
            size = math.sqrt(square / (x_size * y_size)) + 1e-6
            divisor = {"mse": 1.0, "scaled_mse": size, "squared_scaled_mse": size**2}[name]
            for p, t in zip(prediction[i, f].flatten(), target[i, f].flatten(), strict=True):
                total += (float(p) - float(t)) ** 2 / divisor
        values.append(total / (channels * x_size * y_size))
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize("name", ["mse", "scaled_mse", "squared_scaled_mse"])
def test_equals_the_formula_written_as_loops(name):
    prediction, target = _pair(channels=3, grid=(5, 4))
    expected = _by_loops(name, prediction, target)
    torch.testing.assert_close(loss_by_name(name)(prediction, target), expected)


@pytest.mark.parametrize("loss", LOSSES)
def test_invariant_under_the_symmetries_of_the_grid(loss):
    prediction, target = _pair()
    before = loss(prediction, target)
    action, context = PointAction(DihedralGroup(4), NAVIER_STOKES_FIELDS), Context()
    for g in DihedralGroup(4).elements():
        after = loss(action.act(g, prediction, context), action.act(g, target, context))
        torch.testing.assert_close(after, before)
    rolled = loss(prediction.roll((1, 2), (-2, -1)), target.roll((1, 2), (-2, -1)))
    torch.testing.assert_close(rolled, before)


def test_only_the_plain_loss_is_invariant_under_boosts():
    prediction, target = _pair()
    boost = torch.tensor([3.0, -2.0], dtype=torch.float64)[:, None, None]
    torch.testing.assert_close(mse(prediction + boost, target + boost), mse(prediction, target))
    for loss in (scaled_mse, squared_scaled_mse):
        change = loss(prediction + boost, target + boost) / loss(prediction, target)
        assert float((change - 1).abs().min()) > 0.1


def test_units():
    prediction, target = _pair()
    torch.testing.assert_close(
        squared_scaled_mse(7 * prediction, 7 * target),
        squared_scaled_mse(prediction, target),
        rtol=1e-4,
        atol=0,
    )
    torch.testing.assert_close(
        scaled_mse(7 * prediction, 7 * target),
        7 * scaled_mse(prediction, target),
        rtol=1e-4,
        atol=0,
    )


def test_a_target_of_zero_has_a_finite_loss_and_gradient():
    prediction = torch.ones(1, 2, 4, 4, requires_grad=True)
    scaled_mse(prediction, torch.zeros(1, 2, 4, 4)).sum().backward()
    assert bool(torch.isfinite(prediction.grad).all())


def test_an_unknown_name_is_refused():
    with pytest.raises(InputError, match="scaled_mse, squared_scaled_mse, mse"):
        loss_by_name("rmse")
