"""The metrics of the gradient probes that are prepared once and then serve every element."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch
from torch import Tensor

from goldstone.auditing.results import MetricDetails
from goldstone.auditing.settings import MetricName
from goldstone.auditing.subject import Loss, Subject
from goldstone.core import InputError, trees
from goldstone.core.trees import Tree
from goldstone.curvature import (
    TreeBatch,
    TreeModel,
    adam_metric,
    ekfac,
    gauss_newton_diagonal,
    inner_products,
    kfac,
    kronecker_factors,
    output_jvps,
    per_sample_gradients,
    probe_rows,
    woodbury_products,
)

LEAST_DAMPING = 1e-4
"""Relative to the curvature along the gradients; below it the whole-space solves are noise."""
PROBES = 8
"""Random output probes for each reference sample of the randomised Gauss–Newton metric."""


class PreparedMetric(Protocol):
    """A metric χ; what it keeps of each set of gradients is computed once for each set."""

    @property
    def details(self) -> MetricDetails:
        """What it is made of."""
        ...

    def image(self, rows: Tensor) -> Tensor:
        """What the products need beside the gradients, one row each."""
        ...

    def gram(self, euclidean: Tensor, a: "Imaged", b: "Imaged") -> Tensor:
        """The (2n, 2n) products of [a, b] in χ⁻¹, from those in the Euclidean metric."""
        ...


@dataclass(frozen=True, eq=False)
class Imaged:
    """Gradients (n, p) and their image under a metric."""

    rows: Tensor
    image: Tensor


class Solves(Protocol):
    """An operator on rows."""

    def solve(self, rows: Tensor) -> Tensor:
        """(χ + λ)⁻¹ of each row."""
        ...


@dataclass(frozen=True, eq=False)
class SolvedMetric:
    """A metric with a quick solve: the image is χ⁻¹ of the gradients."""

    operator: Solves
    details: MetricDetails

    def image(self, rows: Tensor) -> Tensor:
        return self.operator.solve(rows)

    def gram(self, euclidean: Tensor, a: Imaged, b: Imaged) -> Tensor:
        across = inner_products(a.rows, b.image)
        top = torch.cat([inner_products(a.rows, a.image), across], 1)
        bottom = torch.cat([across.T, inner_products(b.rows, b.image)], 1)
        whole = torch.cat([top, bottom])
        return (whole + whole.T) / 2


@dataclass(frozen=True, eq=False)
class SpannedMetric:
    """χ = SᵀS + λ for few rows S: the image is the gradients' products with them (Woodbury)."""

    span: Tensor
    span_gram: Tensor
    damping: float
    details: MetricDetails

    def image(self, rows: Tensor) -> Tensor:
        return inner_products(rows, self.span)

    def gram(self, euclidean: Tensor, a: Imaged, b: Imaged) -> Tensor:
        cross = torch.cat([a.image, b.image])
        return woodbury_products(euclidean, cross, self.span_gram, self.damping)


def prepare_metrics(
    subject: Subject,
    reference: Tree,
    reference_targets: Tree,
    gradients: Tensor,
    optimiser: Mapping[str, Any] | None = None,
) -> dict[MetricName, PreparedMetric]:
    """The metrics of the settings that need preparation.

    They all invert the whole space of parameters and share one λ: the relative damping of the
    settings, at least 1e-4, times the curvature gᵀηg/gᵀg along the audited ``gradients``; the
    empirical Fisher's is relative to its own curvature along them, and Adam has its ε.

    Args:
        subject: the model under audit.
        reference: inputs of samples disjoint from the audited ones, which define the curvature.
        reference_targets: their targets.
        gradients: (n, p) of the audited samples at the identity.
        optimiser: the ``state_dict()`` of the Adam or AdamW that trained the model.

    Raises:
        InputError: ``adam`` is asked for without the optimiser's state, or it does not fit.
    """
    wanted = set(subject.settings.metrics) - {"euclidean", "galerkin", "gauss-newton"}
    if not wanted:
        return {}
    settings = subject.settings
    model, batch = TreeModel(subject.model, flat=True), TreeBatch(reference)
    relative = max(settings.damping, LEAST_DAMPING)
    found: dict[MetricName, PreparedMetric] = {}
    if "adam" in wanted:
        if optimiser is None:
            raise InputError(
                "the metric 'adam' is made of the optimiser's state; give "
                "optimiser=torch.load(FILE, weights_only=True), what optimizer.state_dict() gave"
            )
        found["adam"] = SolvedMetric(adam_metric(subject.model, optimiser), MetricDetails())
    if "empirical-fisher" in wanted:
        found["empirical-fisher"] = _empirical_fisher(
            subject.model, subject.loss, reference, reference_targets, gradients, relative
        )
    if not wanted - set(found):
        return found
    damping = relative * curvature_along(model, batch, gradients)
    if "randomised-gauss-newton" in wanted:
        rows = torch.cat(list(probe_rows(model, batch, PROBES, settings.seed)))
        found["randomised-gauss-newton"] = SpannedMetric(
            rows, inner_products(rows), damping, MetricDetails(damping, len(rows))
        )
    if "gauss-newton-diagonal" in wanted:
        diagonal = gauss_newton_diagonal(model, batch, relative, seed=settings.seed)
        found["gauss-newton-diagonal"] = SolvedMetric(
            replace(diagonal, damping=damping),
            MetricDetails(damping, relative_error=diagonal.relative_error),
        )
    if wanted & {"kfac", "ekfac"}:
        factors = kronecker_factors(model, batch, seed=settings.seed)
        share = damping / factors.mean_curvature
        if "kfac" in wanted:
            metric = kfac(factors, share)
            found["kfac"] = SolvedMetric(metric, MetricDetails(damping, uncovered=_rest(metric)))
        if "ekfac" in wanted:
            metric = ekfac(model, batch, factors, share, seed=settings.seed)
            found["ekfac"] = SolvedMetric(metric, MetricDetails(damping, uncovered=_rest(metric)))
    return found


def curvature_along(model: TreeModel, reference: TreeBatch, gradients: Tensor) -> float:
    """The mean curvature Σ gᵀηg/Σ gᵀg along up to eight of the gradients."""
    few = gradients[:: max(1, len(gradients) // 8)]
    pushed, _ = output_jvps(model, reference, few)
    energy = few.square().sum().clamp_min(torch.finfo(few.dtype).tiny)
    return float(pushed.square().mean(1).sum() / energy)


def _empirical_fisher(
    model: torch.nn.Module,
    loss: Loss,
    reference: Tree,
    targets: Tree,
    gradients: Tensor,
    relative: float,
) -> SpannedMetric:
    """F = (1/n) Σ r rᵀ of the reference samples' loss gradients."""
    rows = per_sample_gradients(
        TreeModel(model),
        lambda output, i: loss(output, trees.take(targets, slice(i, i + 1))).sum(),
        TreeBatch(reference),
    )
    span = rows / len(rows) ** 0.5
    along = inner_products(gradients, span).square().sum() / gradients.double().square().sum()
    damping = relative * float(along)
    return SpannedMetric(span, inner_products(span), damping, MetricDetails(damping, len(span)))


def _rest(metric: Any) -> dict[str, str]:
    """The parameters without Kronecker factors or blocks, by name."""
    return {
        entry.parameters.removeprefix("model."): entry.reason
        for entry in metric.coverage
        if entry.reason
    }
