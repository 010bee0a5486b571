"""Gradients by vmap where that pays, one by one where it does not: the same numbers, and said."""

import pytest
import torch
from torch import nn

from goldstone.actions import LinearAction, Symmetry
from goldstone.auditing import AuditSettings, audit, gradients
from goldstone.groups import CyclicGroup
from goldstone.representations import PermutationRepresentation


def cycles() -> Symmetry:
    group = CyclicGroup(6)
    table = (tuple((i + 1) % 6 for i in range(6)),)
    action = LinearAction(PermutationRepresentation(group, table))
    return Symmetry("cycles", group, action, action)


class Perceptron(nn.Module):
    """Two layers; ``refuses`` looks at a number, which vmap cannot."""

    def __init__(self, *, refuses: bool) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.layers = nn.Sequential(nn.Linear(6, 24), nn.Tanh(), nn.Linear(24, 6)).double()
        self.refuses = refuses

    def forward(self, first, second):
        if self.refuses and float(first.detach().abs().max()) > 1e9:
            raise ValueError("out of range")
        return self.layers(first + second)


@pytest.fixture(scope="module")
def pairs():
    source = torch.Generator().manual_seed(1)
    first, second, noise = torch.randn(3, 50, 6, dtype=torch.float64, generator=source)
    with torch.no_grad():
        target = Perceptron(refuses=False)(first, second) + 0.1 * noise
    return (first, second), target


class Both:
    """The same permutation of both inputs."""

    def __init__(self, action):
        self.action = action

    def act(self, element, x, context):
        return tuple(self.action.act(element, part, context) for part in x)


def symmetry():
    plain = cycles()
    return Symmetry("cycles", plain.group, Both(plain.on_input), plain.on_output)


def settings(samples):
    return AuditSettings(
        samples=samples, trajectories=40, reference=4, bootstrap=100, permutations=100
    )


def test_small_models_of_many_samples_go_through_vmap_with_the_same_numbers(pairs, monkeypatch):
    model = Perceptron(refuses=False)
    batched = audit(model, pairs, symmetry(), settings=settings(40))
    assert batched.provenance.gradient_path == "vmap of grad, forward mode"
    monkeypatch.setattr(gradients, "FEWEST_BATCHED", 10**9)
    looped = audit(model, pairs, symmetry(), settings=settings(40))
    assert looped.provenance.gradient_path == "loop of autograd.grad, forward mode"
    for a, b in zip(batched.elements, looped.elements, strict=True):
        for name in ("orbit_coherence", "raw_pair_coherence", "probe_coherence"):
            for metric in ("euclidean", "galerkin"):
                found, wanted = getattr(a, name)[metric], getattr(b, name)[metric]
                assert found.estimate == pytest.approx(wanted.estimate, abs=1e-8)


def test_few_samples_and_what_vmap_refuses_go_through_the_loop(pairs):
    few = audit(Perceptron(refuses=False), pairs, symmetry(), settings=settings(16))
    assert few.provenance.gradient_path.startswith("loop of autograd.grad")
    refused = audit(Perceptron(refuses=True), pairs, symmetry(), settings=settings(40))
    assert refused.provenance.gradient_path.startswith("loop of autograd.grad")
    fine = audit(Perceptron(refuses=False), pairs, symmetry(), settings=settings(40))
    for a, b in zip(refused.elements, fine.elements, strict=True):
        found, wanted = (e.orbit_coherence["euclidean"].estimate for e in (a, b))
        assert found == pytest.approx(wanted, abs=1e-9)
