"""Detectors of collapse, and mirror symmetries themselves."""

import pytest
import torch
from torch import nn
from torch.func import functional_call

from goldstone.core import InputError, from_json, generator, to_json
from goldstone.weightspace.mirror import (
    CollapseHistory,
    CollapseReport,
    activation_collapse,
    collapse_history,
    unit_exchange,
    unit_sign,
    weight_collapse,
)


def network(activation=nn.Tanh, width=6, seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, width), activation(), nn.Linear(width, 2)).double()


INCOMING, OUTGOING = {"0.weight": 0, "0.bias": 0}, {"2.weight": 1}


def loss_of(model, seed=0):
    random = generator(seed)
    x = torch.randn(20, 3, dtype=torch.float64, generator=random)
    y = torch.randn(20, 2, dtype=torch.float64, generator=random)
    return lambda parameters: (functional_call(model, parameters, x) - y).square().mean()


def test_exchange_and_sign_are_symmetries_where_they_should_be():
    tanh, relu = network(), network(nn.ReLU)
    exchange = unit_exchange(INCOMING, OUTGOING, 1, 4)
    sign = unit_sign(INCOMING, OUTGOING, 2)
    for model in (tanh, relu):
        assert exchange.error(loss_of(model), dict(model.named_parameters())) < 1e-15
    assert sign.error(loss_of(tanh), dict(tanh.named_parameters())) < 1e-15
    assert sign.error(loss_of(relu), dict(relu.named_parameters())) > 1e-3
    half = unit_exchange(INCOMING, {"2.weight": 1} | {"2.bias": 0}, 0, 1)
    assert half.error(loss_of(tanh), dict(tanh.named_parameters())) > 1e-3


@pytest.mark.parametrize(
    "mirror", [unit_exchange(INCOMING, OUTGOING, 1, 4), unit_sign(INCOMING, OUTGOING, 2)]
)
def test_reflection_laws_and_stationarity_of_the_fixed_set(mirror):
    model = network()
    theta = {name: p.detach() for name, p in model.named_parameters()}
    image = mirror.reflect(theta)
    twice = mirror.reflect(image)
    assert all(torch.equal(twice[name], theta[name]) for name in theta)
    before = sum(p.square().sum() for p in theta.values())
    torch.testing.assert_close(sum(p.square().sum() for p in image.values()), before)
    assert 0.3 < mirror.order_parameter(theta) <= 1
    odd = mirror.odd_part(theta)
    fixed = {name: p - odd.get(name, 0) for name, p in theta.items()}
    assert mirror.order_parameter(fixed) == 0
    # Oᵀ∇ℓ = 0 on the fixed set (theorem 1), but not beside it.
    for point, stationary in ((fixed, True), (theta, False)):
        gradient = torch.func.grad(loss_of(model))(point)
        pull = sum(float(part.square().sum()) for part in mirror.odd_part(gradient).values())
        assert (pull < 1e-28) is stationary


def test_mirrors_reject_what_does_not_fit():
    theta = dict(network().named_parameters())
    with pytest.raises(InputError, match="two different ones"):
        unit_exchange(INCOMING, OUTGOING, 1, 1)
    with pytest.raises(InputError, match=r"no parameter '1\.weight'"):
        unit_sign({"1.weight": 0}, {}, 0).reflect(theta)
    with pytest.raises(InputError, match="along axis 0"):
        unit_sign(INCOMING, OUTGOING, 6).reflect(theta)


