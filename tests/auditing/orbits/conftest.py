"""Tiny float64 models of functions on a finite group, which moves them by its regular action."""

import copy
from collections.abc import Callable
from contextlib import contextmanager

import pytest
import torch
from torch import Tensor, nn

from goldstone.actions import Context, LinearAction, Symmetry
from goldstone.auditing import AuditSettings
from goldstone.auditing.samples import Samples
from goldstone.auditing.subject import Subject
from goldstone.groups import CyclicGroup, DihedralGroup, FiniteGroup, SymmetricGroup, cayley_table
from goldstone.representations import RegularRepresentation
from goldstone.systems.losses import mse

SETTINGS = AuditSettings(metrics=("euclidean",), bootstrap=400, permutations=400)


class GroupConvolution(nn.Module):
    """x ↦ Σ_k w_k x(· k): it commutes with the regular action whatever the weights."""

    def __init__(self, group: FiniteGroup) -> None:
        super().__init__()
        table = cayley_table(group)
        self.register_buffer("moved", table.T.contiguous())
        self.weight = nn.Parameter(torch.randn(group.order, dtype=torch.float64) / 2)

    def forward(self, x: Tensor) -> Tensor:
        return torch.einsum("k,bkg->bg", self.weight, x[:, self.moved])


def _equivariant(group: FiniteGroup) -> nn.Module:
    return nn.Sequential(GroupConvolution(group), nn.Tanh(), GroupConvolution(group))


def _dense(group: FiniteGroup) -> nn.Module:
    layers = nn.Linear(group.order, 3), nn.Tanh(), nn.Linear(3, group.order)
    return nn.Sequential(*layers).double()


def _subject(kind: str, group: FiniteGroup, n: int = 7, seed: int = 0) -> tuple[Subject, Symmetry]:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = (_equivariant if kind == "equivariant" else _dense)(group).eval()
        x, y = torch.randn(2, n, group.order, dtype=torch.float64)
    samples = Samples(x, y, torch.arange(n), Context())
    action = LinearAction(RegularRepresentation(group))
    symmetry = Symmetry("regular", group, action, action)
    return Subject.measure(model, samples, mse, SETTINGS), symmetry


@pytest.fixture(scope="session")
def make_subject() -> Callable[..., tuple[Subject, Symmetry]]:
    """(kind, group, n, seed) to a subject and the regular symmetry; kind: equivariant or dense."""
    return _subject


@pytest.fixture(params=[CyclicGroup(4), DihedralGroup(3), SymmetricGroup(3)], ids=lambda g: g.name)
def group(request) -> FiniteGroup:
    return request.param


def _literal_gradient(subject: Subject, symmetry: Symmetry, g, i: int) -> Tensor:
    """By ``backward`` on a copy, one sample."""
    model = copy.deepcopy(subject.model)
    x = symmetry.on_input.act(g, subject.samples.inputs[i : i + 1], Context())
    y = symmetry.on_output.act(g, subject.samples.targets[i : i + 1], Context())
    subject.loss(model(x), y).sum().backward()
    return torch.cat([p.grad.reshape(-1) for p in model.parameters()])


@pytest.fixture(scope="session")
def literal_gradient() -> Callable[..., Tensor]:
    return _literal_gradient


@contextmanager
def _untouched(model: nn.Module):
    state = {k: v.clone() for k, v in model.state_dict().items()}
    modes = [m.training for m in model.modules()]
    random = torch.get_rng_state()
    hooks = [len(m._forward_hooks) for m in model.modules()]
    yield
    assert all(torch.equal(v, state[k]) for k, v in model.state_dict().items())
    assert modes == [m.training for m in model.modules()]
    assert hooks == [len(m._forward_hooks) for m in model.modules()]
    assert all(p.grad is None and p.requires_grad for p in model.parameters())
    assert torch.equal(random, torch.get_rng_state())


@pytest.fixture(scope="session")
def untouched():
    """A block that must leave weights, modes, hooks, gradients and random state as they are."""
    return _untouched
