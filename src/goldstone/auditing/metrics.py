"""The metrics of the gradient probes that are prepared once and then serve every element."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from goldstone.auditing.gradient_store import Keeping, VectorSet, cross_products
from goldstone.auditing.results import MetricDetails
from goldstone.auditing.settings import MetricName
from goldstone.auditing.subject import Subject
from goldstone.core import InputError, trees
from goldstone.core.trees import Tree
from goldstone.curvature import (
    TreeBatch,
    TreeModel,
    adam_metric,
    ekfac,
    gauss_newton_diagonal,
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

    def parts(self, euclidean: Tensor, a: "Imaged", b: "Imaged") -> Sequence[Tensor]:
        """Inner products that the metric's are made of, (replicates or 1, …) each."""
        ...

    def gram(self, *parts: Tensor) -> Tensor:
        """The (2n, 2n) products of [a, b] in χ⁻¹ from (means of) the parts."""
        ...


@dataclass(frozen=True, eq=False)
class Imaged:
    """Gradients and their image under a metric."""

    vectors: VectorSet
    image: VectorSet


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

    def parts(self, euclidean: Tensor, a: Imaged, b: Imaged) -> Sequence[Tensor]:
        """⟨a, χ⁻¹a⟩, ⟨a, χ⁻¹b⟩ and ⟨b, χ⁻¹b⟩."""
        pairs = ((a, a), (a, b), (b, b))
        return [cross_products(x.vectors, y.image) for x, y in pairs]

    def gram(self, *parts: Tensor) -> Tensor:
        """The three blocks as one symmetric matrix."""
        of_a, across, of_b = parts
        top = torch.cat([of_a, across], 1)
        bottom = torch.cat([across.T, of_b], 1)
        whole = torch.cat([top, bottom])
        return (whole + whole.T) / 2


@dataclass(frozen=True, eq=False)
class SpannedMetric:
    """χ = SᵀS + λ for few rows S: the image is the gradients' products with them (Woodbury)."""

    spanning: VectorSet
    span_gram: Tensor
    damping: float
    details: MetricDetails

    @property
    def span(self) -> Tensor:
        """S, where it is kept whole."""
        return self.spanning.rows

    def image(self, vectors: VectorSet) -> VectorSet:
        """⟨g_i, s_k⟩."""
        return VectorSet(cross_products(vectors, self.spanning))

    def parts(self, euclidean: Tensor, a: Imaged, b: Imaged) -> Sequence[Tensor]:
        """GᵀG, GᵀSᵀ and SSᵀ."""
        return euclidean, torch.cat([a.image.values, b.image.values], 1), self.span_gram

    def gram(self, *parts: Tensor) -> Tensor:
        """Woodbury's identity."""
        euclidean, cross, span_gram = parts
        return woodbury_products(euclidean, cross, span_gram, self.damping)


Rows = Callable[[], Iterator[Tensor]]
"""Makes a fresh iterator over gradients, (1, p) each, where they cannot be held together."""


def prepare_metrics(
    subject: Subject,
    reference: Tree,
    reference_targets: Tree,
    gradients: Tensor | Rows,
    optimiser: Mapping[str, Any] | None = None,
    keeping: Keeping | None = None,
) -> dict[MetricName, PreparedMetric]:
    """The metrics of the settings that need preparation.

    They all invert the whole space of parameters and share one λ: the relative damping of the
    settings, at least 1e-4, times the curvature gᵀηg/gᵀg along the audited ``gradients``; the
    empirical Fisher's is relative to its own curvature along them, and Adam has its ε.

    Args:
        subject: the model under audit.
        reference: inputs of samples disjoint from the audited ones, which define the curvature.
        reference_targets: their targets.
        gradients: (n, p) of the audited samples at the identity, or some of them one by one.
        optimiser: the ``state_dict()`` of the Adam or AdamW that trained the model.
        keeping: how the rows that span a metric are kept; whole by default.

    Raises:
        InputError: ``adam`` is asked for without the optimiser's state, or it does not fit.
    """
    wanted = set(subject.settings.metrics) - {"euclidean", "galerkin", "gauss-newton"}
    if not wanted:
        return {}
    settings = subject.settings
    keeping = keeping or Keeping(None, settings.seed)
    model, batch = TreeModel(subject.model, flat=True), TreeBatch(reference)
    relative = max(settings.damping, LEAST_DAMPING)
    found: dict[MetricName, PreparedMetric] = {}
    if "adam" in wanted:
        found["adam"] = adam(subject.model, optimiser)
    if "empirical-fisher" in wanted:
        found["empirical-fisher"] = _empirical_fisher(
            subject, reference, reference_targets, gradients, relative, keeping
        )
    if not wanted - set(found):
        return found
    damping = relative * curvature_along(model, batch, gradients)
    if "randomised-gauss-newton" in wanted:
        rows = probe_rows(model, batch, PROBES, settings.seed)
        found["randomised-gauss-newton"] = _spanned(rows, PROBES * len(batch), damping, keeping)
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