def test_planted_collapse_is_found_by_layer():
    model = network(width=8)
    first, last = model[0], model[2]
    with torch.no_grad():
        first.weight[2], first.bias[2] = 0, 0
        first.weight[5], first.bias[5] = first.weight[1], first.bias[1]
        first.weight[7], first.bias[7] = first.weight[1], first.bias[1]
        first.weight[3], first.bias[3] = -first.weight[4], -first.bias[4]
        first.weight[6], first.bias[6] = 2.5 * first.weight[0], 2.5 * first.bias[0]
        last.weight[1] = 2 * last.weight[0]
    report = weight_collapse(model)
    layer = report.layers["0"]
    assert layer.dead == (2,)
    assert layer.duplicates == ((1, 5, 7),)
    assert (layer.units, layer.distinct, layer.rank, layer.full_rank) == (8, 5, 3, 3)
    assert report.layers["2"].rank == 1
    assert report.layers["2"].effective_rank == pytest.approx(1, abs=1e-6)
    assert report.layers["2"].stable_rank == pytest.approx(1)
    assert report.collapsed == ("0", "2")
    assert weight_collapse(model, modulo="sign").layers["0"].duplicates == ((1, 5, 7), (3, 4))
    assert weight_collapse(model, modulo="scale").layers["0"].duplicates == ((0, 6), (1, 5, 7))
    assert from_json(CollapseReport, to_json(report)) == report
    assert weight_collapse(network()).collapsed == ()


def test_ranks_of_known_spectra():
    model = nn.Linear(4, 4, bias=False).double()
    model.weight.data = torch.eye(4, dtype=torch.float64)
    layer = weight_collapse(model).layers[""]
    assert (layer.rank, layer.effective_rank, layer.stable_rank) == (4, pytest.approx(4), 4)
    model.weight.data = torch.diag(torch.tensor([3.0, 1.0, 0.0, 0.0], dtype=torch.float64))
    layer = weight_collapse(model).layers[""]
    assert layer.stable_rank == pytest.approx(10 / 9)
    assert layer.effective_rank == pytest.approx((4 / 3) ** 0.75 * 4**0.25)
    assert layer.dead == (2, 3)
    model.weight.data.zero_()
    layer = weight_collapse(model).layers[""]
    assert (layer.rank, layer.effective_rank, layer.dead) == (0, 0.0, (0, 1, 2, 3))


def test_activations_show_what_weights_do_not():
    model = network(nn.ReLU)
    with torch.no_grad():
        model[0].bias[3] = -100  # never opens
        model[0].weight[5], model[0].bias[5] = 3 * model[0].weight[1], 3 * model[0].bias[1]
    batches = torch.randn(4, 16, 3, dtype=torch.float64, generator=generator(0))
    model.train()
    report = activation_collapse(model, batches, modulo="scale")
    assert model.training
    assert list(report.layers) == ["0", "1", "2"]
    assert report.layers["0"].dead == ()
    assert report.layers["1"].dead == (3,)
    assert report.layers["1"].duplicates == ((1, 5),)
    assert weight_collapse(model).layers["0"].dead == ()
    # Means and covariances do not depend on how the samples come.
    once = activation_collapse(model, [batches.flatten(0, 1)], modulo="scale")
    assert once.layers["1"].effective_rank == pytest.approx(report.layers["1"].effective_rank)
    hidden = model[1](model[0](batches.flatten(0, 1))).detach()
    sigma = torch.linalg.svdvals(hidden - hidden.mean(0))
    assert report.layers["1"].stable_rank == pytest.approx(
        float(sigma.square().sum() / sigma[0] ** 2)
    )


def test_convolutions_have_channels_and_attention_has_parts():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(2, 5, 3), nn.ReLU(), nn.ConvTranspose2d(5, 3, 3))
    with torch.no_grad():
        model[0].weight[4], model[0].bias[4] = model[0].weight[0], model[0].bias[0]
        model[2].weight[:, 1], model[2].bias[1] = model[2].weight[:, 2], model[2].bias[2]
    report = weight_collapse(model)
    assert report.layers["0"].duplicates == ((0, 4),)
    assert report.layers["2"].duplicates == ((1, 2),)
    seen = activation_collapse(model, [torch.randn(3, 2, 6, 6)])
    assert seen.layers["1"].duplicates == ((0, 4),)
    assert seen.layers["2"].units == 3
    attention = nn.MultiheadAttention(4, 2)
    assert list(weight_collapse(attention).layers) == [".q", ".k", ".v", "out_proj"]


