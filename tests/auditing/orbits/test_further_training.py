"""Further training goes on exactly where an optimiser stopped."""

import copy

import pytest
import torch
from torch import nn

from goldstone.auditing.further_training import FineTuning, further_optimiser, train_copy
from goldstone.core import InputError
from goldstone.systems.losses import mse

KINDS = {
    "adam": (torch.optim.Adam, {"weight_decay": 0.3, "betas": (0.5, 0.9)}),
    "adamw": (torch.optim.AdamW, {"weight_decay": 0.3}),
    "sgd": (torch.optim.SGD, {"momentum": 0.8, "nesterov": True}),
}
x, y = torch.randn(2, 6, 3, generator=torch.Generator().manual_seed(0))


def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 3))


def go(model, optimiser, steps):
    for _ in range(steps):
        optimiser.zero_grad()
        mse(model(x), y).mean().backward()
        optimiser.step()
    optimiser.zero_grad()


def weights(model):
    return torch.cat([p.detach().reshape(-1) for p in model.parameters()])


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_the_same_optimiser_at_the_given_rate(kind, grouped) -> None:
    make, arguments = KINDS[kind]
    model = network()
    parts = list(model.named_parameters())
    groups = [{"params": parts[2:]}, {"params": parts[:2]}] if grouped else parts
    optimiser = make(groups, lr=0.05, **arguments)
    go(model, optimiser, 4)
    state = copy.deepcopy(optimiser.state_dict())
    tuning = FineTuning(steps=3, batch=6, learning_rate=0.02)
    seen = []
    tuned = train_copy(
        model,
        lambda source: (x, y),
        mse,
        tuning,
        state=state,
        look=lambda k, f: seen.append((k, weights(f))),
    )
    for group in optimiser.param_groups:
        group["lr"] = 0.02
    for step, after in seen:
        go(model, optimiser, 1)
        torch.testing.assert_close(after, weights(model), msg=f"step {step}")
    assert [step for step, _ in seen] == [1, 2, 3]
    torch.testing.assert_close(weights(tuned), weights(model))


def test_a_state_that_does_not_fit_is_refused() -> None:
    model, other = network(), nn.Linear(3, 3)
    optimiser = torch.optim.Adam(other.parameters())
    go(other, optimiser, 1)
    with pytest.raises(InputError, match="holds 2 parameters, the model 4"):
        further_optimiser(model, FineTuning(), optimiser.state_dict())
    rprop = torch.optim.Rprop(model.parameters())
    go(model, rprop, 1)
    with pytest.raises(InputError, match="Adam, AdamW or SGD"):
        further_optimiser(model, FineTuning(), rprop.state_dict())
    with pytest.raises(InputError, match="no state yet"):
        further_optimiser(model, FineTuning(), torch.optim.Adam(model.parameters()).state_dict())
