"""Barriers against an explicit loop; merging and running statistics; curves."""

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from goldstone.core import InputError
from goldstone.weightspace import (
    bezier_path,
    interpolated,
    loss_barrier,
    merged,
    parameter_symmetries,
    reset_running_statistics,
    weight_matching,
)
from tests.weightspace.networks import GPT, ResNet, mlp, randomised


def normal(*shape: int, seed: int = 5) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def squared(out: Tensor, target: Tensor) -> Tensor:
    return (out - target).square().flatten(1).mean(1)


def pair() -> tuple[nn.Module, nn.Module]:
    one, two = (
        randomised(mlp(nn.Tanh(), widths=(3, 8, 2)), seed=seed, scale=1.0) for seed in (0, 1)
    )
    return one, two


def test_barrier_by_a_loop() -> None:
    a, b = pair()
    x, y = normal(40, 3), normal(40, 2, seed=6)
    found = loss_barrier(a, b, x, y, squared, points=11, batch_size=16)
    model, losses = copy.deepcopy(a), []
    for k in range(11):
        t = k / 10
        with torch.no_grad():
            for p, q, r in zip(model.parameters(), a.parameters(), b.parameters(), strict=True):
                p.copy_((1 - t) * q + t * r)
            losses.append(float(((model(x) - y) ** 2).mean()))
    rises = [loss - (1 - k / 10) * losses[0] - k / 10 * losses[-1] for k, loss in enumerate(losses)]
    assert [one.estimate for one in found.losses] == pytest.approx(losses, rel=1e-5)
    assert found.barrier.estimate == pytest.approx(max(rises), rel=1e-5)
    assert found.highest == pytest.approx(rises.index(max(rises)) / 10)
    assert not found.reset


def test_interval_has_the_width_of_the_standard_error() -> None:
    """Of a barrier at one fixed t, the mean of independent samples."""
    a, _ = pair()
    b = copy.deepcopy(a)  # the same function in other weights: the middle is higher than both
    with torch.no_grad():
        b[0].weight.copy_(a[0].weight.flip(0))
        b[0].bias.copy_(a[0].bias.flip(0))
        b[2].weight.copy_(a[2].weight.flip(1))
        x = normal(400, 3)
        y = a(x)
    found = loss_barrier(a, b, x, y, squared, points=3)
    state = interpolated(a.state_dict(), b.state_dict(), 0.5)
    with torch.no_grad():
        middle = squared(torch.func.functional_call(a, state, (x,)), y)
        rise = middle - (squared(a(x), y) + squared(b(x), y)) / 2
    error = float(rise.std()) / 20
    assert found.barrier.low is not None
    assert found.barrier.high is not None
    assert found.barrier.high - found.barrier.low == pytest.approx(2 * 1.96 * error, rel=0.15)
    assert found.barrier.low < float(rise.mean()) < found.barrier.high


def test_no_barrier_between_equal_networks() -> None:
    a, _ = pair()
    found = loss_barrier(a, a, normal(10, 3), normal(10, 2), squared, points=5)
    assert found.barrier.estimate == pytest.approx(0.0, abs=1e-7)


def test_curve_goes_round_a_barrier() -> None:
    x = normal(200, 3)
    y = torch.stack([x[:, 0] * x[:, 1], x[:, 2].sin()], 1)

    def trained(seed: int) -> nn.Module:
        torch.manual_seed(seed)
        model = mlp(nn.Tanh(), widths=(3, 24, 2))
        optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
        for _ in range(300):
            optimiser.zero_grad()
            squared(model(x), y).mean().backward()
            optimiser.step()
        return model

    a, b = trained(0), trained(1)
    straight = loss_barrier(a, b, x, y, squared, points=11)
    path = bezier_path(a, b, x, y, squared, steps=300, learning_rate=1e-2)
    curve = loss_barrier(a, b, x, y, squared, points=11, midpoint=path.midpoint)
    assert straight.barrier.estimate is not None
    assert curve.barrier.estimate is not None
    assert curve.barrier.estimate < 0.2 * straight.barrier.estimate
    # The ends of the curve are the networks.
    assert curve.losses[0].estimate == pytest.approx(straight.losses[0].estimate)
    assert curve.losses[-1].estimate == pytest.approx(straight.losses[-1].estimate)


def test_curve_between_networks_with_batch_norm() -> None:
    a, b = (randomised(ResNet(), seed=seed).train() for seed in (0, 1))
    x, y = normal(24, 3, 8, 8), normal(24, 3, seed=6)
    kept = {key: z.clone() for key, z in a.state_dict().items()}
    path = bezier_path(a, b, x, y, squared, steps=40, batch_size=12, learning_rate=1e-2)
    assert all(torch.equal(kept[key], z) for key, z in a.state_dict().items())
    straight, curve = (
        loss_barrier(a, b, x, y, squared, points=5, midpoint=one) for one in (None, path.midpoint)
    )
    assert curve.reset
    inner = [sum(one.estimate or 0.0 for one in found.losses[1:-1]) for found in (curve, straight)]
    assert inner[0] < inner[1]


