"""The null space of intertwiner constraints from Gaussian vectors and conjugate gradients."""

import torch
from torch import Tensor

from goldstone.core import InputError, generator
from goldstone.representations.intertwiners.constraints import IntertwinerConstraints
from goldstone.representations.intertwiners.null_space import NullSpace, check_gap

_CONVERGED = 1e-14
_NEW = 1e-8
_MOST_STEPS = 5000
_MOST_ENTRIES = 2**26


def krylov_null_space(constraints: IntertwinerConstraints, seed: int = 0) -> NullSpace:
    """The null space without the matrix of the equations: only products with B_i and D_i.

    Blocks of Gaussian matrices Z are projected on the null space, Z − C⁺C Z, by conjugate
    gradients on the normal equations (Björck 1996, "Numerical methods for least squares problems",
    §7.4), which take as many steps as CᵀC has distinct eigenvalues at most. Blocks double until
    one of them holds fewer independent projections than vectors: then, with probability one, the
    null space is exhausted (a range finder as in Halko, Martinsson & Tropp 2011, §4.4). The
    steps' coefficients also give the smallest nonzero singular value (Lanczos).

    Raises:
        InputError: the gradients do not converge or the smallest nonzero singular value is below
            1e-6 of the scale.
    """
    m, n = constraints.shape
    scale, source = constraints.scale, generator(seed, "krylov null space")
    found = torch.zeros(0, m * n, dtype=constraints.dtype)
    smallest: float | None = None
    largest_zero, size = 0.0, 4
    most = max(4, _MOST_ENTRIES // (constraints.unknowns * (len(constraints.source) + 4)))
    while True:
        block = torch.randn(m, size, n, generator=source, dtype=constraints.dtype)
        for _ in range(2):
            # The second projection removes what the first left of the other singular vectors.
            block, ritz = _project(constraints, block)
            if ritz is not None:
                smallest = ritz if smallest is None else min(smallest, ritz)
        flat = block.transpose(0, 1).flatten(1)
        for _ in range(2):
            flat = flat - (flat @ found.mH) @ found
        _, lengths, new = torch.linalg.svd(flat, full_matrices=False)
        is_new = lengths > _NEW
        largest_zero = max([largest_zero, *lengths[~is_new].tolist()])
        found = torch.linalg.qr(torch.cat((found, new[is_new])).mT).Q.mT
        if int(is_new.sum()) < size:
            break
        size = min(2 * size, most)
    relative = None if smallest is None else smallest / scale
    check_gap(relative)
    return NullSpace(
        found,
        largest_zero,
        relative,
        f"of {size} Gaussian maps in the last block only {int(is_new.sum())} had a new part in the "
        "null space",
    )


def _project(constraints: IntertwinerConstraints, z: Tensor) -> tuple[Tensor, float | None]:
    """Returns z − C⁺C z, (m, b, n), and an estimate of C's smallest nonzero singular value."""
    y = z.clone()
    size = z.norm(dim=(0, 2))
    limit = _CONVERGED * constraints.scale * size
    residual = constraints.apply_inside(y)
    gradient = constraints.apply_adjoint_inside(residual)
    direction = gradient.clone()
    energy = _squares(gradient)
    history: list[tuple[Tensor, Tensor]] = []
    for _ in range(_MOST_STEPS):
        active = _squares(residual).sqrt() > limit
        if not bool(active.any()):
            break
        moved = constraints.apply_inside(direction)
        curvature = _squares(moved)
        step = torch.where(active & (curvature > 0), energy / curvature.clamp_min(1e-300), 0.0)
        y -= step[:, None] * direction
        residual -= step[:, None] * moved
        gradient = constraints.apply_adjoint_inside(residual)
        before, energy = energy, _squares(gradient)
        ratio = torch.where(active & (before > 0), energy / before.clamp_min(1e-300), 0.0)
        direction = gradient + ratio[:, None] * direction
        history.append((step, ratio))
    else:
        raise InputError(
            f"the search for intertwiners did not converge in {_MOST_STEPS} steps: the equations "
            "have singular values too near zero; are the representations well conditioned?"
        )
    return y, _smallest_singular_value(history)


def _squares(a: Tensor) -> Tensor:
    """Of each member of the batch, which is the last axis but one."""
    squares: Tensor = torch.linalg.vector_norm(a.transpose(-2, 0).flatten(1), dim=1).square()
    return squares


def _smallest_singular_value(history: list[tuple[Tensor, Tensor]]) -> float | None:
    """From the Lanczos tridiagonal matrix that conjugate gradients imply (Golub & Van Loan §11.3).

    Taken from the vector that took the most steps.
    """
    if not history:
        return None
    steps, ratios = (torch.stack(each) for each in zip(*history, strict=True))
    count = (steps > 0).sum(0)
    column = int(count.argmax())
    length = int(count[column])
    if not length:
        return None
    alpha, beta = steps[:length, column], ratios[:length, column]
    diagonal = 1 / alpha
    diagonal[1:] += beta[:-1] / alpha[:-1]
    beside = beta[:-1].sqrt() / alpha[:-1]
    tridiagonal = torch.diag(diagonal) + torch.diag(beside, 1) + torch.diag(beside, -1)
    return float(torch.linalg.eigvalsh(tridiagonal)[0].clamp_min(0).sqrt())
