"""Gradient probes: inner products of loss gradients along orbits, in several metrics."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from goldstone.actions import Symmetry
from goldstone.auditing.coherence import PairProducts
from goldstone.auditing.metrics import (
    LEAST_DAMPING,
    Imaged,
    PreparedMetric,
    curvature_along,
)
from goldstone.auditing.settings import MetricName
from goldstone.auditing.subject import Subject
from goldstone.core import Task, generator, trees
from goldstone.core.trees import Tree
from goldstone.curvature import (
    TreeBatch,
    TreeModel,
    galerkin_gram,
    gauss_newton_gram,
    inner_products,
    output_jvps,
    per_sample_gradients,
)


@dataclass(frozen=True, eq=False)
class GradientSet:
    """Gradients of n samples and what the metrics need beside them.

    Attributes:
        rows: (n, p).
        pushed: the pushforwards J a_i, (n, number of reference outputs), or None.
        path: how the pushforwards were computed.
        images: by prepared metric, see :class:`~goldstone.auditing.metrics.PreparedMetric`.
    """

    rows: Tensor
    pushed: Tensor | None
    path: str
    images: Mapping[MetricName, Tensor] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class MetricProducts:
    """Inner products of one element's pairs in one metric, of unit and of raw gradients.

    ``residual`` is the largest relative one of an iterative solve.
    """

    unit: PairProducts
    raw: PairProducts
    residual: float = 0.0


@dataclass(frozen=True)
class GradientProbe:
    """Takes gradients along orbits, of the subject and under the symmetry that it holds.

    ``prepared`` holds the metrics that are made once, by :func:`prepare_metrics`.
    """

    subject: Subject
    symmetry: Symmetry
    reference: Tree
    prepared: Mapping[MetricName, PreparedMetric] = field(default_factory=dict)

    def loss_gradients(self, element: Any, task: Task | None = None) -> GradientSet:
        """∇_θ ℓ(f(g x_i), g y_i) of the gradient samples."""
        inputs, targets = self._moved(element)
        loss = self.subject.loss
        rows = per_sample_gradients(
            TreeModel(self.subject.model),
            lambda output, i: loss(output, trees.take(targets, slice(i, i + 1))).sum(),
            TreeBatch(inputs),
            task,
        )
        return self._with_images(rows, task)

    def probe_gradients(self, element: Any, task: Task | None = None) -> GradientSet:
        """J_{gx_i}ᵀ ρ_out(g) v_i for a random v_i per sample, smooth for fields."""
        inputs, _ = self._moved(element)
        seed = self.subject.settings.seed
        probes = trees.map_leaves(lambda t: _probe(t, seed), self.subject.predictions)
        after = self.subject.samples.context.at(1)
        # The linear part: a boost's action on outputs is affine.
        zero = trees.map_leaves(torch.zeros_like, probes)
        still = trees.flat(self.symmetry.on_output.act(element, zero, after))
        turned = trees.flat(self.symmetry.on_output.act(element, probes, after)) - still
        rows = per_sample_gradients(
            self._flat_model,
            lambda output, i: (output[0] * turned[i]).sum(),
            TreeBatch(inputs),
            task,
        )
        return self._with_images(rows, task)

    def products(self, a: GradientSet, b: GradientSet) -> dict[MetricName, MetricProducts]:
        """Inner products of the pairs (a_i, b_i) in every metric of the settings."""
        gram = inner_products(torch.cat([a.rows, b.rows]))
        found: dict[MetricName, MetricProducts] = {}
        for metric in self.subject.settings.metrics:
            if metric == "euclidean":
                raw = PairProducts.from_gram(gram)
                found[metric] = MetricProducts(raw.unit(), raw)
            elif metric == "galerkin":
                found[metric] = self._galerkin(gram, a, b)
            elif metric == "gauss-newton":
                found[metric] = self._gauss_newton(a, b)
            else:
                pair = (Imaged(a.rows, a.images[metric]), Imaged(b.rows, b.images[metric]))
                raw = PairProducts.from_gram(self.prepared[metric].gram(gram, *pair))
                found[metric] = MetricProducts(raw.unit(), raw)
        return found

    def images(self, rows: Tensor) -> dict[MetricName, Tensor]:
        """What the prepared metrics need beside the gradients."""
        return {name: metric.image(rows) for name, metric in self.prepared.items()}

    @property
    def _flat_model(self) -> TreeModel:
        return TreeModel(self.subject.model, flat=True)

    def _moved(self, element: Any) -> tuple[Tree, Tree]:
        samples = self.subject.samples
        moved = self.symmetry.on_input.act(element, samples.inputs, samples.context)
        after = samples.context.at(1)
        return moved, self.symmetry.target_action.act(element, samples.targets, after)

    def _with_images(self, rows: Tensor, task: Task | None) -> GradientSet:
        images = self.images(rows)
        if "galerkin" not in self.subject.settings.metrics:
            return GradientSet(rows, None, "none", images)
        pushed, path = output_jvps(self._flat_model, TreeBatch(self.reference), rows, task)
        return GradientSet(rows, pushed, path, images)

    def _galerkin(self, gram: Tensor, a: GradientSet, b: GradientSet) -> MetricProducts:
        if a.pushed is None or b.pushed is None:
            raise ValueError("gradients were taken without pushforwards")
        output_gram = inner_products(torch.cat([a.pushed, b.pushed])) / a.pushed.shape[1]
        norms = gram.diagonal().sqrt()
        # A gradient of zero stays zero, and has no cosine in the end.
        norms = torch.where(norms > 0, norms, 1.0)
        scale = norms[:, None] * norms
        damping = self.subject.settings.damping
        # Unit gradients span what they span before the metric is known: scaled in the Euclidean
        # norm for the Galerkin basis, then in the metric's own.
        scaled = galerkin_gram(gram / scale, output_gram / scale, relative_damping=damping)
        raw = galerkin_gram(gram, output_gram, relative_damping=damping)
        return MetricProducts(PairProducts.from_gram(scaled).unit(), PairProducts.from_gram(raw))

    def _gauss_newton(self, a: GradientSet, b: GradientSet) -> MetricProducts:
        rows = torch.cat([a.rows, b.rows])
        # The mean curvature along the gradients themselves sets the scale of the damping.
        model, reference = self._flat_model, TreeBatch(self.reference)
        relative = max(self.subject.settings.damping, LEAST_DAMPING)
        damping = relative * curvature_along(model, reference, rows)
        solved = gauss_newton_gram(model, reference, rows, damping)
        raw = PairProducts.from_gram(solved.gram)
        return MetricProducts(raw.unit(), raw, solved.residual)


def _probe(output: Tensor, seed: int) -> Tensor:
    """Random outputs of unit variance: smooth for grid fields, else white."""
    if output.ndim == 4 and min(output.shape[-2:]) > 1 and not output.is_complex():
        return smooth_fields(output.shape, seed).to(output)
    source = generator(seed, "white probes")
    dtype = torch.complex128 if output.is_complex() else torch.float64
    return torch.randn(output.shape, generator=source, dtype=dtype).to(output)


def smooth_fields(shape: torch.Size, seed: int) -> Tensor:
    """Gaussian random fields (n, C, X, Y), mean 0, mean square 1, of low wavenumbers alone.

    The spectrum is exp(−(k/k₀)²) in each direction with k₀ four waves across the domain, isotropic,
    so that the fields of a sample are as likely as their turned versions.
    """
    source = generator(seed, "smooth probes")
    white = torch.randn(shape, generator=source, dtype=torch.float64)
    kx = torch.fft.fftfreq(shape[-2], 1 / shape[-2], dtype=torch.float64)
    ky = torch.fft.rfftfreq(shape[-1], 1 / shape[-1], dtype=torch.float64)
    envelope = torch.exp(-(kx[:, None].square() + ky.square()) / 16)
    # A mean would excite the last layer's bias alone, which then drowns the rest of the kernel.
    envelope[0, 0] = 0.0
    fields = torch.fft.irfft2(torch.fft.rfft2(white) * envelope, s=shape[-2:])
    size = fields.square().mean((-3, -2, -1), keepdim=True).sqrt()
    return torch.div(fields, size)
