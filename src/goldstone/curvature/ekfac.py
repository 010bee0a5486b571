"""Eigenvalue-corrected Kronecker factors."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from goldstone.core import InputError, Task
from goldstone.curvature.block_metric import BlockMetric, KroneckerBasis, damped_metric, eigenbases
from goldstone.curvature.kronecker_blocks import KroneckerFactors
from goldstone.curvature.output_probes import probe_rows
from goldstone.curvature.parameters import trainable_parameters, vector_size
from goldstone.curvature.tree_batches import TreeBatch


def ekfac(
    model: nn.Module,
    inputs: Tensor | TreeBatch,
    factors: KroneckerFactors,
    relative_damping: float,
    probes: int | None = 1,
    seed: int = 0,
    task: Task | None = None,
) -> BlockMetric:
    """K-FAC's eigenbasis with the curvature measured along it: values = diag(Uᵀ η U).

    From per-sample gradients of output probes, Σ (Uᵀ Jᵀu)², for outputs of any shape. Among
    all metrics diagonal in that basis it is the closest to η in the Frobenius norm, so
    never further from it than K-FAC's block up to chance (George, Laurent, Bouthillier, Ballas &
    Vincent 2018, "Fast Approximate Natural Gradient Descent in a Kronecker-factored Eigenbasis",
    sec. 3). No sum over positions is approximated: weight sharing matters to the basis alone.

    Args:
        model: the one whose ``factors`` were taken.
        inputs: the reference samples that define η.
        factors: from :func:`kronecker_factors`.
        relative_damping: λ as a share of the mean curvature.
        probes: random directions a sample; None for every output, exact.
        seed: of the directions; another than the factors' makes the two errors independent.
        task: advanced by one a sample.

    Raises:
        InputError: the model has other parameters than the factors.
    """
    if vector_size(trainable_parameters(model)) != factors.size:
        raise InputError(
            f"EK-FAC: the factors are those of {factors.size} parameters, the model has "
            f"{vector_size(trainable_parameters(model))}"
        )
    blocks = list(eigenbases(factors))
    found = {
        k: torch.zeros_like(block.values)
        for k, block in enumerate(blocks)
        if isinstance(block, KroneckerBasis)
    }
    for rows in probe_rows(model, inputs, probes, seed, task):
        for k, values in found.items():
            values += blocks[k].coordinates(rows).double().square().sum(0)
    for k, values in found.items():
        block = blocks[k]
        if isinstance(block, KroneckerBasis):
            blocks[k] = replace(block, values=values)
    return damped_metric("ek-fac", blocks, factors, relative_damping)
