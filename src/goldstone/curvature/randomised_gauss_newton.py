"""Inner products in a Gauss–Newton metric estimated from random output probes."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from goldstone.core import InputError, Task
from goldstone.curvature.inner_products import inner_products
from goldstone.curvature.output_probes import probe_rows
from goldstone.curvature.tree_batches import TreeBatch
from goldstone.curvature.woodbury import woodbury_products


@dataclass(frozen=True, eq=False)
class RandomisedGaussNewton:
    """Gᵀ(SᵀS + λ)⁻¹G with E[SᵀS] = η, and how far chance has a part in it.

    Attributes:
        gram: (m, m) float64, from all probes.
        standard_error: (m, m), by the jackknife over the independent probe sets.
        bias: (m, m), the jackknife's estimate of E[gram] − Gᵀ(η + λ)⁻¹G to first order in
            1/probes. The inverse is convex, so few probes overestimate: large where λ is far below
            the curvature that the probes did not see.
        relative_error: ‖(standard_error, bias)‖/‖gram‖, Frobenius. A first-order estimate: trust
            it when it is small. Above about 0.3 the error may be twice as large; take more probes
            or a larger λ.
        damping: λ, absolute.
        trace: tr SᵀS, an unbiased estimate of tr η.
        rows: number of rows of S.
    """

    gram: Tensor
    standard_error: Tensor
    bias: Tensor
    relative_error: float
    damping: float
    trace: float
    rows: int


def randomised_gauss_newton_gram(
    model: nn.Module,
    inputs: Tensor | TreeBatch,
    gradients: Tensor,
    damping: float,
    probes: int = 1,
    sets: int = 4,
    seed: int = 0,
    task: Task | None = None,
) -> RandomisedGaussNewton:
    """G (SᵀS + λ)⁻¹ Gᵀ for gradients in rows, S of Jᵀu/√N_out for random signs u.

    ``sets`` independent sets of ``probes`` directions for each of the reference ``inputs`` define
    S together; leaving out one set at a time gives the error. Woodbury on Gram matrices:
    (1/λ)[K_QQ − K_QS(λ + K_SS)⁻¹K_SQ]. Converges to :func:`gauss_newton_gram` as probes grow.

    Raises:
        InputError: fewer than two sets, λ not positive, or nothing to probe.
    """
    if sets < 2:
        raise InputError(f"an error estimate needs at least two probe sets, got {sets}")
    rows = torch.cat(list(probe_rows(model, inputs, probes * sets, seed, task)))
    return randomised_from_rows(gradients, rows, damping, sets)


def randomised_from_rows(
    gradients: Tensor, rows: Tensor, damping: float, sets: int
) -> RandomisedGaussNewton:
    """The same from the rows of S, row k belonging to probe set k mod ``sets``."""
    if sets < 2 or len(rows) % sets:
        raise InputError(f"expected {len(rows)} probe rows to be divided into {sets} equal sets")
    gram = inner_products(gradients)
    cross = inner_products(gradients, rows)
    span = inner_products(rows)
    belongs = torch.arange(len(rows), device=rows.device) % sets
    pooled = woodbury_products(gram, cross, span, damping)
    without = []
    for left_out in range(sets):
        kept = belongs != left_out
        # Fewer rows, each with more weight: still an unbiased estimate of η.
        weight = sets / (sets - 1)
        without.append(
            woodbury_products(
                gram, cross[:, kept] * weight**0.5, span[kept][:, kept] * weight, damping
            )
        )
    leaves = torch.stack(without)
    centre = leaves.mean(0)
    error = ((sets - 1) / sets * (leaves - centre).square().sum(0)).sqrt()
    bias = (sets - 1) * (centre - pooled)
    size = float(pooled.norm()) or 1.0
    relative = float((error.square() + bias.square()).sum().sqrt()) / size
    return RandomisedGaussNewton(
        pooled, error, bias, relative, damping, float(span.trace()), len(rows)
    )
