"""Metrics over the orbit of a test set."""

import dataclasses
import json
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from goldstone.actions import (
    NAVIER_STOKES_FIELDS,
    Context,
    LinearAction,
    Symmetry,
    TrivialAction,
    flow_symmetry,
    image_symmetry,
)
from goldstone.auditing import OrbitMetric, metric_over_orbit
from goldstone.core import InputError, from_json, to_json
from goldstone.groups import CyclicGroup
from goldstone.representations import MatrixRepresentation, StandardRepresentation
from goldstone.systems.losses import mse

C4 = CyclicGroup(4)
PLANE = LinearAction(StandardRepresentation(C4))
INVARIANT = Symmetry("c4", C4, PLANE, TrivialAction())
EQUIVARIANT = Symmetry("c4", C4, PLANE, PLANE)


def points(n: int = 60) -> Tensor:
    return torch.randn(n, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def value(statistic: Any) -> float:
    assert statistic.estimate is not None
    return float(statistic.estimate)


def radius_class(x: Tensor) -> Tensor:
    return (x.norm(dim=1) > 1).long()


def skewed(x: Tensor) -> Tensor:
    """Scores of two classes that are right for points on the right side alone."""
    score = torch.where(x[:, 0] > 0, x.norm(dim=1) - 1, -torch.ones(len(x)).double())
    return torch.stack((-score, score), 1)


class Accuracy:
    """As torchmetrics would have it."""

    higher_is_better = True

    def __init__(self) -> None:
        self.reset()

    def update(self, prediction: Tensor, target: Tensor) -> None:
        self.right += int((prediction.argmax(1) == target).sum())
        self.seen += len(target)

    def compute(self) -> Tensor:
        return torch.tensor(self.right / self.seen)

    def reset(self) -> None:
        self.right = self.seen = 0


def test_an_invariant_model_is_as_good_everywhere() -> None:
    def model(x: Tensor) -> Tensor:
        return torch.stack((1 - x.norm(dim=1), x.norm(dim=1) - 1), 1)

    found = metric_over_orbit(model, points(), radius_class(points()), INVARIANT, "accuracy")
    assert value(found.value) == value(found.average) == value(found.averaged) == 1.0
    assert [e.angle for e in found.elements] == pytest.approx([90.0, 180.0, -90.0])
    assert all(value(e.change) == 0.0 for e in found.elements)
    assert found.worst_case is not None
    assert value(found.worst_case) == 1.0


def test_accuracy_by_element_and_worst_case() -> None:
    x, y = points(), radius_class(points())
    found = metric_over_orbit(skewed, x, y, INVARIANT, "accuracy", [1, 2])
    right = [
        (skewed(g).argmax(1) == y).double() for g in (x, torch.stack((-x[:, 1], x[:, 0]), 1), -x)
    ]
    assert value(found.value) == pytest.approx(float(right[0].mean()))
    assert [value(e.value) for e in found.elements] == pytest.approx(
        [float(r.mean()) for r in right[1:]]
    )
    assert value(found.elements[1].change) == pytest.approx(float((right[2] - right[0]).mean()))
    assert value(found.average) == pytest.approx(float(torch.stack(right).mean()))
    assert found.worst_case is not None
    assert value(found.worst_case) == pytest.approx(float(torch.stack(right).amin(0).mean()))
    assert found.higher_is_better
    sizes = {"e": value(found.value)} | {e.name: value(e.value) for e in found.elements}
    assert sizes[found.worst] == min(sizes.values())


def test_a_stateful_metric_agrees_and_is_left_alone() -> None:
    x, y = points(), radius_class(points())
    metric = Accuracy()
    metric.update(skewed(x[:3]), y[:3])
    before = (metric.right, metric.seen)
    stateful = metric_over_orbit(skewed, x, y, INVARIANT, metric, batch=7)
    plain = metric_over_orbit(skewed, x, y, INVARIANT, "accuracy")
    assert (metric.right, metric.seen) == before
    assert stateful.metric == "Accuracy"
    assert stateful.higher_is_better
    assert stateful.worst_case is None
    for a, b in zip(
        (stateful.value, stateful.average, stateful.averaged, stateful.gain),
        (plain.value, plain.average, plain.averaged, plain.gain),
        strict=True,
    ):
        assert value(a) == pytest.approx(value(b), abs=1e-7)
        assert a.low == pytest.approx(b.low, abs=0.05)
        assert a.high == pytest.approx(b.high, abs=0.05)
    assert stateful.worst == plain.worst


def test_losses_for_each_sample_and_for_the_batch() -> None:
    x, y = points(), radius_class(points())

    def each(prediction: Tensor, target: Tensor) -> Tensor:
        return functional.cross_entropy(prediction, target, reduction="none")

    by_sample = metric_over_orbit(skewed, x, y, INVARIANT, each)
    reduced = metric_over_orbit(skewed, x, y, INVARIANT, nn.CrossEntropyLoss())
    assert not by_sample.higher_is_better
    assert value(by_sample.value) == pytest.approx(value(reduced.value))
    assert by_sample.value.low == pytest.approx(reduced.value.low)
    sizes = [value(e.value) for e in by_sample.elements]
    worst = max([value(by_sample.value), *sizes])
    assert worst in [value(e.value) for e in by_sample.elements if e.name == by_sample.worst] or (
        by_sample.worst == "e"
    )


def test_orbit_averaging_removes_the_broken_part() -> None:
    # f = A x: averaged over C4 only the part that commutes with turns remains, here the identity.
    x = points(40)
    broken = torch.tensor([[1.5, 0.2], [0.2, 0.5]], dtype=torch.float64)
    found = metric_over_orbit(lambda x: x @ broken.T, x, x, EQUIVARIANT, mse)
    assert value(found.averaged) < 1e-30
    assert value(found.value) > 0.1
    assert value(found.gain) == pytest.approx(value(found.value))
    assert found.gain.low is not None
    assert found.gain.low > 0


def test_targets_move() -> None:
    # Labels that turn with the point: the quadrant; the model knows them exactly.
    def quadrant(x: Tensor) -> Tensor:
        return ((torch.atan2(x[:, 1], x[:, 0]) + torch.pi) / (torch.pi / 2)).long() % 4

    class Turned:
        def act(self, element: Any, x: Tensor, context: Any) -> Tensor:
            return (x + element) % 4

    cycle = torch.roll(torch.eye(4, dtype=torch.float64), 1, 0)
    logits = LinearAction(MatrixRepresentation(C4, (1,), cycle[None]))
    symmetry = Symmetry("c4", C4, PLANE, logits, on_target=Turned())

    def model(x: Tensor) -> Tensor:
        return functional.one_hot(quadrant(x), 4).double()

    found = metric_over_orbit(model, points(), quadrant(points()), symmetry, "accuracy")
    assert value(found.average) == value(found.averaged) == 1.0


def test_probabilities_can_be_averaged() -> None:
    x, y = points(), radius_class(points())

    def probabilities(logits: Tensor) -> Tensor:
        return logits.softmax(1)

    found = metric_over_orbit(skewed, x, y, INVARIANT, "accuracy", before_averaging=probabilities)
    mean = torch.stack(
        [
            skewed(torch.stack(g, 1)).softmax(1)
            for g in (
                (x[:, 0], x[:, 1]), (-x[:, 1], x[:, 0]), (-x[:, 0], -x[:, 1]), (x[:, 1], -x[:, 0])
            )
        ]
    ).mean(0)  # fmt: skip
    assert value(found.averaged) == pytest.approx(float((mean.argmax(1) == y).double().mean()))
    assert value(found.gain) == pytest.approx(value(found.averaged) - value(found.value))


def test_angles_of_images_and_json() -> None:
    x = torch.rand(6, 1, 12, 12, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    turns = image_symmetry("rotations", (12, 12), 1)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(144, 3)).double()
    y = torch.zeros(6, 3, dtype=torch.float64)
    found = metric_over_orbit(model, x, y, turns, mse)
    assert [e.angle for e in found.elements] == pytest.approx([5, 15, 30, 45, 60, 90, 135, 180])
    read = from_json(OrbitMetric, json.loads(json.dumps(to_json(found))))
    assert read == found
    shifts = flow_symmetry("shifts", NAVIER_STOKES_FIELDS, (12, 12))
    assert metric_over_orbit(lambda x: x, x, x, shifts, mse).elements[0].angle is None


def test_bad_input() -> None:
    x, y = points(), radius_class(points())
    with pytest.raises(InputError, match="as many targets"):
        metric_over_orbit(skewed, x, y[:5], INVARIANT, "accuracy")
    with pytest.raises(InputError, match="unknown metric"):
        metric_over_orbit(skewed, x, y, INVARIANT, "f1")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="a number for each sample"):
        metric_over_orbit(skewed, x, y, INVARIANT, lambda p, t: p)
    with pytest.raises(InputError, match="accuracy needs scores"):
        metric_over_orbit(lambda x: x[:, 0], x, y, INVARIANT, "accuracy")


def test_a_batch_is_moved_at_a_time() -> None:
    seen: list[int] = []

    @dataclasses.dataclass(frozen=True)
    class Counted:
        def act(self, element: int, x: Tensor, context: Context) -> Tensor:
            seen.append(len(x))
            moved: Tensor = EQUIVARIANT.on_input.act(element, x, context)
            return moved

    counted = dataclasses.replace(EQUIVARIANT, on_input=Counted(), on_output=Counted())
    x = points()
    found = [
        metric_over_orbit(lambda x: x**3 + x[:, :1], x, x, counted, mse, batch=b)
        for b in (7, 10**4)
    ]
    assert seen
    one, other = found
    assert one.averaged.estimate == pytest.approx(other.averaged.estimate, rel=1e-12)
    for a, b in zip(one.elements, other.elements, strict=True):
        assert a.value.estimate == pytest.approx(b.value.estimate, rel=1e-12)
    seen.clear()
    metric_over_orbit(lambda x: x, x, x, counted, mse, batch=7)
    assert max(seen) == 7