def adam(model: nn.Module, optimiser: Mapping[str, Any] | None) -> SolvedMetric:
    """The metric of the optimiser's own steps.

    Raises:
        InputError: there is no state of the optimiser, or it does not fit the model.
    """
    if optimiser is None:
        raise InputError(
            "the metric 'adam' is made of the optimiser's state; give "
            "optimiser=torch.load(FILE, weights_only=True), what optimizer.state_dict() gave"
        )
    return SolvedMetric(adam_metric(model, optimiser), MetricDetails())


def curvature_along(model: TreeModel, reference: TreeBatch, gradients: Tensor | Rows) -> float:
    """The mean curvature Σ gᵀηg/Σ gᵀg along up to eight of the gradients."""
    if isinstance(gradients, Tensor):
        blocks: Iterable[Tensor] = [gradients[:: max(1, len(gradients) // 8)]]
    else:
        blocks = gradients()
    curvatures, energies = [], []
    for block in blocks:
        # Half precision would vanish or overflow.
        wide = torch.promote_types(block.dtype, torch.float32)
        pushed, _ = output_jvps(model, reference, block)
        curvatures.append(pushed.to(wide).square().mean(1).sum())
        energies.append(block.to(wide).square().sum())
    energy = torch.stack(energies).sum()
    smallest = torch.finfo(energy.dtype).tiny
    return float(torch.stack(curvatures).sum() / energy.clamp_min(smallest))


def _empirical_fisher(
    subject: Subject,
    reference: Tree,
    targets: Tree,
    gradients: Tensor | Rows,
    relative: float,
    keeping: Keeping,
) -> SpannedMetric:
    """F = (1/n) Σ r rᵀ of the reference samples' loss gradients."""
    loss, batch = subject.loss, TreeBatch(reference)
    n = len(batch)

    def rows() -> Iterator[Tensor]:
        for i in range(n):
            yield (
                per_sample_gradients(
                    TreeModel(subject.model),
                    lambda output, i: loss(output, trees.take(targets, slice(i, i + 1))).sum(),
                    batch[i : i + 1],
                    None,
                    i,
                )
                / n**0.5
            )

    spanned = _spanned(rows(), n, 1.0, keeping)
    along, energies = [], []
    for block in [gradients] if isinstance(gradients, Tensor) else gradients():
        products = cross_products(keeping.keep(block), spanned.spanning).mean(0)
        along.append(products.square().sum())
        energies.append(block.double().square().sum())
    damping = relative * float(torch.stack(along).sum() / torch.stack(energies).sum())
    return replace(spanned, damping=damping, details=replace(spanned.details, damping=damping))


def _spanned(
    blocks: Iterable[Tensor], count: int, damping: float, keeping: Keeping
) -> SpannedMetric:
    """The metric that the rows of all blocks span."""
    store, start = None, 0
    for block in blocks:
        if store is None:
            store = keeping.store(count, block.shape[1], block.dtype, block.device)
        store.put_all(start, block)
        start += len(block)
    if store is None:
        raise InputError("curvature: expected at least one reference sample, got none")
    spanning = store.first(count)
    return SpannedMetric(
        spanning, cross_products(spanning, spanning), damping, MetricDetails(damping, count)
    )


def _rest(metric: Any) -> dict[str, str]:
    """The parameters without Kronecker factors or blocks, by name."""
    return {
        entry.parameters.removeprefix("model."): entry.reason
        for entry in metric.coverage
        if entry.reason
    }
