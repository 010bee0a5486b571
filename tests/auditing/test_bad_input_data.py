"""Data, losses and symmetries that do not fit: an error that says so, or no verdict and why."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from goldstone import AuditSettings, Symmetry, audit
from goldstone.actions import Context, TrivialAction, image_symmetry
from goldstone.auditing import (
    Samples,
    data_symmetry,
    equivariance_errors,
    lie_derivative,
    metric_over_orbit,
)
from goldstone.core import InputError
from goldstone.groups import CyclicGroup
from goldstone.systems.losses import cross_entropy, mse

SETTINGS = AuditSettings(
    trajectories=12, samples=8, reference=2, rollout_steps=0, bootstrap=200, permutations=200
)
TURNS = image_symmetry("quarter-turns", (6, 6), 2, "same")


def pairs(n=24):
    x = torch.randn(n, 2, 6, 6, generator=torch.Generator().manual_seed(0))
    return x, (x.roll(1, 2) + x.roll(-1, 2) + x.roll(1, 3) + x.roll(-1, 3)) / 4


def model(seed=0, **changes):
    """Near to the truth, which is the mean over neighbours."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = nn.Conv2d(2, 2, 3, padding=1, padding_mode="circular", **changes)
    with torch.no_grad():
        net.weight *= 0.1
        for channel in (0, 1):
            net.weight[channel, channel] += torch.tensor(
                [[0, 0.25, 0], [0.25, 0, 0.25], [0, 0.25, 0]]
            )
    return net


def run(data=None, symmetry=TURNS, net=None, **arguments):
    data = pairs() if data is None else data
    return audit(net or model(), data, symmetry, **({"settings": SETTINGS} | arguments))


def with_value(value, of="inputs", place=(3, 1, 2, 2)):
    x, y = pairs()
    (x if of == "inputs" else y)[place] = value
    return x, y


BAD_DATA = {
    "nothing": (lambda: tuple(t[:0] for t in pairs()), "at least 8 .*got 0"),
    "one sample": (lambda: tuple(t[:1] for t in pairs()), "at least 8 .*got 1"),
    "too few": (lambda: tuple(t[:7] for t in pairs()), "at least 8 .*got 7"),
    "NaN": (lambda: with_value(float("nan")), r"inputs: .*1 NaN.*index \(3, 1, 2, 2\)"),
    "infinity": (lambda: with_value(float("inf"), "targets"), "targets: expected finite"),
    "meta": (lambda: tuple(t.to("meta") for t in pairs()), "inputs: .*meta device"),
    "no sample axis": (lambda: (torch.ones(()), torch.ones(())), "number of samples in first"),
    "numbers differ": (lambda: (pairs()[0], pairs()[1][:-1]), "24 inputs and 23 targets"),
    "inputs alone": (lambda: pairs()[0], r"pair \(inputs, targets\).*got a Tensor"),
    "a list": (lambda: list(pairs()), r"pair \(inputs, targets\).*got a list"),
    "three": (lambda: (*pairs(), pairs()[0]), "got a tuple of 3"),
    "numpy": (lambda: tuple(map(np.asarray, pairs())), "tensor.*got a ndarray"),
    "a loader": (
        lambda: DataLoader(TensorDataset(*pairs()), 4),
        "got a DataLoader; of a DataLoader concatenate",
    ),
    "bytes": (
        lambda: (pairs()[0].to(torch.uint8), pairs()[1]),
        r"inputs: expected floating-point fields .*torch.uint8",
    ),
    "targets of another shape": (
        lambda: (pairs()[0], pairs()[1][:, :1]),
        "2 channels .* the data have 1",
    ),
    "no channel axis": (lambda: (pairs()[0][:, 0], pairs()[1]), "add the channel axis"),
}


@pytest.mark.parametrize("kind", BAD_DATA)
def test_data_that_cannot_be_audited(kind):
    make, message = BAD_DATA[kind]
    with pytest.raises(InputError, match=message):
        run(make())


