"""Of a function of two numbers under their exchange, and what is refused."""

import json

import pytest
import torch
from torch import nn

from goldstone.actions import LinearAction, Symmetry, TrivialAction
from goldstone.advice import PriceTag, price_tag
from goldstone.auditing import AuditSettings, FineTuning, Subject
from goldstone.core import InputError, from_json, to_json
from goldstone.groups import CyclicGroup
from goldstone.representations import RegularRepresentation
from goldstone.systems.losses import mse

C2 = CyclicGroup(2)
SWAP = Symmetry("swap", C2, LinearAction(RegularRepresentation(C2)), TrivialAction())
SETTINGS = AuditSettings(bootstrap=200, permutations=100)
SGD = FineTuning(steps=300, optimiser="sgd", learning_rate=0.02, momentum=0.0)


class Table(nn.Module):
    """Weights times given features."""

    def __init__(self, features, weights):
        super().__init__()
        self.features = features
        self.weight = nn.Parameter(torch.tensor(weights, dtype=torch.float64)[:, None])

    def forward(self, x):
        return torch.stack(self.features(x), 1) @ self.weight


def subject_of(model, n=24, spread=(2.0, 0.5), noise=0.05):
    source = torch.Generator().manual_seed(0)
    x = torch.randn(n, 2, generator=source).double() * torch.tensor(spread) + 0.5
    y = x.sum(1, keepdim=True) + noise * torch.randn(n, 1, generator=source).double()
    return Subject.of(model.eval(), x, y, mse, settings=SETTINGS)


def separate(x):
    return [x[:, 0], x[:, 1]]


def shared(x):
    return [x[:, 0] + x[:, 1]]


def test_built_in_equivariance_holds_and_costs_nothing():
    found = price_tag(subject_of(Table(shared, [0.8])), SWAP, [1], SGD).elements["r"]
    assert found.status == "holds"
    assert found.log_ratio.estimate == pytest.approx(0, abs=1e-9)


def test_a_broken_element_is_priced_as_gradient_descent_on_the_population_has_it():
    """E x xᵀ is known; T_g is that of the same samples, until the ratio falls to two."""
    model = Table(separate, [1.0, 0.5])
    source = subject_of(model, n=48)
    samples = source.samples
    coarse = AuditSettings(bootstrap=200, permutations=100, tolerance=1.0)
    subject = Subject.of(model, samples.inputs, samples.targets, mse, settings=coarse)
    found = price_tag(subject, SWAP, [1], SGD).elements["r"]
    x, y = samples.inputs, samples.targets
    second = torch.tensor([[4.25, 0.25], [0.25, 0.5]]).double()  # E x xᵀ
    both = (second + second.flip(0, 1)) / 2
    weight, truth = model.weight.detach().clone(), torch.ones(2, 1).double()
    ratios = {}
    for step in range(301):
        plain, moved = ((z @ weight - y).square()[:, 0] for z in (x, x.flip(1)))
        ratios[step] = float((moved.log() - plain.log()).mean())
        weight -= 0.02 * 2 * both @ (weight - truth)
    actual = next(k for k in ratios if ratios[k] < coarse.log_tolerance)
    assert found.status in ("priced", "free")
    assert found.log_ratio.estimate == pytest.approx(ratios[0])
    assert found.steps.estimate == pytest.approx(actual, rel=0.5)
    assert found.steps.low < actual


def test_weights_that_the_usual_samples_teach_come_along_for_free():
    """Both numbers vary in the data as they are: the error lies in weights that these teach."""
    model = Table(separate, [1.0, 0.5])
    subject = subject_of(model, n=96, spread=(1.5, 0.8))
    found = price_tag(subject, SWAP, [1], SGD).elements["r"]
    assert found.status == "free"
    assert found.without < SETTINGS.log_tolerance


def test_what_comes_for_free_may_be_out_of_reach_of_few_samples():
    model = Table(separate, [1.0, 0.5])
    subject = subject_of(model, n=96, spread=(1.5, 0.8))
    tag = price_tag(subject, SWAP, [1], SGD, pool=2)
    found = tag.elements["r"]
    assert found.status == "free"
    assert found.steps.estimate is None
    assert "free, training as before brings it along; with transformed samples not within 300" in (
        tag.statement
    )


def test_training_that_diverges_brings_nothing_along():
    """Without transformed samples the first weight grows for ever, and T_g falls with it."""
    wild = FineTuning(steps=100, optimiser="sgd", learning_rate=0.14, momentum=0.0)
    subject = subject_of(Table(separate, [1.0, 0.5]), n=96, spread=(3.0, 0.5))
    found = price_tag(subject, SWAP, [1], wild, samples=False).elements["r"]
    assert found.without < SETTINGS.log_tolerance
    assert found.status == "priced"


def test_what_the_model_cannot_learn_is_not_within_any_number_of_steps():
    model = Table(lambda x: [x[:, 0]], [1.0])
    found = price_tag(subject_of(model, spread=(2.0, 0.1)), SWAP, [1], SGD).elements["r"]
    assert found.status == "not within"
    assert found.steps.estimate is None


def test_too_large_a_rate_is_no_forecast():
    wild = FineTuning(steps=100, optimiser="sgd", learning_rate=5.0, momentum=0.9)
    tag = price_tag(subject_of(Table(separate, [1.0, 0.5])), SWAP, [1], wild)
    assert tag.elements["r"].status == "unstable"
    assert "learning rate is too large" in tag.statement


def test_the_result_survives_json_and_the_model_is_left_alone():
    model = Table(separate, [1.0, 0.5])
    subject = subject_of(model)
    before = model.weight.detach().clone()
    tag = price_tag(subject, SWAP, ["r"], FineTuning(steps=50, learning_rate=1e-2))
    assert torch.equal(model.weight, before)
    assert model.weight.grad is None
    assert from_json(PriceTag, json.loads(json.dumps(to_json(tag)))) == tag
    assert tag.complete
    assert tag == price_tag(subject, SWAP, ["r"], FineTuning(steps=50, learning_rate=1e-2))


def test_bad_input_is_refused():
    subject = subject_of(Table(separate, [1.0, 0.5]))
    with pytest.raises(InputError, match="parts and pool"):
        price_tag(subject, SWAP, [1], parts=0)
    with pytest.raises(InputError, match="parts and pool"):
        price_tag(subject, SWAP, [1], pool=0)
    frozen = Table(separate, [1.0, 0.5])
    frozen.weight.requires_grad_(False)
    with pytest.raises(InputError, match="no trainable parameter"):
        price_tag(subject_of(frozen), SWAP, [1])
    small = AuditSettings(bootstrap=200, permutations=100, memory=100)
    samples = subject.samples
    tight = Subject.of(subject.model, samples.inputs, samples.targets, mse, settings=small)
    with pytest.raises(InputError, match="fewer samples"):
        price_tag(tight, SWAP, [1])
