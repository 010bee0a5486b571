"""The trace of a curvature operator."""

from dataclasses import dataclass

import torch

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

    def signs() -> torch.Tensor:
        draw = torch.randint(0, 2, (operator.size,), generator=source)
        return (2 * draw - 1).to(operator.device, operator.dtype)

    def product(v: torch.Tensor) -> torch.Tensor:
        moved = operator.product(v)
        if not bool(torch.isfinite(moved).all()):
            raise InputError("Hutch++: a curvature product is NaN or infinite; check the model")
        if task is not None:
            task.advance()
        return moved

    basis = torch.linalg.qr(torch.stack([product(signs()) for _ in range(sketch)], 1))[0]
    captured = sum(float(q.double() @ product(q).double()) for q in basis.T)
    rest = []
    for _ in range(products - 2 * sketch):
        g = signs()
        for _ in range(2):
            g = g - basis @ (basis.T @ g)
        rest.append(float(g.double() @ product(g).double()))
    values = torch.tensor(rest, dtype=torch.float64)
    error = float(values.std()) / len(values) ** 0.5
    trace = captured + float(values.mean())
    return TraceEstimate(trace, captured, error, 2 * sketch + len(values))