_STANDALONE = {
    "nothing": "one or more samples, got none",
    "NaN": r"inputs: .*1 NaN",
    "meta": "inputs: .*meta device",
    "no sample axis": "number of samples in first place",
    "bytes": r"fails on inputs.*call .float\(\)",
}


@pytest.mark.parametrize("kind", _STANDALONE)
def test_probes_that_stand_alone_refuse_them_too(kind):
    x, y = BAD_DATA[kind][0]()
    shifts = image_symmetry("shifts", (6, 6), 2, "same")
    for probe in (
        lambda: equivariance_errors(model(), x, TURNS),
        lambda: lie_derivative(model(), x, shifts),
        lambda: metric_over_orbit(model(), x, y, TURNS, mse),
    ):
        with pytest.raises(InputError, match=_STANDALONE[kind]):
            probe()
    if kind != "bytes":  # they are data all the same
        with pytest.raises(InputError, match=r"got 0|NaN|meta device|first place"):
            data_symmetry(x, TURNS)


def test_one_sample_is_enough_for_an_error_but_for_no_interval():
    found = equivariance_errors(model(), pairs()[0][:1], TURNS)
    for element in found.elements:
        assert element.error.estimate > 0
        assert element.error.low is None


def scalar(prediction, target):
    return (prediction - target).square().mean()


def of_batch(prediction, target):
    return mse(prediction, target) / target.std()


def in_place(prediction, target):
    return prediction.sub_(target).square().flatten(1).mean(1)


BAD_LOSSES = {
    "one number": (scalar, r"one number per sample, shape \(4,\), got \(\).*reduction='none'"),
    "every pixel": (lambda p, t: (p - t).square(), r"got \(4, 2, 6, 6\)"),
    "a float": (lambda p, t: float(scalar(p, t)), "got a float"),
    "a module that averages": (nn.MSELoss(), r"got \(\).*reduction='none'"),
    "batch mates": (of_batch, "loss of a sample depends on the other samples"),
    "in place": (in_place, "changes the prediction in place"),
    "NaN": (lambda p, t: mse(p, t).neg().sqrt(), "loss of the first samples: .*NaN"),
    "fails": (lambda p, t: p["out"] - t, "the loss fails on"),
}


@pytest.mark.parametrize("kind", BAD_LOSSES)
def test_losses_that_are_none(kind):
    loss, message = BAD_LOSSES[kind]
    with pytest.raises(InputError, match=message):
        run(loss=loss)


def test_labels_that_do_not_fit_the_logits():
    net = nn.Sequential(nn.Flatten(), nn.Linear(72, 3))
    classes = image_symmetry("quarter-turns", (6, 6), 2)
    x = pairs()[0]
    for labels in (torch.arange(24) % 5 + 3, torch.zeros(24, 1, dtype=torch.long)):
        with pytest.raises(InputError, match=r"the loss fails on a prediction \(4, 3\)"):
            run((x, labels), classes, net)


def test_a_loss_that_is_not_invariant_leaves_transports_undetermined():
    ramp = torch.linspace(0.1, 2, 6)

    def weighted(prediction, target):
        return ((prediction - target).square() * ramp).flatten(1).mean(1)

    result = run(loss=weighted)
    assert result.model.has_skill
    assert not result.precheck.loss_is_invariant
    assert result.verdict.transports.answer == "undetermined"
    assert "loss not invariant" in result.elements[1].reason
    claimed = run(symmetry=replace(TURNS, fixes_loss=False))
    assert not claimed.precheck.loss_is_invariant


@dataclass(frozen=True)
class Turn:
    """Quarter turns of the last two axes, also where they differ in size."""

    def act(self, element, x, context):
        return x.rot90(element, (-2, -1))


@dataclass(frozen=True)
class FlipInPlace:
    """Sign change that overwrites the state."""

    def act(self, element, x, context):
        return x.neg_() if element else x


@dataclass(frozen=True)
class Unlawful:
    """Adds g instead of acting."""

    def act(self, element, x, context):
        return x + element * x.sign()


def symmetry_of(action, order=4, elements=(), output=None):
    return Symmetry("odd", CyclicGroup(order), action, output or action, elements=elements)


