"""Gradient probes: loss and probe gradients along orbits, and what the metrics need of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from goldstone.actions import Symmetry
from goldstone.auditing.gradient_products import (
    GradientSet,
    MetricProducts,
    metric_products,
    reference_outputs,
)
from goldstone.auditing.gradient_store import Keeping, VectorStore
from goldstone.auditing.memory_plan import give_back_memory, plan_memory
from goldstone.auditing.metrics import PreparedMetric, SolvedMetric, SpannedMetric
from goldstone.auditing.probe_fields import moved_covectors, random_outputs, smooth_fields
from goldstone.auditing.settings import MetricName
from goldstone.auditing.subject import Subject
from goldstone.core import Task, trees
from goldstone.core.trees import Tree
from goldstone.curvature import (
    TreeBatch,
    TreeModel,
    batched_gradients,
    output_jvps,
    per_sample_gradients,
    trainable_parameters,
)
from goldstone.curvature.batched_gradients import SampleLoss
from goldstone.curvature.parameters import real_dtype, vector_size

__all__ = ["GradientProbe", "GradientRun", "GradientSet", "MetricProducts", "smooth_fields"]

LARGEST_BATCHED = 20_000
FEWEST_BATCHED = 32
"""From so many samples of models of so few parameters on, vmap is two to four times as fast as a
loop; on fewer samples, larger models and grids of any size it gains nothing."""
_CHUNK = 64


@dataclass(frozen=True)
class GradientProbe:
    """Takes gradients along orbits, of the subject and under the symmetry that it holds.

    ``prepared`` holds the metrics that are made once, by :func:`prepare_metrics`. ``given_keeping``
    is that of another probe whose gradients are to be compared with its own; by default the
    settings' memory decides how gradients are kept.
    """

    subject: Subject
    symmetry: Symmetry
    reference: Tree
    prepared: Mapping[MetricName, PreparedMetric] = field(default_factory=dict)
    given_keeping: Keeping | None = None

    @cached_property
    def keeping(self) -> Keeping:
        """Whole, or sketched by maps of the settings' seed."""
        subject = self.subject
        if self.given_keeping is not None:
            return self.given_keeping
        plan = plan_memory(subject.model, subject.samples.inputs, self.reference, subject.settings)
        return Keeping(plan, subject.settings.seed)

    def loss_gradients(self, element: Any, task: Task | None = None) -> GradientSet:
        """∇_θ ℓ(f(g x_i), g y_i) of the gradient samples."""
        return self.loss_run(element, task).upto(self.subject.samples.trajectories)

    def probe_gradients(self, element: Any, task: Task | None = None) -> GradientSet:
        """J_{gx_i}ᵀ ρ_out(g)⁻ᵀ v_i for a random v_i per sample, smooth for fields."""
        return self.probe_run(element, task).upto(self.subject.samples.trajectories)

    def loss_run(self, element: Any, task: Task | None = None) -> "GradientRun":
        """The loss gradients, to be taken as far as they are asked for."""
        samples, loss = self.subject.samples, self.subject.loss
        after = samples.context.at(1)
        targets = self.symmetry.target_action.act(element, samples.targets, after)
        return GradientRun(
            self,
            TreeModel(self.subject.model),
            lambda output, target: loss(output, target).sum(),
            self._moved(element),
            TreeBatch(targets),
            task,
        )

    def probe_run(self, element: Any, task: Task | None = None) -> "GradientRun":
        """The probe gradients, to be taken as far as they are asked for."""
        probes = random_outputs(self.subject.predictions, self.subject.settings.seed)
        after = self.subject.samples.context.at(1)
        turned = moved_covectors(self.symmetry, element, probes, after)
        return GradientRun(
            self,
            self.flat_model,
            lambda output, v: (output[0] * v[0]).sum(),
            self._moved(element),
            TreeBatch(turned),
            task,
        )

    def products(
        self, a: GradientSet, b: GradientSet, metrics: Sequence[MetricName] | None = None
    ) -> dict[MetricName, MetricProducts]:
        """Inner products of the pairs (a_i, b_i) in the given metrics, or all of the settings."""
        chosen = self.subject.settings.metrics if metrics is None else metrics
        return metric_products(a, b, chosen, self.subject, self.reference, self.prepared)

    @property
    def flat_model(self) -> TreeModel:
        """The model with its outputs as real vectors."""
        return TreeModel(self.subject.model, flat=True)

    def _moved(self, element: Any) -> TreeBatch:
        samples = self.subject.samples
        return TreeBatch(self.symmetry.on_input.act(element, samples.inputs, samples.context))

    @cached_property
    def size(self) -> int:
        """p, the real numbers in a gradient."""
        return vector_size(trainable_parameters(self.subject.model))


