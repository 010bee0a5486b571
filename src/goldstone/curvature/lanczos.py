"""Extreme eigenpairs of a curvature operator."""

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from goldstone.core import InputError, Task, generator
from goldstone.curvature.operators import CurvatureOperator

SETTLED = 2
"""Steps for which the eigenvalues have to stay before they count as those asked for."""

Which = Literal["largest", "smallest", "magnitude", "ends"]


@dataclass(frozen=True, eq=False)
class Eigenpairs:
    """Ritz pairs, and how well they satisfy A v = λ v.

    Attributes:
        values: (k,) float64, in the order asked for; of both ends the smallest comes last.
        vectors: (k, p), orthonormal.
        residuals: ‖A v − λ v‖ of each, absolute, from products made anew: there is an eigenvalue
            within that distance of λ.
        converged: whether every residual is below tolerance · max |λ|, and the wanted values moved
            no more than that over the last two steps (or the whole space is spanned). The first
            says that these are eigenpairs; the second that none of the wanted ones was missed,
            which is probable then and not certain.
        products: how many products with A were made.
        basis: (m, p), the orthonormal basis of the Krylov space.
        captured: tr QᵀAQ, Q that basis.
    """

    values: Tensor
    vectors: Tensor
    residuals: Tensor
    converged: bool
    products: int
    basis: Tensor
    captured: float


def lanczos(
    operator: CurvatureOperator,
    count: int = 5,
    which: Which = "largest",
    tolerance: float = 1e-4,
    most_products: int = 100,
    seed: int = 0,
    task: Task | None = None,
) -> Eigenpairs:
    """The ``count`` largest, smallest (or largest in magnitude) eigenvalues with eigenvectors.

    ``"ends"``: the largest, and the smallest one besides, from the same products.

    Lanczos with full reorthogonalisation, twice a step, from a random vector (Golub & Van Loan,
    "Matrix Computations", sec. 10.3); it holds up to ``most_products`` vectors of the parameters'
    size, in their dtype. When an invariant subspace is exhausted, it goes on with a new random
    vector, orthogonal to it, and so finds repeated eigenvalues as well; before that a
    repeated eigenvalue shows once. Stops when the residual estimates are below
    ``tolerance`` · max |λ| and stay there for two further steps in which the values move by no more
    than that, or at the cap; ``converged`` says which. Without the further steps a loose tolerance
    takes the next eigenvalue for one that the start vector hardly holds: at 1e-2 every tenth time
    on spectra of outliers beside a bulk.

    Raises:
        InputError: ``count`` is not between 1 and p, the cap is below it, a product is NaN, or
            the products are not those of a symmetric matrix.
    """
    if which not in get_args(Which):
        raise InputError(f"expected one of {get_args(Which)}, got {which!r}")
    most = min(operator.size, most_products) - (which == "ends")
    if not 1 <= count <= most:
        raise InputError(
            f"Lanczos: expected a count between 1 and {most}, for {operator.size} parameters and "
            f"at most {most_products} products, got {count}"
        )
    steps = min(most_products, operator.size)
    source = generator(seed, "lanczos")
    basis = torch.empty(steps, operator.size, dtype=operator.dtype, device=operator.device)
    projected = torch.zeros(steps, steps, dtype=torch.float64)
    # What is left of a vector by rounding alone, relative to it.
    tiny = 100 * torch.finfo(operator.dtype).eps
    vector = _fresh(operator, basis[:0], source)
    scale, used, settled = 0.0, 0, 0
    before: Tensor | None = None
    for k in range(steps):
        basis[k] = vector
        moved = operator.product(vector)
        if not bool(torch.isfinite(moved).all()):
            raise InputError("Lanczos: a curvature product is NaN or infinite; check the model")
        used = k + 1
        projected[k, k] = float(moved.double() @ vector.double())
        scale = max(scale, float(moved.norm()))
        _check_symmetry(basis[:k] @ moved, float(projected[k, k - 1]) if k else 0.0, scale)
        rest = _orthogonal(moved, basis[:used])
        beta = float(rest.norm())
        exhausted = beta <= tiny * max(scale, torch.finfo(operator.dtype).tiny)
        if task is not None:
            task.advance()
        values, coefficients = torch.linalg.eigh(projected[:used, :used])
        chosen = _chosen(values, which, count)
        largest = max(float(values.abs().max()), 1e-300)
        # ‖A v − λ v‖ = |β s_k| for a Ritz vector with the last coefficient s_k.
        estimates = beta * coefficients[-1, chosen].abs()
        done = used >= count + (which == "ends") and bool((estimates <= tolerance * largest).all())
        now = values[chosen]
        stayed = before is not None and before.shape == now.shape
        stayed = stayed and float((now - before).abs().max()) <= tolerance * largest
        # An exhausted subspace says nothing of what lies outside it.
        if not done or exhausted:
            settled, before = 0, None
        else:
            settled, before = settled + 1 if stayed else 0, now
        if used == steps or settled == SETTLED:
            break
        if exhausted:
            vector = _fresh(operator, basis[:used], source)
        else:
            projected[k, k + 1] = projected[k + 1, k] = beta
            vector = rest / beta
    vectors = (coefficients[:, chosen].T.to(basis)) @ basis[:used]
    residuals = torch.stack(
        [
            (moved - float(value) * v).double().norm().cpu()
            for moved, v, value in zip(
                operator.products(vectors), vectors, values[chosen], strict=True
            )
        ]
    )
    # Rounding of the products is no failure to converge.
    floor = max(tolerance, 10 * tiny) * largest
    converged = bool((residuals <= floor).all()) and (settled == SETTLED or used == operator.size)
    return Eigenpairs(
        values[chosen],
        vectors,
        residuals,
        converged,
        used + len(vectors),
        basis[:used],
        float(projected.diagonal()[:used].sum()),
    )


def _orthogonal(vector: Tensor, basis: Tensor) -> Tensor:
    """The part of ``vector`` orthogonal to the rows of ``basis``; twice is enough."""
    for _ in range(2):
        vector = vector - (basis @ vector) @ basis
    return vector


def _check_symmetry(along: Tensor, beta: float, scale: float) -> None:
    """Products of A q_k with the basis before q_k vanish, but for β, if A is symmetric."""
    wrong = along.double()
    if len(wrong):
        wrong[-1] -= beta
    if float(wrong.norm()) > 10 * torch.finfo(along.dtype).eps ** 0.5 * scale:
        raise InputError(
            "Lanczos: the curvature products are not those of a symmetric matrix, so a second "
            "derivative is wrong. PyTorch's is for the fused weight_norm (remove it with "
            "torch.nn.utils.parametrize.remove_parametrizations); of an own autograd.Function "
            "see that its backward can be differentiated"
        )


def _fresh(operator: CurvatureOperator, basis: Tensor, source: torch.Generator) -> Tensor:
    draw = torch.randn(operator.size, generator=source, dtype=torch.float64)
    vector = _orthogonal(draw.to(operator.device, operator.dtype), basis)
    return torch.div(vector, vector.norm())


def _chosen(values: Tensor, which: Which, count: int) -> Tensor:
    """The numbers of the eigenvalues asked for, or of as many as there are."""
    order = (values.abs() if which == "magnitude" else values).argsort(
        descending=which != "smallest"
    )
    if which == "ends" and len(order) > count:
        return torch.cat([order[:count], order[-1:]])
    return order[:count]
