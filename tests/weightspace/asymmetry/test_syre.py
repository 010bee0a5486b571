"""syre: static bias and anisotropic decay."""

from copy import deepcopy

import pytest
import torch
from torch import nn

from goldstone.core import InputError, generator
from goldstone.weightspace.asymmetry import syre, syre_optimiser, syre_penalty
from goldstone.weightspace.mirror import weight_collapse


def network(width=4):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, width), nn.Tanh(), nn.Linear(width, 1)).double()


def data():
    x = torch.randn(64, 2, dtype=torch.float64, generator=generator(0))
    return x, (2 * x[:, :1]).sin() * x[:, 1:]


def duplicated():
    """Two pairs of equal units: a network of two, in four."""
    model = network()
    with torch.no_grad():
        for tensor in (model[0].weight, model[0].bias, model[2].weight.T):
            tensor[2:] = tensor[:2]
    return model


def train(model, optimiser, penalty=None, steps=800):
    x, y = data()
    losses = []
    for _ in range(steps):
        optimiser.zero_grad()
        loss = (model(x) - y).square().mean()
        losses.append(loss.item())
        (loss if penalty is None else loss + penalty(model)).backward()
        optimiser.step()
    return losses


def distance(model):
    weight = model[0].weight.detach()
    return float((weight[2:] - weight[:2]).norm())


def test_plain_training_keeps_duplicates_exactly_and_syre_separates_them():
    plain = duplicated()
    losses = train(
        plain, torch.optim.SGD(plain.parameters(), lr=0.2, weight_decay=1e-3), steps=2000
    )
    assert distance(plain) < 1e-12
    assert weight_collapse(plain).layers["0"].duplicates == ((0, 2), (1, 3))
    model = syre(duplicated(), seed=0)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.2)
    better = train(model, optimiser, lambda m: 1e-3 * syre_penalty(m), steps=2000)
    # It starts at the very function, and with the very duplicates.
    assert better[0] == pytest.approx(losses[0])
    assert distance(model) > 1
    assert weight_collapse(model).layers["0"].duplicates == ()
    assert better[-1] < 0.5 * losses[-1]


def test_the_optimiser_form_takes_the_same_path():
    """Parametrised and through the optimiser, with the same θ₀ and D given to both."""
    wrapped = syre(network(), seed=3, scale=0.5, anisotropy=0.5)
    plain = network()
    twin = deepcopy(wrapped)
    lists = [
        (m, n)
        for m in twin.modules()
        for n in ("weight", "bias")
        if hasattr(m, "parametrizations") and n in m.parametrizations
    ]
    optimiser = torch.optim.SGD(plain.parameters(), lr=0.1)
    train(
        wrapped,
        torch.optim.SGD(wrapped.parameters(), lr=0.1),
        lambda m: 0.05 * syre_penalty(m),
        steps=50,
    )

    # Oracle: the penalty ½ΣD(w − θ₀)² written out.
    parameters = list(plain.parameters())
    known = [(m.parametrizations[n][0].bias, m.parametrizations[n][0].strengths) for m, n in lists]

    def penalty(_):
        return 0.05 * sum(
            0.5 * (d * (p - b).square()).sum() for p, (b, d) in zip(parameters, known, strict=True)
        )

    train(plain, optimiser, penalty, steps=50)
    torch.testing.assert_close(wrapped[0].weight, plain[0].weight, rtol=0, atol=1e-12)
    torch.testing.assert_close(wrapped[2].bias, plain[2].bias, rtol=0, atol=1e-12)


