"""Objects of torchmetrics over the orbit of a test set.

Needs ``pip install torchmetrics``.
"""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from goldstone import AuditSettings, audit
from goldstone.actions import image_symmetry
from goldstone.auditing import metric_over_orbit

torchmetrics = pytest.importorskip("torchmetrics", reason="needs pip install torchmetrics")

TURNS = image_symmetry("quarter-turns", (8, 8), 1)


class Halves(nn.Module):
    """Logits for the brighter half: top, bottom, or neither by much."""

    def forward(self, x: Tensor) -> Tensor:
        gap = x[:, 0, :4].mean((1, 2)) - x[:, 0, 4:].mean((1, 2))
        return torch.stack([gap, -gap, torch.full_like(gap, 0.05)], 1)


def images() -> tuple[Tensor, Tensor]:
    x = torch.randn(50, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    return x, Halves()(x).argmax(1)


def test_micro_accuracy_is_accuracy() -> None:
    x, y = images()
    metric = torchmetrics.classification.MulticlassAccuracy(3, average="micro")
    found = metric_over_orbit(Halves(), x, y, TURNS, metric, batch=7)
    plain = metric_over_orbit(Halves(), x, y, TURNS, "accuracy", batch=7)
    assert found.higher_is_better
    assert found.metric == "MulticlassAccuracy"
    assert found.value.estimate == plain.value.estimate == 1.0
    assert found.worst == plain.worst
    assert found.averaged.estimate == pytest.approx(plain.averaged.estimate)
    assert found.average.estimate == pytest.approx(plain.average.estimate)
    for element, other in zip(found.elements, plain.elements, strict=True):
        assert element.value.estimate == pytest.approx(other.value.estimate)
        assert element.angle == other.angle
        assert element.value.low <= element.value.estimate <= element.value.high


def test_a_metric_that_is_no_mean_over_samples() -> None:
    """The F₁ score of the turned test set is that of scikit's formula, by hand."""
    x, y = images()
    metric = torchmetrics.classification.MulticlassF1Score(3, average="macro")
    found = metric_over_orbit(Halves(), x, y, TURNS, metric)
    assert found.worst_case is None
    for k, element in enumerate(found.elements, 1):
        predicted = Halves()(x.rot90(k, (-2, -1))).argmax(1)
        scores = []
        for c in range(3):
            hits = ((predicted == c) & (y == c)).sum()
            scores.append(2 * hits / ((predicted == c).sum() + (y == c).sum()))
        assert element.value.estimate == pytest.approx(float(sum(scores) / 3), abs=1e-6)


def test_an_error_is_better_low() -> None:
    x, _ = images()
    same = image_symmetry("quarter-turns", (8, 8), 1, "same")
    metric = torchmetrics.MeanSquaredError()
    metric.update(torch.ones(3), torch.zeros(3))
    found = metric_over_orbit(nn.Identity(), x, x + 0.5, same, metric)
    assert not found.higher_is_better
    assert all(e.value.estimate == pytest.approx(0.25, rel=1e-5) for e in found.elements)
    # The caller's own evaluation goes on where it was.
    assert float(metric.compute()) == 1.0


def test_in_an_audit(small: Callable[..., AuditSettings]) -> None:
    """Classes by name are averaged as probabilities; another's metric gets what the model says."""
    x, y = images()
    metric = torchmetrics.classification.MulticlassAccuracy(3, average="micro")
    settings = small(metrics=(), probes=("orbit-metric",))
    result = audit(Halves(), (x, y), TURNS, metric=metric, settings=settings)
    assert result.probes.orbit_metric is not None
    assert result.probes.orbit_metric.metric == "MulticlassAccuracy"
    tested = slice(24)
    alone = metric_over_orbit(Halves(), x[tested], y[tested], TURNS, metric)
    assert result.probes.orbit_metric.averaged.estimate == alone.averaged.estimate
    assert result.probes.orbit_metric.worst == alone.worst
