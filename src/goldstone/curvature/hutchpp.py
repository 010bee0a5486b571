"""The trace of a curvature operator."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from goldstone.core import InputError, Task, generator
from goldstone.curvature.operators import CurvatureOperator


@dataclass(frozen=True)
class TraceEstimate:
    """An unbiased estimate of a trace.

    Attributes:
        trace: of the whole.
        captured: the part that is exact, tr QᵀAQ.
        standard_error: of the rest, from its independent probes.
        products: how many products with A were made.
    """

    trace: float
    captured: float
    standard_error: float
    products: int


def hutchpp(
    operator: CurvatureOperator, products: int = 30, seed: int = 0, task: Task | None = None
) -> TraceEstimate:
    """Hutch++: tr A = tr QᵀAQ + E gᵀ(1 − QQᵀ)A(1 − QQᵀ)g, Q an orthonormal basis of A·signs.

    A third of the ``products`` each for the sketch A S, for A Q and for the probes g of the rest,
    all of random signs (Meyer, Musco, Musco & Woodruff 2021, "Hutch++: Optimal Stochastic Trace
    Estimation", algorithm 1). Curvature has few large eigenvalues: Q takes them out exactly, and
    the error falls with 1/products and not with its root. Unbiased for indefinite A too.

    Raises:
        InputError: fewer than six products, or one that is NaN.
    """
    if products < 6:
        raise InputError(f"Hutch++: expected at least six products, got {products}")
    sketch = min(products // 3, operator.size)
    source = generator(seed, "hutch++")
    moved = operator.products(_signs(operator, sketch, source))
    if not bool(torch.isfinite(moved).all()):
        raise InputError("Hutch++: a curvature product is NaN or infinite; check the model")
    basis = torch.linalg.qr(moved.T)[0].T
    captured = float(operator.forms(basis).sum())
    if task is not None:
        task.advance(2 * sketch)
    rest = products - 2 * sketch
    found = _with_rest(operator, basis, captured, rest, source, task)
    return replace(found, products=products)


def deflated_trace(
    operator: CurvatureOperator,
    basis: Tensor,
    captured: float,
    probes: int = 10,
    seed: int = 0,
    task: Task | None = None,
) -> TraceEstimate:
    """The trace where Q and tr QᵀAQ are known: tr A = tr QᵀAQ + E gᵀ(1 − QQᵀ)A(1 − QQᵀ)g.

    With the basis that :func:`lanczos` leaves, whose trace is that of its tridiagonal matrix, the
    part of the spectrum that matters most costs nothing (Chen & Hallman 2023, "Krylov-aware
    stochastic trace estimation", SIAM J. Matrix Anal. Appl. 44).

    Args:
        operator: A.
        basis: orthonormal rows, drawn without a look at the probes.
        captured: tr QᵀAQ.
        probes: vectors of random signs, one product each.
        seed: of the probes.
        task: shows the products.

    Raises:
        InputError: fewer than two probes, or a product that is NaN.
    """
    if probes < 2:
        raise InputError(f"expected two or more probes of the trace, got {probes}")
    source = generator(seed, "deflated trace")
    return _with_rest(operator, basis, captured, probes, source, task)


def _with_rest(
    operator: CurvatureOperator,
    basis: Tensor,
    captured: float,
    probes: int,
    source: torch.Generator,
    task: Task | None,
) -> TraceEstimate:
    g = _signs(operator, probes, source)
    for _ in range(2):
        g = g - (g @ basis.T) @ basis
    values = operator.forms(g).cpu()
    if not bool(torch.isfinite(values).all()):
        raise InputError("the trace: a curvature product is NaN or infinite; check the model")
    if task is not None:
        task.advance(probes)
    error = float(values.std()) / probes**0.5
    return TraceEstimate(captured + float(values.mean()), captured, error, probes)


def _signs(operator: CurvatureOperator, count: int, source: torch.Generator) -> Tensor:
    draws = [torch.randint(0, 2, (operator.size,), generator=source) for _ in range(count)]
    return (2 * torch.stack(draws) - 1).to(operator.device, operator.dtype)
