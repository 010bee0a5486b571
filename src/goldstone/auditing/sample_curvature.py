"""Curvature matrices of a subject's samples: their products, and their forms sample by sample."""

from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor

from goldstone.auditing.memory_plan import activation_bytes
from goldstone.auditing.orbit_samples import sample_loss
from goldstone.auditing.subject import Subject
from goldstone.core import Statistic, trees
from goldstone.curvature import (
    CurvatureOperator,
    TreeBatch,
    TreeModel,
    gauss_newton_operator,
    hessian_operator,
    memory_bytes,
    output_jvps,
)

Kind = Literal["hessian", "gauss-newton"]
KINDS: tuple[Kind, ...] = ("hessian", "gauss-newton")
_WITH_GRADIENT = 4
"""Activations of a gradient that can be differentiated again, over those of the outputs."""


def curvature_operator(kind: Kind, subject: Subject, batch: int) -> CurvatureOperator:
    """The Hessian of the mean loss, or JᵀJ/N_out, on all samples.

    Where a quarter of the settings' memory holds the Hessian's graphs of all samples, they are kept
    between products.
    """
    inputs = subject.samples.inputs
    if kind == "gauss-newton":
        return gauss_newton_operator(TreeModel(subject.model, flat=True), TreeBatch(inputs), batch)
    one = activation_bytes(subject.model, trees.take(inputs, slice(1)))[0]
    needed = _WITH_GRADIENT * one * trees.batch_size(inputs)
    return _hessian(
        subject, slice(None), batch, needed <= memory_bytes(subject.settings.memory) // 4
    )


def curvatures_along(
    directions: Tensor, kind: Kind, subject: Subject, scale: float, batch: int
) -> list[Statistic]:
    """vᵀA_i v/vᵀv of each row v of ``directions``, its mean over samples i.

    None for rows that are zero to rounding of gradients of size ``scale``.
    """
    n = trees.batch_size(subject.samples.inputs)
    sizes = directions.norm(dim=1)
    known = sizes > rounding(directions) * scale
    found = [Statistic(None, None, None, n) for _ in directions]
    if not bool(known.any()):
        return found
    units = directions[known] / sizes[known, None]
    if kind == "gauss-newton":
        values = _pushed_squares(units, subject, batch)
    else:
        values = torch.stack(
            [_hessian(subject, slice(i, i + 1), 1).forms(units).cpu() for i in range(n)], 1
        )
    for k, row in zip(known.nonzero()[:, 0].tolist(), values, strict=True):
        found[k] = subject.mean(row)
    return found


def rounding(gradients: Tensor) -> float:
    """Below this share of a gradient's norm, differences are those of the arithmetic."""
    return 1e3 * torch.finfo(gradients.dtype).eps


def _hessian(subject: Subject, index: slice, batch: int, keep: bool = False) -> CurvatureOperator:
    samples = subject.samples
    some = replace(
        samples,
        inputs=trees.take(samples.inputs, index),
        targets=trees.take(samples.targets, index),
    )
    scalar = sample_loss(subject.loss, some)
    return hessian_operator(
        TreeModel(subject.model), scalar, TreeBatch(some.inputs), batch, keep=keep
    )


def _pushed_squares(units: Tensor, subject: Subject, batch: int) -> Tensor:
    """‖J_i v‖²/N_out, (rows, samples): vᵀJᵀJv needs no backward pass."""
    model, inputs = TreeModel(subject.model, flat=True), subject.samples.inputs
    parts = []
    for some in trees.chunks(inputs, batch):
        pushed = output_jvps(model, TreeBatch(some), units)[0].double()
        by_sample = pushed.reshape(len(units), trees.batch_size(some), -1)
        parts.append(by_sample.square().mean(2).cpu())
    return torch.cat(parts, 1)