@pytest.mark.parametrize("elements", [(), (2, 1)])
def test_an_element_that_changes_the_shape(elements):
    data = tuple(t[..., :4] for t in pairs())
    message = r"on_input of 'odd' changes the shape .*6, 4\) to .*4, 6\)"
    with pytest.raises(InputError, match=message):
        run(data, symmetry_of(Turn(), elements=elements))


def test_an_action_that_is_none():
    with pytest.raises(InputError, match="on_input of 'odd' breaks the laws of an action"):
        run(symmetry=symmetry_of(Unlawful()))
    x, y = pairs()
    with pytest.raises(InputError, match="changes the state that it is given in place"):
        run((x, y), symmetry_of(FlipInPlace(), 2))
    assert torch.equal(x, pairs()[0])
    assert torch.equal(y, pairs()[1])


def test_a_symmetry_of_the_input_alone_is_no_error_but_broken():
    result = run(symmetry=symmetry_of(Turn(), output=TrivialAction()))
    assert result.verdict.holds.answer == "no"


def test_a_model_that_overwrites_its_input_is_refused_and_the_data_are_whole():
    x, y = pairs()
    net = nn.Sequential(nn.ReLU(inplace=True), model())
    with pytest.raises(InputError, match=r"changes its input in place.*on a copy"):
        run((x, y), net=net)
    assert torch.equal(x, pairs()[0])
    assert run(net=nn.Sequential(model(), nn.ReLU(inplace=True))).provenance.gradients > 0


def test_equal_samples_have_no_null():
    x, y = (t[:1].expand(24, -1, -1, -1) for t in pairs())
    result = run((x, y))
    assert result.verdict.transports.answer == "undetermined"
    assert all(e.orbit_coherence["euclidean"].estimate is None for e in result.elements)


def test_data_of_nothing_but_zeros():
    x, y = (torch.zeros_like(t) for t in pairs())
    result = run((x, y), net=model(bias=False))
    assert result.verdict.holds.answer == "undetermined"
    assert result.verdict.transports.answer == "undetermined"


def test_the_dtype_and_graph_of_the_data_do_not_matter():
    plain = run()
    x, y = pairs()
    assert run((x.double(), y.double())).elements == plain.elements
    assert run((x.clone().requires_grad_(), y.clone().requires_grad_())).elements == plain.elements
    assert run((x.clone().requires_grad_() * 1, y)).elements == plain.elements


def test_tokens_go_to_the_model_as_they_are():
    """Logits at every place, classes on the last axis; an embedding knows no place."""
    source = torch.Generator().manual_seed(0)
    tokens = torch.randint(7, (24, 5), generator=source)

    def loss(prediction, target):
        return cross_entropy(prediction.transpose(1, 2), target)

    net = nn.Embedding(7, 7)
    with torch.no_grad():
        net.weight.copy_(4 * torch.eye(7).roll(1, 1))
    shift = Symmetry("shifts", CyclicGroup(5), Roll(), Roll())
    result = run((tokens, (tokens + 1) % 7), shift, net, loss=loss)
    assert result.model.has_skill
    assert result.model.log_loss_over_persistence.estimate is None
    assert result.model.log_loss_over_climatology.estimate < -2
    assert result.verdict.holds.answer == "yes"
    assert all(e.grade == "exact" for e in result.elements)


@dataclass(frozen=True)
class Roll:
    """Cyclic shifts of the first axis after the samples."""

    def act(self, element, x, context):
        return x.roll(element, 1)


def test_samples_of_one_trajectory_have_no_null_for_gradient_probes():
    from goldstone.auditing import Subject, stiffness
    from goldstone.auditing.orbit_gram import orbit_gram

    x, y = pairs(8)
    samples = Samples(x, y, torch.zeros(8, dtype=torch.long), Context())
    subject = Subject.measure(model(), samples, mse, SETTINGS)
    with pytest.raises(InputError, match="one sample of each trajectory"):
        stiffness(orbit_gram(subject, TURNS, [1]), subject)
    with pytest.raises(InputError, match=r"expected a torch.nn.Module, got a function"):
        Subject.measure(lambda x: x, samples, mse, SETTINGS)
