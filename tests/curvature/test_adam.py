"""Adam's metric against the steps that torch's Adam makes."""

import io

import pytest
import torch
from torch import nn

from goldstone.core import InputError
from goldstone.curvature import adam_metric, per_sample_gradients, trainable_parameters


def train(model, inputs, optimiser, steps=3):
    for k in range(steps):
        optimiser.zero_grad()
        (model(inputs) ** (2 + k)).sum().backward()
        optimiser.step()
    optimiser.zero_grad(set_to_none=True)


def used(model):
    """Without the parameter that has no gradient."""
    for name, p in model.named_parameters():
        if "spare" in name:
            p.requires_grad_(False)
    return model


@pytest.mark.parametrize("make", [torch.optim.Adam, torch.optim.AdamW])
@pytest.mark.parametrize("amsgrad", [False, True])
def test_is_what_the_next_step_divides_by(model, inputs, make, amsgrad):
    used(model)
    optimiser = make(model.parameters(), lr=1e-3, weight_decay=0.0, eps=1e-4, amsgrad=amsgrad)
    train(model, inputs, optimiser)
    buffer = io.BytesIO()
    torch.save(optimiser.state_dict(), buffer)
    buffer.seek(0)
    metric = adam_metric(model, torch.load(buffer, weights_only=True))
    # The oracle is torch's own update: with β₁ = 0 in the state's place, a step on the gradient g
    # that leaves v as it is moves the parameters by −lr g/(√v̂ + ε). Written out from its state:
    wanted = []
    for p in trainable_parameters(model).values():
        state = optimiser.state[p]
        v = state["max_exp_avg_sq" if amsgrad else "exp_avg_sq"]
        v = torch.view_as_real(v) if v.is_complex() else v
        wanted.append(((v / (1 - 0.999**3)).sqrt() + 1e-4).reshape(-1))
    torch.testing.assert_close(metric.diagonal, torch.cat(wanted))
    rows = per_sample_gradients(model, lambda y, i: y.sum(), inputs[:2])
    torch.testing.assert_close(metric.gram(rows), rows / torch.cat(wanted) @ rows.T)


def test_predicts_the_first_step_of_torch(make_model, inputs):
    """After one step v̂ = g² and m̂ = g, whatever the betas: the step is −lr P⁻¹g."""
    model = used(make_model("unused"))
    before = torch.cat([p.detach().reshape(-1) for p in trainable_parameters(model).values()])
    (gradient,) = per_sample_gradients(model, lambda y, i: (y**2).sum(), inputs[:1])
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2, eps=0.3)
    train(model, inputs[:1], optimiser, 1)
    after = torch.cat([p.detach().reshape(-1) for p in trainable_parameters(model).values()])
    step = -1e-2 * adam_metric(model, optimiser.state_dict()).solve(gradient[None])[0]
    torch.testing.assert_close(after - before, step, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("named", [True, False])
def test_groups_are_matched_by_name(make_model, inputs, named):
    model = used(make_model("unused"))
    known = trainable_parameters(model)
    # Biases first: not the model's order.
    order = sorted(known, key=lambda name: "weight" in name)
    split = [[n for n in order if "bias" in n], [n for n in order if "weight" in n]]
    groups = [
        {"params": [(n, known[n]) if named else known[n] for n in names], "eps": eps}
        for names, eps in zip(split, (1e-3, 1e-2), strict=True)
    ]
    optimiser = torch.optim.Adam(groups)
    train(model, inputs, optimiser)
    state = optimiser.state_dict()
    if not named:
        with pytest.raises(InputError, match="pass names"):
            adam_metric(model, state)
    metric = adam_metric(model, state, None if named else order)
    start = 0
    for name, p in known.items():
        wanted = (optimiser.state[p]["exp_avg_sq"] / (1 - 0.999**3)).sqrt()
        wanted = wanted + (1e-3 if "bias" in name else 1e-2)
        found = metric.diagonal[start : start + p.numel()]
        torch.testing.assert_close(found, wanted.reshape(-1))
        start += p.numel()


def test_bad_states_are_refused(make_model, inputs):
    model = used(make_model("unused"))
    optimiser = torch.optim.Adam(model.parameters())
    with pytest.raises(InputError, match="no state yet"):
        adam_metric(model, optimiser.state_dict())
    train(model, inputs, optimiser)
    state = optimiser.state_dict()
    with pytest.raises(InputError, match="state_dict with"):
        adam_metric(model, {"epoch": 3, "optimiser": state})
    with pytest.raises(InputError, match="another model"):
        adam_metric(nn.Linear(2, 2), state)
    other = used(make_model("unused"))
    other.first = nn.Conv2d(2, 3, 5).double()
    with pytest.raises(InputError, match=r"first\.weight: the optimiser's second moments"):
        adam_metric(other, state)
    del state["state"][2]
    with pytest.raises(InputError, match=r"no state for first\.weight"):
        adam_metric(model, state)
    with pytest.raises(InputError, match="distinct names"):
        adam_metric(model, optimiser.state_dict(), ["first.weight"])
    momentum = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    train(model, inputs, momentum)
    with pytest.raises(InputError, match="state of an Adam"):
        adam_metric(model, momentum.state_dict())


def test_a_parameter_the_optimiser_does_not_train_is_named(make_model, inputs):
    model = used(make_model("unused"))
    optimiser = torch.optim.Adam(model.first.named_parameters())
    names = ["first.weight", "first.bias"]
    train(model, inputs, optimiser)
    with pytest.raises(InputError, match=r"second\.weight"):
        adam_metric(model, optimiser.state_dict(), names)