def test_running_statistics_are_means_over_batches() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)).eval()
    model[1].momentum = 0.3
    x = normal(20, 3)
    reset_running_statistics(model, [x[:10], x[10:]])
    with torch.no_grad():
        hidden = model[0](x)
    torch.testing.assert_close(model[1].running_mean, hidden.mean(0))
    variance = (hidden[:10].var(0) + hidden[10:].var(0)) / 2
    torch.testing.assert_close(model[1].running_var, variance)
    assert not model[1].training
    assert model[1].momentum == 0.3


def test_merged_resets_statistics() -> None:
    a, b = randomised(ResNet(), seed=0), randomised(ResNet(), seed=1)
    x = normal(16, 3, 8, 8)
    model = merged(a, b, 0.25, [x])
    expected = 0.75 * a.conv.weight + 0.25 * b.conv.weight
    torch.testing.assert_close(model.conv.weight, expected)
    with torch.no_grad():
        hidden = functional.conv2d(x, expected, padding=1)
    torch.testing.assert_close(model.bn.running_mean, hidden.mean((0, 2, 3)))
    with pytest.raises(InputError, match="give batches"):
        merged(a, b)
    found = loss_barrier(a, b, x, normal(16, 3), squared, points=3)
    assert found.reset


def test_bad_input() -> None:
    a, b = pair()
    x, y = normal(10, 3), normal(10, 2)
    with pytest.raises(InputError, match="at least three points"):
        loss_barrier(a, b, x, y, squared, points=2)
    with pytest.raises(InputError, match=r"expected a loss of shape \(10,\)"):
        loss_barrier(a, b, x, y, functional.mse_loss)
    with pytest.raises(InputError, match="not finite"):
        loss_barrier(a, b, x, y, lambda out, _: out.sum(1).log())
    with pytest.raises(InputError, match="at least one batch"):
        reset_running_statistics(ResNet(), [])


def test_batches_that_do_not_go_into_the_samples() -> None:
    """A last batch of one sample has no variance; it is left out."""
    a = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    x, y = normal(33, 3), normal(33, 2, seed=6)
    found = loss_barrier(a, a, x, y, squared, points=3, batch_size=16)
    expected = copy.deepcopy(a)
    reset_running_statistics(expected, [x[:16], x[16:32]])
    expected.eval()
    with torch.no_grad():
        loss = float(squared(expected(x), y).mean())
    assert found.losses[1].estimate == pytest.approx(loss, rel=1e-5)


def test_statistics_stay_where_resetting_fails() -> None:
    model = randomised(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))).eval()
    model[1].momentum = 0.3
    kept = {key: z.clone() for key, z in model.state_dict().items()}
    with pytest.raises(InputError, match="at least one batch"):
        reset_running_statistics(model, [])
    with pytest.raises(RuntimeError):
        reset_running_statistics(model, [normal(5, 3), normal(5, 7)])
    assert all(torch.equal(kept[key], z) for key, z in model.state_dict().items())
    assert not any(one.training for one in model.modules())
    assert model[1].momentum == 0.3


def test_curve_between_networks_with_shared_weights() -> None:
    a, b = (randomised(GPT(norm="rms", tied=True, depth=1), seed=seed) for seed in (0, 1))
    tokens = torch.arange(60).reshape(10, 6) * 7 % 11
    with torch.no_grad():
        targets = a(tokens)
    path = bezier_path(a, b, tokens, targets, squared, steps=30, learning_rate=3e-2)
    assert torch.equal(path.midpoint["head.weight"], path.midpoint["tokens.weight"])
    ends = (a.tokens.weight + b.tokens.weight) / 2
    assert not torch.allclose(path.midpoint["tokens.weight"], ends, atol=1e-2)


def test_curve_does_not_use_the_running_statistics_of_one_end() -> None:
    a, b = (randomised(ResNet(), seed=seed) for seed in (0, 1))
    x, y = normal(24, 3, 8, 8), normal(24, 3, seed=6)
    one, two = (
        bezier_path(a.train(mode), b.train(mode), x, y, squared, steps=3, batch_size=12)
        for mode in (True, False)
    )
    assert one.losses == two.losses


def test_complex_weights() -> None:
    class Spectral(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.randn(3, dtype=torch.complex64))

        def forward(self, x: Tensor) -> Tensor:
            return torch.fft.irfft(torch.fft.rfft(x) * self.weight, n=4)

    a, b = Spectral(), Spectral()
    expected = 0.75 * a.weight + 0.25 * b.weight
    torch.testing.assert_close(merged(a, b, 0.25).weight, expected)
    symmetries = parameter_symmetries(a, (normal(5, 4),))
    alignment = weight_matching(a, b, symmetries)
    difference = (a.weight - b.weight).detach()
    assert alignment.distance_before == pytest.approx(float(difference.norm()), rel=1e-5)
    with torch.no_grad():
        b.weight[0] = complex(0.0, torch.nan)
    with pytest.raises(InputError, match="not finite numbers, in weight"):
        merged(a, b)


def test_networks_and_samples_that_do_not_go_together() -> None:
    a, b = pair()
    x, y = normal(10, 3), normal(10, 2)
    with pytest.raises(InputError, match=r"one precision .* 0\.weight is torch\.float32"):
        merged(a, copy.deepcopy(b).double())
    for function in (loss_barrier, bezier_path):
        with pytest.raises(InputError, match="as many targets as inputs, got 9 for 10"):
            function(a, b, x, y[:9], squared)
    with pytest.raises(InputError, match="one number for each sample"):
        bezier_path(a, b, x, y, functional.mse_loss)
