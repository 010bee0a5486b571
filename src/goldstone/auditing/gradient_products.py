"""Inner products of paired gradients in every metric."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from goldstone.auditing.coherence import PairProducts
from goldstone.auditing.gradient_store import (
    Keeping,
    VectorSet,
    joint_products,
    leave_one_out,
)
from goldstone.auditing.metrics import LEAST_DAMPING, Imaged, PreparedMetric, curvature_along
from goldstone.auditing.null_classes import null_classes
from goldstone.auditing.settings import MetricName
from goldstone.auditing.subject import Subject
from goldstone.core import trees
from goldstone.core.trees import Tree
from goldstone.curvature import (
    TreeBatch,
    TreeModel,
    galerkin_gram,
    gauss_newton_gram,
    inner_products,
    probe_rows,
    woodbury_products,
)

MOST_EXACT = 256
"""Reference outputs up to which all rows of J are taken, so that η is inverted without iterating;
a hundredth of the time of conjugate gradients on small networks."""


@dataclass(frozen=True, eq=False)
class GradientSet:
    """Gradients of n samples and what the metrics need beside them.

    Attributes:
        vectors: the n gradients of p numbers, whole or sketched.
        pushed: the pushforwards J a_i, of as many numbers as there are reference outputs, or None.
        path: how all of it was computed.
        keeping: of sets that can be compared with it.
        images: by prepared metric: χ⁻¹ a_i, or the products of a_i with the rows that span it.
    """

    vectors: VectorSet
    pushed: VectorSet | None
    path: str
    keeping: Keeping
    images: Mapping[MetricName, VectorSet] = field(default_factory=dict)

    @property
    def rows(self) -> Tensor:
        """The gradients, (n, p); not at hand where they were sketched."""
        return self.vectors.rows


@dataclass(frozen=True, eq=False)
class MetricProducts:
    """Inner products of one element's pairs in one metric, of unit and of raw gradients.

    ``residual`` is the largest relative one of an iterative solve.
    """

    unit: PairProducts
    raw: PairProducts
    residual: float = 0.0

    def matched(self, classes: Tensor | None) -> "MetricProducts":
        """The same, with the null taken within classes."""
        return replace(self, unit=self.unit.matched(classes), raw=self.raw.matched(classes))


def metric_products(
    a: GradientSet,
    b: GradientSet,
    metrics: Sequence[MetricName],
    subject: Subject,
    reference: Tree,
    prepared: Mapping[MetricName, PreparedMetric],
) -> dict[MetricName, MetricProducts]:
    """Inner products of the pairs (a_i, b_i) in each of ``metrics``."""
    gram = joint_products(a.vectors, b.vectors)
    found: dict[MetricName, MetricProducts] = {}
    for metric in metrics:
        if metric == "euclidean":
            raw = _estimated([gram], lambda products: products)
            found[metric] = MetricProducts(raw.unit(), raw)
        elif metric == "galerkin":
            found[metric] = _galerkin(gram, a, b, subject, reference)
        elif metric == "gauss-newton":
            found[metric] = _gauss_newton(a, b, subject, reference)
        else:
            of_a = Imaged(a.vectors, a.images[metric])
            of_b = Imaged(b.vectors, b.images[metric])
            raw = _estimated(prepared[metric].parts(gram, of_a, of_b), prepared[metric].gram)
            found[metric] = MetricProducts(raw.unit(), raw)
    classes = null_classes(subject.samples, subject.settings)
    classes = classes[: len(a.vectors)] if classes is not None else None
    return {metric: products.matched(classes) for metric, products in found.items()}


def reference_outputs(subject: Subject, reference: Tree) -> int:
    """Numbers in the outputs of all reference samples."""
    one = trees.flat(trees.take(subject.predictions, slice(1)))
    return int(one.shape[1]) * trees.batch_size(reference)


def _galerkin(
    gram: Tensor, a: GradientSet, b: GradientSet, subject: Subject, reference: Tree
) -> MetricProducts:
    if a.pushed is None or b.pushed is None:
        raise ValueError("gradients were taken without pushforwards")
    pushed = joint_products(a.pushed, b.pushed) / reference_outputs(subject, reference)
    damping = subject.settings.damping

    def scaled(gram: Tensor, output_gram: Tensor) -> Tensor:
        norms = gram.diagonal().sqrt()
        # A gradient of zero stays zero, and has no cosine in the end.
        norms = torch.where(norms > 0, norms, 1.0)
        scale = norms[:, None] * norms
        return galerkin_gram(gram / scale, output_gram / scale, relative_damping=damping)

    def plain(gram: Tensor, output_gram: Tensor) -> Tensor:
        return galerkin_gram(gram, output_gram, relative_damping=damping)

    # Unit gradients span what they span before the metric is known: scaled in the Euclidean
    # norm for the Galerkin basis, then in the metric's own.
    return MetricProducts(
        _estimated([gram, pushed], scaled).unit(), _estimated([gram, pushed], plain)
    )


def _gauss_newton(
    a: GradientSet, b: GradientSet, subject: Subject, reference: Tree
) -> MetricProducts:
    rows = torch.cat([a.rows, b.rows])
    # The mean curvature along the gradients themselves sets the scale of the damping.
    model, batch = TreeModel(subject.model, flat=True), TreeBatch(reference)
    damping = max(subject.settings.damping, LEAST_DAMPING) * curvature_along(model, batch, rows)
    if reference_outputs(subject, reference) <= MOST_EXACT:
        spanning = torch.cat(list(probe_rows(model, batch, None)))
        raw = PairProducts.from_gram(
            woodbury_products(
                inner_products(rows),
                inner_products(rows, spanning),
                inner_products(spanning),
                damping,
            )
        )
        return MetricProducts(raw.unit(), raw)
    solved = gauss_newton_gram(model, batch, rows, damping)
    raw = PairProducts.from_gram(solved.gram)
    return MetricProducts(raw.unit(), raw, solved.residual)


def _estimated(parts: Sequence[Tensor], combine: Callable[..., Tensor]) -> PairProducts:
    """``combine`` of the means over sketches, and of those with one sketch left out each time."""
    whole = combine(*(part.mean(0) for part in parts))
    count = max(len(part) for part in parts)
    left = [leave_one_out(part) or [part[0]] * count for part in parts]
    leaves = [combine(*some) for some in zip(*left, strict=True)] if count > 1 else []
    return PairProducts.from_gram(whole, leaves)
