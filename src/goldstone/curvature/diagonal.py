"""Diagonal metrics: of the empirical Fisher and of Gauss–Newton."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from goldstone.core import InputError, Task
from goldstone.curvature.output_probes import probe_rows
from goldstone.curvature.tree_batches import TreeBatch
from goldstone.curvature.woodbury import check_damping

_COLUMNS = 1 << 18


@dataclass(frozen=True, eq=False)
class DiagonalMetric:
    """The metric diag(d) + λ.

    Attributes:
        diagonal: d, (p,) float64.
        damping: λ, absolute.
        relative_error: ‖standard error of d‖/‖d‖ from random probes; 0 where d is exact, None
            where a single probe a sample cannot tell.
    """

    diagonal: Tensor
    damping: float
    relative_error: float | None = 0.0

    @property
    def mean_curvature(self) -> float:
        """The mean of d."""
        return float(self.diagonal.mean())

    def solve(self, rows: Tensor) -> Tensor:
        """(diag(d) + λ)⁻¹ of each row, (m, p) in the rows' dtype."""
        return rows / (self._checked(rows) + self.damping).to(rows.dtype)

    def gram(self, rows: Tensor) -> Tensor:
        """Products rows (diag(d) + λ)⁻¹ rowsᵀ, (m, m) float64."""
        scale = (self._checked(rows) + self.damping).rsqrt()
        total = torch.zeros(len(rows), len(rows), dtype=torch.float64, device=rows.device)
        for start in range(0, rows.shape[1], _COLUMNS):
            columns = slice(start, start + _COLUMNS)
            part = rows[:, columns].double() * scale[columns]
            total += part @ part.T
        return total

    def _checked(self, rows: Tensor) -> Tensor:
        if rows.ndim != 2 or rows.shape[1] != len(self.diagonal):
            raise InputError(
                f"diagonal metric: expected rows of {len(self.diagonal)} numbers, got a tensor of "
                f"shape {tuple(rows.shape)}; take the gradients in the same parameters"
            )
        return self.diagonal.to(rows.device)


def empirical_fisher_diagonal(reference: Tensor, relative_damping: float) -> DiagonalMetric:
    """The metric diag F + λ, F = (1/n) Σ r rᵀ of the rows r of ``reference`` (n, p); exact.

    λ = ``relative_damping`` · mean of diag F.
    """
    if not len(reference):
        raise InputError("the empirical Fisher needs at least one reference gradient")
    diagonal = torch.zeros(reference.shape[1], dtype=torch.float64, device=reference.device)
    for row in reference:
        diagonal += row.double().square()
    return _damped(diagonal / len(reference), relative_damping, 0.0)


def gauss_newton_diagonal(
    model: nn.Module,
    inputs: Tensor | TreeBatch,
    relative_damping: float,
    probes: int | None = 4,
    seed: int = 0,
    task: Task | None = None,
) -> DiagonalMetric:
    """The metric diag η + λ, η = JᵀJ/N_out, as Σ (Jᵀu)² over random output probes u.

    Unbiased, since E[(Jᵀu)(Jᵀu)ᵀ] = η (Bekas, Kokiopoulou & Saad 2007 for the diagonal of any
    matrix; here it is positive by construction). The error is that of the probes, for these
    ``inputs``. λ = ``relative_damping`` · mean of diag η.

    Args:
        model: in the mode it is to be probed in.
        inputs: the reference samples that define η.
        relative_damping: λ as a share of the mean curvature.
        probes: directions a sample; None for all outputs, exact.
        seed: of the directions.
        task: advanced by one a sample.
    """
    diagonal, variance = None, None
    for rows in probe_rows(model, inputs, probes, seed, task):
        squares = rows.double().square()
        found = squares.sum(0)
        # Σ_k of a sample is a sum of independent terms: its variance is k times theirs.
        spread = len(squares) * squares.var(0) if len(squares) > 1 else torch.zeros_like(found)
        diagonal = found if diagonal is None else diagonal + found
        variance = spread if variance is None else variance + spread
    if diagonal is None or variance is None:
        raise InputError("curvature: expected at least one reference sample, got none")
    if probes is None:
        error: float | None = 0.0
    elif probes == 1:
        error = None
    else:
        error = float(variance.sum().sqrt() / diagonal.norm().clamp_min(1e-300))
    return _damped(diagonal, relative_damping, error)


def _damped(diagonal: Tensor, relative_damping: float, error: float | None) -> DiagonalMetric:
    damping = relative_damping * float(diagonal.mean())
    check_damping(damping)
    return DiagonalMetric(diagonal, damping, error)