@pytest.mark.parametrize("decoupled", [False, True])
def test_the_hook_adds_the_gradient_of_the_penalty(decoupled):
    parameter = nn.Parameter(torch.randn(3, 4, dtype=torch.float64, generator=generator(0)))
    other = nn.Parameter(torch.zeros(2, dtype=torch.float64))
    start = parameter.detach().clone()
    optimiser = torch.optim.SGD([parameter, other], lr=0.1)
    settings = {"seed": 5, "scale": 1.0, "anisotropy": 0.5, "decoupled": decoupled}
    handle = syre_optimiser(optimiser, 0.3, **settings)
    parameter.sum().backward()
    optimiser.step()
    # w₁ = w₀ − lr(1 + λD(w₀ − θ₀)): a second point separates D from θ₀.
    pull = (start - parameter.detach()) / 0.1 - 1
    moved = nn.Parameter(start + 1)
    again = torch.optim.SGD([moved, nn.Parameter(torch.zeros(2))], lr=0.1)
    syre_optimiser(again, 0.3, **settings)
    moved.sum().backward()
    again.step()
    strengths = ((start + 1 - moved.detach()) / 0.1 - 1 - pull) / 0.3
    bias = start - pull / (0.3 * strengths)
    assert (strengths > 0.5).all()
    assert (strengths < 1.5).all()
    assert len(strengths.unique()) == 12
    assert 0.2 < bias.std() * 2 < 2  # 1/√4
    assert torch.equal(other, torch.zeros(2))  # no gradient, no decay
    handle.remove()
    kept = parameter.detach().clone()
    optimiser.zero_grad(set_to_none=False)
    optimiser.step()
    assert torch.equal(parameter, kept)


def test_decay_alone_ends_at_the_static_bias():
    model = syre(network(), seed=1, scale=2.0, anisotropy=0.3)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.5)
    for _ in range(200):
        optimiser.zero_grad()
        syre_penalty(model).backward()
        optimiser.step()
    bias = model[0].parametrizations.weight[0].bias
    torch.testing.assert_close(model[0].weight.detach(), bias)
    # σ₀ = scale/√inputs, here of 2 inputs.
    wide = syre(nn.Linear(400, 500), seed=0).parametrizations.weight[0].bias
    assert float(wide.std()) == pytest.approx(0.01 / 20, rel=0.02)


def test_the_function_stays_and_the_seed_decides():
    x, _ = data()
    plain, model = network(), syre(network(), seed=0)
    torch.testing.assert_close(model(x), plain(x), rtol=0, atol=1e-14)
    same, other = syre(network(), seed=0), syre(network(), seed=1)
    bias = [m[0].parametrizations.weight[0].bias for m in (model, same, other)]
    assert torch.equal(bias[0], bias[1])
    assert not torch.equal(bias[0], bias[2])
    loaded = syre(network(), seed=2)
    loaded.load_state_dict(model.state_dict())
    assert torch.equal(loaded(x), model(x))


def test_bad_input():
    with pytest.raises(InputError, match="recurrent layer"):
        syre(nn.LSTM(2, 3), seed=0)
    with pytest.raises(InputError, match="parametrisation already"):
        syre(syre(network(), seed=0), seed=0)
    tied = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    tied[1].weight = tied[0].weight
    with pytest.raises(InputError, match=r"'0\.weight' and '1\.weight' are one parameter"):
        syre(tied, seed=0)
    assert not hasattr(tied[0], "parametrizations")
    with pytest.raises(InputError, match="no floating-point parameters"):
        syre(nn.ReLU(), seed=0)
    with pytest.raises(InputError, match="scale > 0"):
        syre(network(), seed=0, scale=0)
    with pytest.raises(InputError, match="anisotropy of 0 or more"):
        syre(network(), seed=0, anisotropy=1)
    with pytest.raises(InputError, match="call syre"):
        syre_penalty(network())
    decaying = torch.optim.AdamW(network().parameters())
    with pytest.raises(InputError, match="weight_decay=0"):
        syre_optimiser(decaying, 1e-3, seed=0)
    with pytest.raises(InputError, match="strength ≥ 0"):
        syre_optimiser(torch.optim.SGD(network().parameters(), 0.1), -1, seed=0)


def test_a_closure_is_refused():
    """It would compute the gradients anew, after the decay was added, and lose it."""
    model = network()
    optimiser = torch.optim.LBFGS(model.parameters())
    syre_optimiser(optimiser, 1e-3, seed=0)
    with pytest.raises(InputError, match="without a closure"):
        optimiser.step(lambda: model(torch.zeros(1, 1)).sum())
    plain = torch.optim.SGD(model.parameters(), lr=0.1)
    syre_optimiser(plain, 1e-3, seed=0)
    with pytest.raises(InputError, match="without a closure"):
        plain.step(closure=lambda: 0.0)
    plain.step()