class GradientRun:
    """Gradients of one kind at one element, taken as far as they are asked for, each once."""

    def __init__(
        self,
        probe: GradientProbe,
        model: TreeModel,
        loss: SampleLoss,
        inputs: TreeBatch,
        targets: TreeBatch,
        task: Task | None,
    ) -> None:
        self._probe = probe
        self._model, self._loss, self._task = model, loss, task
        self._inputs, self._targets = inputs, targets
        self._taken, self._path, self._pushed_path = 0, "loop of autograd.grad", ""
        self._vectors = self._store(probe.size)
        wanted = "galerkin" in probe.subject.settings.metrics
        self._pushed = (
            self._store(reference_outputs(probe.subject, probe.reference)) if wanted else None
        )
        self._solved: dict[MetricName, tuple[SolvedMetric, VectorStore]] = {}
        self.adopt(probe)

    def adopt(self, probe: GradientProbe) -> None:
        """Go on under a probe with prepared metrics; the images of gradients taken are made up."""
        self._probe = probe
        for name, metric in probe.prepared.items():
            if name not in self._solved and isinstance(metric, SolvedMetric):
                self._solved[name] = metric, self._store(probe.size, torch.float32)
                if self._taken:
                    self._solve(name, 0, self._vectors.first(self._taken).rows)

    @property
    def taken(self) -> int:
        """How many gradients were taken."""
        return self._taken

    def upto(self, count: int) -> GradientSet:
        """The first ``count`` gradients; those not taken yet are."""
        if count > self._taken:
            start, self._taken = self._taken, count
            self._take(start, count)
        vectors = self._vectors.first(count)
        images = {name: store.first(count) for name, (_, store) in self._solved.items()}
        images |= {
            name: metric.image(vectors)
            for name, metric in self._probe.prepared.items()
            if isinstance(metric, SpannedMetric)
        }
        settings = self._probe.subject.settings
        null = "" if settings.null == "all" else "null within classes"
        parts = (self._path, self._pushed_path, self._probe.keeping.describe(), null)
        pushed = self._pushed.first(count) if self._pushed is not None else None
        path = ", ".join(part for part in parts if part)
        return GradientSet(vectors, pushed, path, self._probe.keeping, images)

    def single(self, i: int) -> Tensor:
        """The i-th gradient, (1, p), taken afresh and not kept."""
        return self._loop(i, i + 1)

    def _take(self, start: int, stop: int) -> None:
        if self._probe.keeping.streamed:
            for i in range(start, stop):
                give_back_memory()
                row = self._loop(i, i + 1)
                self._vectors.put_all(i, row)
                self._follow(i, row)
            return
        if self._batchable(stop - start):
            found = batched_gradients(
                self._model,
                self._loss,
                self._inputs[start:stop],
                self._targets[start:stop],
                _CHUNK,
                self._task,
            )
            self._path = "vmap of grad" if found.path == "vmap" else self._path
            self._vectors.put_all(start, found.rows)
        else:
            for i in range(start, stop):
                self._vectors.put_all(i, self._loop(i, i + 1))
        self._follow(start, self._vectors.first(stop).rows[start:])

    def _follow(self, start: int, rows: Tensor) -> None:
        """Keep the images and pushforwards of the rows from number ``start`` on."""
        for name in self._solved:
            self._solve(name, start, rows)
        if self._pushed is not None:
            self._pushed.put_all(start, self._push(rows))

    def _solve(self, name: MetricName, start: int, rows: Tensor) -> None:
        """In single precision at least: χ⁻¹ spans more orders than half precision has."""
        metric, store = self._solved[name]
        store.put_all(start, metric.operator.solve(rows.to(store.dtype)))

    def _store(self, length: int, least: torch.dtype | None = None) -> VectorStore:
        parameters = trainable_parameters(self._probe.subject.model)
        device = next(iter(parameters.values())).device
        dtype = real_dtype(parameters)
        dtype = dtype if least is None else torch.promote_types(dtype, least)
        return self._probe.keeping.store(len(self._inputs), length, dtype, device)

    def _push(self, rows: Tensor) -> Tensor:
        reference = TreeBatch(self._probe.reference)
        plan = self._probe.keeping.plan
        step = plan.reference_batch if plan is not None else len(reference)
        parts = []
        for k in range(0, len(reference), step):
            task = self._task if k == 0 else None
            part, path = output_jvps(self._probe.flat_model, reference[k : k + step], rows, task)
            parts.append(part)
            self._pushed_path = path
        return parts[0] if len(parts) == 1 else torch.cat(parts, 1)

    def _loop(self, start: int, stop: int) -> Tensor:
        """(stop − start, p), one by one."""
        targets, loss = self._targets, self._loss
        return per_sample_gradients(
            self._model,
            lambda output, i: loss(output, targets[i : i + 1].tree),
            self._inputs[start:stop],
            self._task,
            start,
        )

    def _batchable(self, count: int) -> bool:
        """Small models of many samples without grids."""
        flat = all(leaf.ndim <= 3 for leaf in trees.leaves(self._inputs.tree))
        return self._probe.size <= LARGEST_BATCHED and count >= FEWEST_BATCHED and flat
