"""Model, mode, gradients, hooks, buffers and random state: after any probe as before it."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from goldstone import AuditSettings, audit
from goldstone.actions import NAVIER_STOKES_FIELDS, Context, image_symmetry
from goldstone.auditing import (
    FineTuning,
    FlaggedLesson,
    Samples,
    Subject,
    Teaching,
    breaking_kind,
    connecting_path,
    data_symmetry,
    equivariance_errors,
    fine_tune,
    lie_derivative,
    lie_derivative_by_layer,
    loss_landscape,
    measure_layer_coherence,
    metric_over_orbit,
    orbit_gram,
    scaled,
    teach_once,
    unrolled_coherence,
)
from goldstone.auditing.settings import METRICS
from goldstone.core import InputError
from goldstone.systems.flows import Trajectories
from goldstone.systems.losses import mse

SETTINGS = AuditSettings(
    trajectories=10, samples=6, reference=2, rollout_steps=2, bootstrap=50, permutations=50
)
TURNS = image_symmetry("quarter-turns", (6, 6), 2, "same")
SHIFTS = replace(
    image_symmetry("shifts", (6, 6), 2, "same", mode="fourier", boundary="periodic"),
    elements=((1.0, 0.0), (0.0, 2.0)),  # whole pixels: noise has no values between them
)


def pairs(n=16):
    x = torch.randn(n, 2, 6, 6, generator=torch.Generator().manual_seed(0))
    return x, x.roll(1, 2)


def flow():
    x = pairs(12 * 5)[0].unflatten(0, (12, 5))
    return Trajectories(x, NAVIER_STOKES_FIELDS, 0.1, (1.0, 1.0), "unknown", {}, "noise", 0)


def subject(model, n=6):
    x, y = (t[:n] for t in pairs())
    return Subject.measure(model, Samples(x, y, torch.arange(n), Context()), mse, SETTINGS)


def taught(model):
    lesson = FlaggedLesson("grow", scaled(2.0), share=0.5)
    return teach_once(subject(model, 12), TURNS, [1], lesson, Teaching(FineTuning(steps=3)))


class Counting(nn.Module):
    """Counts its calls in a buffer, which no output depends on."""

    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros((), dtype=torch.long))

    def forward(self, x):
        self.calls += 1
        return x


def network():
    """With a bit of everything that a probe could leave behind."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = nn.Sequential(
            nn.Conv2d(2, 4, 3, padding=1, padding_mode="circular"),
            nn.BatchNorm2d(4),
            nn.Tanh(),
            Counting(),
            nn.Dropout(0.5),
            parametrizations.spectral_norm(nn.Conv2d(4, 2, 1)),
        )
    model.eval()
    model[2].train()  # modes may be mixed where they make no difference
    model[1].bias.requires_grad_(False)
    model[0].weight.grad = torch.full_like(model[0].weight, 3.0)
    model[0].register_forward_hook(lambda module, args, out: out * 1.5)
    model[0].bias.register_hook(lambda gradient: gradient * 1.0)
    return model


def state(model):
    """All that has to be as before, with the identity of tensors, not their values alone."""
    tensors = [*model.named_parameters(), *model.named_buffers()]
    return {
        "values": {name: (t.data_ptr(), t.detach().clone()) for name, t in tensors},
        "grads": {
            name: (p.requires_grad, None if p.grad is None else (p.grad.data_ptr(), p.grad.clone()))
            for name, p in model.named_parameters()
        },
        "modes": [module.training for module in model.modules()],
        "hooks": [
            [
                list(getattr(module, kind))
                for kind in vars(module)
                if kind.endswith("_hooks") and getattr(module, kind) is not None
            ]
            for module in model.modules()
        ],
        "tensor hooks": [list(p._backward_hooks or ()) for p in model.parameters()],
        "attributes": [sorted(vars(module)) for module in model.modules()],
        "random": torch.get_rng_state(),
        "switches": (
            torch.is_grad_enabled(),
            torch.backends.mha.get_fastpath_enabled(),
            torch.backends.cuda.flash_sdp_enabled(),
            torch.get_num_threads(),
            torch.get_default_dtype(),
            torch.are_deterministic_algorithms_enabled(),
        ),
    }


def assert_same(before, after):
    if isinstance(before, torch.Tensor):
        assert torch.equal(before, after)
    elif isinstance(before, dict):
        assert before.keys() == after.keys()
        for key, value in before.items():
            assert_same(value, after[key])
    elif isinstance(before, (tuple, list)):
        assert len(before) == len(after)
        for a, b in zip(before, after, strict=True):
            assert_same(a, b)
    else:
        assert before == after


