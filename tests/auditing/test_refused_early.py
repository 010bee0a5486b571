"""What does not fit is refused before the forward tests, not after them."""

import pytest
import torch
from torch import nn

from goldstone.actions import image_symmetry
from goldstone.auditing import AuditSettings, audit, elements
from goldstone.core import InputError

TURNS = image_symmetry("quarter-turns", (6, 6), 1, "invariant")
SMALL = {"trajectories": 12, "samples": 8, "reference": 2, "bootstrap": 100, "permutations": 100}


def labelled(samples: int = 24):
    x = torch.randn(samples, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    return x, (x.mean((1, 2, 3)) > 0).long()


def classifier() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Flatten(), nn.Linear(36, 2))


@pytest.fixture
def no_forward_tests(monkeypatch):
    def fail(*_, **__):
        raise AssertionError("long work was done")

    monkeypatch.setattr(elements, "forward_measurement", fail)


@pytest.mark.parametrize("metric", ["acuracy", 3])
def test_an_unknown_metric(no_forward_tests, metric) -> None:
    settings = AuditSettings(**SMALL, probes=("orbit-metric",))
    with pytest.raises(InputError, match="metric"):
        audit(classifier(), labelled(), TURNS, metric=metric, settings=settings)


def test_adam_without_its_state_or_with_that_of_another_model(no_forward_tests) -> None:
    settings = AuditSettings(**SMALL, metrics=("euclidean", "adam"))
    with pytest.raises(InputError, match="optimiser="):
        audit(classifier(), labelled(), TURNS, settings=settings)
    other = nn.Linear(3, 3)
    optimiser = torch.optim.Adam(other.parameters())
    other(torch.ones(1, 3)).sum().backward()
    optimiser.step()
    with pytest.raises(InputError, match="another model"):
        audit(classifier(), labelled(), TURNS, settings=settings, optimiser=optimiser.state_dict())


def test_labels_are_followed_by_accuracy_whatever_the_loss() -> None:
    def smoothed(prediction, target):
        return nn.functional.cross_entropy(
            prediction, target, reduction="none", label_smoothing=0.1
        )

    settings = AuditSettings(**SMALL, metrics=(), probes=("orbit-metric",))
    found = audit(classifier(), labelled(), TURNS, loss=smoothed, settings=settings)
    assert found.probes.orbit_metric.metric == "accuracy"


def test_a_loss_that_views_gets_contiguous_predictions_in_its_check() -> None:
    class LastAxis(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = nn.Parameter(torch.ones(()))

        def forward(self, x):
            return (self.a * x).transpose(2, 3)

    def viewing(prediction, target):
        return (prediction - target).square().view(len(target), -1).mean(1)

    x, _ = labelled()
    same = image_symmetry("flips", (6, 6), 1, "same")
    found = audit(
        LastAxis(), (x, x.transpose(2, 3)), same, loss=viewing, settings=AuditSettings(**SMALL)
    )
    assert found.model.loss_name == "viewing"
