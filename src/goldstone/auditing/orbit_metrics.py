"""Transformed test sets: any metric over the orbit, and what averaging over the orbit gains."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import atan2, degrees
from typing import Any, Literal, Protocol, runtime_checkable

import torch
from torch import Tensor

from goldstone.actions import Context, Symmetry
from goldstone.auditing.element_choice import choose_elements
from goldstone.auditing.inspection import predict
from goldstone.auditing.probed_model import Model, probed, trajectories_of
from goldstone.auditing.statistics import Bootstrap, interval, mean_statistic
from goldstone.core import InputError, Statistic, trees
from goldstone.core.trees import Tree
from goldstone.groups import LinearGroup

_CONTEXT = Context()
STATEFUL_REPLICATES = 200
"""Of the bootstrap, for metrics that have to be computed anew for each."""


@runtime_checkable
class StatefulMetric(Protocol):
    """A metric that is fed batches, as those of torchmetrics."""

    def update(self, prediction: Any, target: Any) -> None:
        """Take in a batch."""

    def compute(self) -> Any:
        """The value of all batches so far."""

    def reset(self) -> None:
        """Forget them."""


Metric = Callable[[Tree, Tree], Tensor] | StatefulMetric | Literal["accuracy"]
"""(prediction, target) → a number for each sample, (n,), or one for the batch; a stateful metric;
or ``accuracy``: of the largest entry along axis 1 against integer labels."""


@dataclass(frozen=True)
class ElementMetric:
    """The metric on the test set moved by one element.

    Attributes:
        name: of the element.
        angle: in degrees, if the element is a rotation of the plane.
        value: the metric of f(gx) against gy.
        change: less its value on the test set as it is, paired by sample.
    """

    name: str
    angle: float | None
    value: Statistic
    change: Statistic


@dataclass(frozen=True)
class OrbitMetric:
    """A metric over the orbit of a test set.

    Attributes:
        symmetry, metric: their names.
        higher_is_better: what ``worst`` and ``gain`` mean.
        value: on the test set as it is.
        elements: on the moved ones.
        worst: the name of the element with the worst value.
        average: over the test set as it is and all moved ones.
        worst_case: each sample at its own worst element (the test set as it is included); None for
            stateful metrics, which know no samples.
        averaged: of the prediction averaged over the orbit, mean of g⁻¹ f(gx), on the test set as
            it is.
        gain: by which ``averaged`` is better than ``value``, paired; positive is better.
    """

    symmetry: str
    metric: str
    higher_is_better: bool
    value: Statistic
    elements: tuple[ElementMetric, ...]
    worst: str
    average: Statistic
    worst_case: Statistic | None
    averaged: Statistic
    gain: Statistic


def metric_over_orbit(
    model: Model,
    inputs: Tree,
    targets: Tree,
    symmetry: Symmetry,
    metric: Metric,
    elements: Sequence[Any] | int | None = None,
    *,
    higher_is_better: bool | None = None,
    before_averaging: Callable[[Tree], Tree] | None = None,
    trajectory: Tensor | None = None,
    context: Context = _CONTEXT,
    batch: int = 32,
    replicates: int = 2000,
    seed: int = 0,
) -> OrbitMetric:
    """Evaluate f(gx) against gy for every element, and orbit averaging at test time.

    Args:
        model: a module or a function of the inputs.
        inputs: n samples: a tensor, sample axis first, or a tree of tensors.
        targets: n targets, moved by ``symmetry.target_action``.
        symmetry: the group and its actions.
        metric: a function of (prediction, target) that returns a number for each sample or one for
            the batch, a mean over its samples; an object with ``update``, ``compute`` and
            ``reset`` (a copy is used); or ``accuracy``.
        elements: values of the group; a number of them to draw from Haar measure; None for the
            symmetry's own choice. The identity is always looked at besides. The averaged prediction
            is equivariant if they and the identity make up a group.
        higher_is_better: None to take the metric's own attribute of that name; true of ``accuracy``
            and false of functions.
        before_averaging: applied to predictions before they are averaged, and to single ones alike
            before the metric of the averaged ones, such as a softmax. What it returns has to move
            by ``symmetry.on_output`` too, and fit the metric.
        trajectory: (n,) which trajectory each sample comes from, the unit of the bootstrap.
        context: the frame of the inputs; outputs and targets lie one model step later.
        batch: samples evaluated together.
        replicates: of the bootstrap (at most 200 for stateful metrics).
        seed: of the bootstrap, and of the elements.

    Raises:
        InputError: the model is refused, numbers of inputs and targets differ, or the metric
            returns something else.
    """
    n = trees.batch_size(inputs)
    if trees.batch_size(targets) != n:
        raise InputError(
            f"expected as many targets as inputs, got {trees.batch_size(targets)} for {n}"
        )
    identity = symmetry.group.identity
    chosen = [g for g in choose_elements(symmetry, elements, seed) if g != identity]
    after = context.at(context.step + 1)
    link = before_averaging or (lambda prediction: prediction)
    with probed(model, inputs) as module:
        of = trajectories_of(trajectory, n)
        plain = predict(module, inputs, batch)
        total = trees.map_leaves(lambda t: t.clone(), link(plain))
        judge = _Judge(
            metric, of, Bootstrap.draw(int(of.max()) + 1, replicates, seed), plain, batch
        )
        single = judge.score(plain, targets)
        linked = single if before_averaging is None else judge.score(total, targets)
        scores = []
        for element in chosen:
            moved, target, back = [], [], []
            # The metric needs all outputs; inputs are moved a batch at a time.
            for x, y in zip(trees.chunks(inputs, batch), trees.chunks(targets, batch), strict=True):
                of_moved = predict(module, symmetry.on_input.act(element, x, context), batch)
                inverse = symmetry.group.inverse(element)
                moved.append(of_moved)
                target.append(symmetry.target_action.act(element, y, after))
                back.append(symmetry.on_output.act(inverse, link(of_moved), after))
            scores.append(judge.score(trees.concatenate(moved), trees.concatenate(target)))
            total = trees.map_leaves(torch.add, total, trees.concatenate(back))
        averaged = judge.score(trees.map_leaves(lambda t: t / (len(chosen) + 1), total), targets)
    better = _is_higher_better(metric, higher_is_better)
    sign = 1.0 if better else -1.0
    everywhere = [single, *scores]
    names = [symmetry.group.element_name(g) for g in (identity, *chosen)]
    worst = min(range(len(names)), key=lambda i: sign * everywhere[i].whole)
    extreme = None
    if all(score.samples is not None for score in everywhere):
        stacked = torch.stack([sign * s.samples for s in everywhere if s.samples is not None])
        extreme = judge.mean(sign * stacked.amin(0))
    return OrbitMetric(
        symmetry=symmetry.name,
        metric=metric if isinstance(metric, str) else _name(metric),
        higher_is_better=better,
        value=judge.statistic(single),
        elements=tuple(
            ElementMetric(
                name, _angle(symmetry, g), judge.statistic(score), judge.difference(score, single)
            )
            for name, g, score in zip(names[1:], chosen, scores, strict=True)
        ),
        worst=names[worst],
        average=judge.average(everywhere),
        worst_case=extreme,
        averaged=judge.statistic(averaged),
        gain=judge.difference(averaged, linked, sign),
    )


def check_metric(metric: object) -> None:
    """Raise unless it can be a metric: a function, an object as torchmetrics has, or a name."""
    if isinstance(metric, str):
        if metric != "accuracy":
            raise InputError(f"unknown metric {metric!r}; the one known by name is 'accuracy'")
    elif not callable(metric) and not isinstance(metric, StatefulMetric):
        raise InputError(
            "expected a metric as a function of (prediction, target), an object with update, "
            f"compute and reset, or 'accuracy', got a {type(metric).__name__}"
        )


def accuracy(prediction: Tree, target: Tree) -> Tensor:
    """1 where the largest entry along axis 1 is that of the label, else 0; the mean of a sample."""
    if not isinstance(prediction, Tensor) or not isinstance(target, Tensor) or prediction.ndim < 2:
        raise InputError(
            "accuracy needs scores (n, class, …) and labels (n, …), got "
            f"{trees.describe(prediction)} and {trees.describe(target)}"
        )
    right = prediction.argmax(1) == target
    return right.double().reshape(len(right), -1).mean(1)


@dataclass(frozen=True, eq=False)
class _Score:
    """The metric of one set of predictions: for the whole, by sample, and for the resamples."""

    whole: float
    samples: Tensor | None
    replicates: Tensor


class _Judge:
    """A metric with what its intervals need."""

    def __init__(
        self, metric: Metric, trajectory: Tensor, bootstrap: Bootstrap, plain: Tree, batch: int
    ) -> None:
        self._stateful = isinstance(metric, StatefulMetric) and not isinstance(metric, str)
        # A copy: the caller's own metric may hold an evaluation of its own.
        self._metric: Any = copy.deepcopy(metric) if self._stateful else metric
        if isinstance(metric, str):
            check_metric(metric)
            self._metric = accuracy
        self._trajectory, self._bootstrap, self._batch = trajectory, bootstrap, batch
        self._members = [
            (trajectory == t).nonzero()[:, 0].to(trees.leaves(plain)[0].device)
            for t in range(bootstrap.n)
        ]

    def score(self, prediction: Tree, target: Tree) -> _Score:
        if self._stateful:
            whole = self._compute(prediction, target)
            found = []
            for draw in self._bootstrap.draws[:STATEFUL_REPLICATES]:
                index = torch.cat([self._members[t] for t in draw.tolist()])
                found.append(
                    self._compute(trees.take(prediction, index), trees.take(target, index))
                )
            return _Score(whole, None, torch.tensor(found, dtype=torch.float64))
        samples = self._by_sample(prediction, target)
        statistic, replicates = mean_statistic(samples, self._trajectory, self._bootstrap)
        whole = float("nan") if statistic.estimate is None else statistic.estimate
        return _Score(whole, samples, replicates)

    def statistic(self, score: _Score) -> Statistic:
        if score.samples is not None:
            return self.mean(score.samples)
        return self._of_replicates(score.whole, score.replicates)

    def difference(self, score: _Score, other: _Score, sign: float = 1.0) -> Statistic:
        """Sign · (score − other), paired."""
        if score.samples is not None and other.samples is not None:
            return self.mean(sign * (score.samples - other.samples))
        change = sign * (score.replicates - other.replicates)
        return self._of_replicates(sign * (score.whole - other.whole), change)

    def average(self, scores: Sequence[_Score]) -> Statistic:
        """Over the elements."""
        samples = [score.samples for score in scores if score.samples is not None]
        if len(samples) == len(scores):
            return self.mean(torch.stack(samples).mean(0))
        replicates = torch.stack([score.replicates for score in scores]).mean(0)
        return self._of_replicates(sum(s.whole for s in scores) / len(scores), replicates)

    def mean(self, samples: Tensor) -> Statistic:
        return mean_statistic(samples, self._trajectory, self._bootstrap)[0]

    def _of_replicates(self, whole: float, replicates: Tensor) -> Statistic:
        low, high = interval(replicates, self._bootstrap.n)
        return Statistic(whole if whole == whole else None, low, high, self._bootstrap.n)

    def _compute(self, prediction: Tree, target: Tree) -> float:
        self._metric.reset()
        batches = zip(
            trees.chunks(prediction, self._batch), trees.chunks(target, self._batch), strict=True
        )
        with torch.no_grad():
            for part, wanted in batches:
                self._metric.update(trees.contiguous(part), trees.contiguous(wanted))
            return self._number(self._metric.compute())

    def _by_sample(self, prediction: Tree, target: Tree) -> Tensor:
        n = trees.batch_size(prediction)
        prediction, target = trees.contiguous(prediction), trees.contiguous(target)
        with torch.no_grad():
            found = self._metric(prediction, target)
            if isinstance(found, Tensor) and found.shape == (n,):
                return found.detach().double().cpu()
            values = [
                self._number(
                    self._metric(
                        trees.take(prediction, slice(i, i + 1)), trees.take(target, slice(i, i + 1))
                    )
                )
                for i in range(n)
            ]
        return torch.tensor(values, dtype=torch.float64)

    @staticmethod
    def _number(found: Any) -> float:
        if isinstance(found, Tensor) and found.numel() == 1:
            return float(found)
        if isinstance(found, (int, float)):
            return float(found)
        kind = f"shape {tuple(found.shape)}" if isinstance(found, Tensor) else type(found).__name__
        raise InputError(
            f"a metric returns a number for each sample, (n,), or one for the batch; got {kind}"
        )


def _is_higher_better(metric: Metric, said: bool | None) -> bool:
    if said is not None:
        return said
    # Not ``metric == "accuracy"``: a metric of torchmetrics answers that with another metric.
    if isinstance(metric, str) or metric is accuracy:
        return True
    return bool(getattr(metric, "higher_is_better", False))


def _name(metric: Any) -> str:
    return str(getattr(metric, "__name__", type(metric).__name__))


def _angle(symmetry: Symmetry, element: Any) -> float | None:
    """Degrees in (−180, 180] of a rotation of the plane."""
    group = symmetry.group
    if not isinstance(group, LinearGroup) or group.degree != 2:
        return None
    matrix = group.matrices(group.tensor((element,)))[0]
    if matrix.is_complex() or float((matrix @ matrix.T - torch.eye(2)).abs().max()) > 1e-6:
        return None
    if float(torch.linalg.det(matrix)) < 0:
        return None
    return degrees(atan2(float(matrix[1, 0]), float(matrix[0, 0])))