PROBES = {
    "audit": lambda m: audit(m, pairs(), TURNS, settings=SETTINGS),
    "audit, every probe": lambda m: audit(
        m, pairs(), TURNS, settings=AuditSettings(**(vars(SETTINGS) | {"probes": ("all",)}))
    ),
    "audit, shifts and history": lambda m: audit(
        m, pairs(), SHIFTS, settings=SETTINGS, shifts=True, history=[(1, m)]
    ),
    "equivariance errors": lambda m: equivariance_errors(m, pairs()[0], TURNS),
    "Lie derivative": lambda m: lie_derivative(m, pairs()[0], SHIFTS),
    "Lie derivative by layer": lambda m: lie_derivative_by_layer(m, pairs()[0], SHIFTS, (1.0, 0.0)),
    "metric over the orbit": lambda m: metric_over_orbit(m, *pairs(), TURNS, mse),
    "breaking": lambda m: breaking_kind(
        [m, m], pairs()[0], TURNS, data_symmetry(pairs()[0], TURNS, permutations=60)
    ),
    "orbit Gram": lambda m: orbit_gram(subject(m), TURNS, [1, 2]),
    "layer coherence": lambda m: measure_layer_coherence(subject(m), TURNS, [1]),
    "landscape": lambda m: loss_landscape(subject(m), TURNS, [1]),
    "unrolled": lambda m: unrolled_coherence(m, flow(), TURNS, [1], mse, settings=SETTINGS),
    "path": lambda m: connecting_path(m, m, subject(m).samples, TURNS, [1], mse),
    "fine-tuning": lambda m: fine_tune(m, subject(m).samples, mse, TURNS, [1]),
    "teach once": taught,
}


@pytest.mark.parametrize("probe", PROBES)
def test_after_every_probe_the_model_is_as_it_was(probe):
    model = network()
    before = state(model)
    PROBES[probe](model)
    assert_same(before, state(model))


@pytest.mark.parametrize("metric", METRICS)
def test_after_every_metric(metric):
    model = network()
    optimiser = torch.optim.Adam(p for p in model.parameters() if p.requires_grad)
    mse(model(pairs()[0]), pairs()[1]).mean().backward()
    optimiser.step()
    before = state(model)
    settings = AuditSettings(
        **(vars(SETTINGS) | {"metrics": (metric,), "decisive_metric": metric, "damping": 0.1})
    )
    turn = replace(TURNS, elements=(1,))
    audit(model, pairs(), turn, settings=settings, optimiser=optimiser.state_dict())
    assert_same(before, state(model))


class InterruptError(Exception):
    """Raised in the middle, as Ctrl-C is."""


class Bomb(nn.Module):
    """Raises at a call of its choice, having used the random state and spoilt a buffer."""

    def __init__(self, at):
        super().__init__()
        self.inner, self.at, self.count = network(), at, 0
        self.register_buffer("spoilt", torch.zeros(()))

    def forward(self, x):
        self.count += 1
        if self.count == self.at:
            torch.rand(5)
            self.spoilt.fill_(1.0)
            self.inner.train()
            raise InterruptError
        return self.inner(x)


@pytest.mark.parametrize("at", [7, 20, 60, 100, 200])
@pytest.mark.parametrize("probe", ["audit, every probe", "equivariance errors", "Lie derivative"])
def test_after_an_error_in_the_middle_too(probe, at):
    model = Bomb(at)
    before = state(model)
    try:
        PROBES[probe](model)
    except (InterruptError, InputError):
        assert model.count == at
    else:
        assert model.count < at
    assert_same(before, state(model))


def test_after_a_refusal():
    model = network().train()
    before = state(model)
    with pytest.raises(InputError, match="training mode"):
        audit(model, pairs(), TURNS)
    assert_same(before, state(model))


def test_the_same_numbers_whatever_the_random_state_and_mode():
    model = network()
    first = audit(model, pairs(), TURNS, settings=SETTINGS)
    torch.rand(17)
    for p in model.parameters():
        p.grad = None
    with torch.no_grad():
        again = audit(model, pairs(), TURNS, settings=SETTINGS)
    assert again.elements == first.elements


def test_in_inference_mode():
    run = partial(audit, network(), pairs(), TURNS, settings=SETTINGS)
    with torch.inference_mode():
        assert run().elements == run().elements
