"""Audits of models that map no grid fields: class labels, sets, dictionaries of tensors."""

from dataclasses import dataclass

import pytest
import torch
from torch import nn

from goldstone import AuditSettings, Symmetry, audit
from goldstone.actions import Context
from goldstone.core import InputError, trees
from goldstone.groups import CyclicGroup, DihedralGroup, SymmetricGroup
from goldstone.systems.losses import cross_entropy, mse

SETTINGS = AuditSettings(samples=12, trajectories=40, bootstrap=300, permutations=300)


@dataclass(frozen=True)
class Leave:
    """The trivial action."""

    def act(self, element, x, context: Context):
        return x


@dataclass(frozen=True)
class Turn:
    """Quarter turns of images."""

    def act(self, element, x, context: Context):
        return torch.rot90(x, element, (-2, -1))


@dataclass(frozen=True)
class Permute:
    """S_n on the points (n, N, d) of every tensor."""

    def act(self, element, x, context: Context):
        order = torch.tensor(element).argsort()
        return trees.map_leaves(lambda t: t[:, order], x)


def images(n=120):
    """Two classes of 8×8 images that no quarter turn changes: a blob in the middle, or a ring."""
    g = torch.Generator().manual_seed(0)
    axis = torch.arange(8.0) - 3.5
    radius = (axis[:, None] ** 2 + axis**2).sqrt()
    labels = torch.arange(n) % 2
    patterns = torch.stack([torch.exp(-(radius**2) / 4), torch.exp(-((radius - 3) ** 2))])
    noise = 0.6 * torch.randn(n, 1, 8, 8, generator=g)
    return patterns[labels][:, None] + noise, labels


class TurnInvariant(nn.Module):
    """Logits averaged over the four turns: invariant for all weights."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.Tanh(), nn.Linear(16, 2))

    def forward(self, x):
        return torch.stack([self.net(x.rot90(k, (-2, -1))) for k in range(4)]).mean(0)


def train(model, inputs, targets, loss, steps=200):
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(steps):
        optimiser.zero_grad()
        loss(trees.call_model(model, inputs), targets).mean().backward()
        optimiser.step()
    return model.eval()


def test_an_invariant_classifier_holds_and_transports():
    x, y = images()
    model = train(TurnInvariant(), x[:60], y[:60], cross_entropy)
    symmetry = Symmetry("turns", CyclicGroup(4), Turn(), Leave())
    result = audit(model, (x[60:], y[60:]), symmetry, settings=SETTINGS)
    assert result.model.loss_name == "cross_entropy"
    assert result.model.has_skill
    assert result.model.log_loss_over_persistence.estimate is None
    assert result.verdict.holds.answer == result.verdict.transports.answer == "yes"
    for element in result.elements:
        assert element.grade == "exact"
        for metric in ("euclidean", "galerkin"):
            assert element.orbit_coherence[metric].estimate == pytest.approx(1, abs=1e-5)


def test_a_plain_classifier_is_told_from_an_invariant_one():
    x, y = images()
    torch.manual_seed(1)
    plain = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.Tanh(), nn.Linear(16, 2))
    model = train(plain, x[:60], y[:60], cross_entropy)
    symmetry = Symmetry("turns", CyclicGroup(4), Turn(), Leave())
    result = audit(model, (x[60:], y[60:]), symmetry, settings=SETTINGS)
    moved = result.elements[1:]
    assert all(e.grade != "exact" for e in moved)
    assert all(e.orbit_coherence["euclidean"].estimate < 0.9 for e in moved)


def test_without_skill_a_classifier_is_undetermined():
    x, y = images()
    symmetry = Symmetry("turns", CyclicGroup(4), Turn(), Leave())
    result = audit(TurnInvariant().eval(), (x[60:], y[60:]), symmetry, settings=SETTINGS)
    assert not result.model.has_skill
    assert result.verdict.holds.answer == "undetermined"


class SetModel(nn.Module):
    """Permutation-equivariant (DeepSets) from a dict of point features to values at the points."""

    def __init__(self, positional=False):
        super().__init__()
        torch.manual_seed(0)
        self.own, self.mean = nn.Linear(4, 16), nn.Linear(4, 16)
        self.out = nn.Linear(16, 2)
        self.position = nn.Parameter(0.5 * torch.randn(5, 16)) if positional else None

    def forward(self, points, mass):
        x = torch.cat([points, mass], -1)
        hidden = self.own(x) + self.mean(x.mean(1, keepdim=True))
        if self.position is not None:
            hidden = hidden + self.position
        return {"force": self.out(hidden.tanh())}


def point_sets(n=120):
    g = torch.Generator().manual_seed(3)
    points = torch.randn(n, 5, 3, generator=g)
    mass = torch.rand(n, 5, 1, generator=g)
    force = (points - points.mean(1, keepdim=True))[..., :2] * mass
    return {"points": points, "mass": mass}, {"force": force}


def tree_mse(prediction, target):
    return mse(prediction["force"], target["force"])


SETS = Symmetry(
    "permutations",
    SymmetricGroup(5),
    Permute(),
    Permute(),
    elements=((1, 0, 2, 3, 4), (1, 2, 3, 4, 0)),
)


@pytest.mark.parametrize("positional", [False, True])
def test_sets_in_dictionaries(positional):
    inputs, targets = point_sets()
    few = trees.take(inputs, slice(60)), trees.take(targets, slice(60))
    model = train(SetModel(positional), *few, tree_mse)
    rest = trees.take(inputs, slice(60, None)), trees.take(targets, slice(60, None))
    result = audit(model, rest, SETS, loss=tree_mse, settings=SETTINGS)
    assert result.model.has_skill
    for element in result.elements[1:]:
        coherence = element.orbit_coherence["euclidean"].estimate
        assert (element.grade == "exact") == (not positional)
        assert (coherence == pytest.approx(1, abs=1e-4)) == (not positional)


def test_what_does_not_fit_is_refused():
    x, y = images()
    symmetry = Symmetry("turns", CyclicGroup(4), Turn(), Leave())
    with pytest.raises(InputError, match="120 inputs and 119 targets"):
        audit(TurnInvariant(), (x, y[:-1]), symmetry)
    inputs, targets = point_sets()
    with pytest.raises(InputError, match="no usual loss"):
        audit(SetModel(), (inputs, targets), SETS)
    with pytest.raises(InputError, match="tensor, or tuples"):
        audit(SetModel(), ({"points": [1.0]}, targets), SETS)
    with pytest.raises(InputError, match=r"shape \(sample, channel, X, Y\)"):
        audit(TurnInvariant(), (x, y), symmetry, shifts=True)
    with pytest.raises(InputError, match="fails on inputs"):
        audit(SetModel(), ({"points": inputs["points"]}, targets), SETS, loss=tree_mse)


def test_the_result_of_other_data_is_saved_and_read_back(tmp_path):
    x, y = images()
    model = train(TurnInvariant(), x[:60], y[:60], cross_entropy, steps=50)
    symmetry = Symmetry("turns", DihedralGroup(1), Leave(), Leave())
    result = audit(model, (x[60:], y[60:]), symmetry, settings=SETTINGS)
    result.save(tmp_path)
    assert type(result).load(tmp_path) == result