@pytest.mark.parametrize("transposed", [False, True])
def test_grouped_convolutions_read_different_inputs(transposed):
    """Equal kernels in different groups are different units; the rank is that of all blocks."""
    torch.manual_seed(0)
    kind = nn.ConvTranspose1d if transposed else nn.Conv1d
    model = kind(6, 6, 2, groups=3, bias=False)
    same = 1 if transposed else 0
    with torch.no_grad():
        model.weight.copy_(torch.randn(2, 2, 2).repeat(3, 1, 1))
    layer = weight_collapse(model).layers[""]
    assert layer.duplicates == ()
    assert (layer.rank, layer.full_rank) == (6, 6)
    with torch.no_grad():
        model.weight.select(same, 1)[:2] = model.weight.select(same, 0)[:2]
    twins = weight_collapse(model).layers[""]
    assert twins.duplicates == ((0, 1),)
    assert twins.rank == 5


def trained_with_decay(decay, steps=1000):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
    x = torch.randn(64, 2, generator=generator(0))
    y = x[:, :1].tanh()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.3, weight_decay=decay)
    checkpoints = []
    for step in range(steps + 1):
        if step % (steps // 2) == 0:
            state = {name: value.clone() for name, value in model.state_dict().items()}
            checkpoints.append((step, state))
        optimiser.zero_grad()
        (model(x) - y).square().mean().backward()
        optimiser.step()
    return model, checkpoints, x


def test_weight_decay_collapses_an_oversized_network_and_the_history_shows_it():
    """One direction of the input matters; decay draws all eight units into it."""
    model, checkpoints, x = trained_with_decay(2e-2)
    kept = {name: value.clone() for name, value in model.state_dict().items()}
    history = collapse_history(model, reversed(checkpoints))
    assert history.steps == (0, 500, 1000)
    rank = history.curve("0", "effective_rank")
    assert rank[0] > 1.9 > 1.2 > rank[1] > rank[2]
    assert rank[2] < 1.05
    assert all(torch.equal(model.state_dict()[name], value) for name, value in kept.items())
    assert from_json(CollapseHistory, to_json(history)) == history
    _, free, _ = trained_with_decay(0.0)
    assert collapse_history(model, free).curve("0", "effective_rank")[2] > 1.3
    seen = collapse_history(model, checkpoints, lambda one: activation_collapse(one, [x]))
    ranks = seen.curve("1", "effective_rank")
    assert ranks[0] > 1.7 > 1.4 > ranks[2]


def test_onset_is_the_first_step_of_lasting_collapse():
    model = network()
    free = {name: value.clone() for name, value in model.state_dict().items()}
    dead = {name: value.clone() for name, value in free.items()}
    dead["0.weight"][2], dead["0.bias"][2] = 0, 0
    states = [(0, free), (1, dead), (2, free), (3, dead), (4, dead)]
    history = collapse_history(model, states)
    assert history.curve("0", "dead") == (0, 1, 0, 1, 1)
    assert history.onset("0") == 3
    assert collapse_history(model, states[:3]).onset("0") is None
    with pytest.raises(InputError, match="no layer '7'"):
        history.onset("7")
    with pytest.raises(InputError, match="has no 'colour'"):
        history.curve("0", "colour")


def test_bad_input():
    model = network()
    with pytest.raises(InputError, match="tolerance of 1e-6 or more"):
        weight_collapse(model, tolerance=0)
    with pytest.raises(InputError, match="modulo among"):
        weight_collapse(model, modulo="rotation")
    with pytest.raises(InputError, match="no linear, convolution or attention layer"):
        weight_collapse(nn.ReLU())
    with pytest.raises(InputError, match="no module '9'"):
        activation_collapse(model, [], layers=["9"])
    with pytest.raises(InputError, match="was it called"):
        activation_collapse(model, [], layers=["1"])
    with pytest.raises(InputError, match="at least one checkpoint"):
        collapse_history(model, [])
    with pytest.raises(InputError, match="step 3 does not fit"):
        collapse_history(model, [(3, {})])
    model[0].weight.data[0, 0] = float("nan")
    with pytest.raises(InputError, match="the weight of '0'"):
        weight_collapse(model)
    with pytest.raises(InputError, match="not finite"):
        activation_collapse(model, [torch.zeros(2, 3).double()])
