"""Critical points of the loss: descent, root finding, and short points of degenerate sets."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from goldstone.core import InputError
from goldstone.weightspace.tensor_decomposition.fixed_points import FixedPointSpace
from goldstone.weightspace.tensor_decomposition.objective import SymmetricTensorDecomposition

Kind = Literal["minima", "critical points"]

Vector = NDArray[np.float64]

_STATIONARY, _NEARLY_STATIONARY = 1e-10, 1e-7
_FLAT = 1e-6


@dataclass(frozen=True)
class RestrictedLoss:
    """x ↦ L(embed(x)) on a fixed-point space, with its derivatives in x, for ``scipy.optimize``.

    In NumPy: a call of torch takes longer than the arithmetic of such small matrices.
    """

    problem: SymmetricTensorDecomposition
    space: FixedPointSpace

    def matrix(self, x: Vector) -> Tensor:
        """W, (k, d)."""
        return self.space.embed(torch.from_numpy(np.ascontiguousarray(x)))

    def value_and_gradient(self, x: Vector, strength: float = 0.0) -> tuple[float, Vector]:
        """L + strength·‖W‖² and its gradient in x."""
        labels, n = np.array(self.space.labels), self.problem.order
        w = x[labels].reshape(self.problem.shape)
        gram = w @ w.T
        powers, entries = gram ** (n - 1), w ** (n - 1)
        value = (powers * gram).sum() - 2 * (entries * w).sum() + self.problem.dimension
        slope = 2 * n * (powers @ w - entries) + 2 * strength * w
        gradient = np.zeros(self.space.dimension)
        np.add.at(gradient, labels, slope.ravel())
        return float(value + strength * (w * w).sum()), gradient

    def gradient(self, x: Vector) -> Vector:
        """∇ of L in x."""
        return self.value_and_gradient(x)[1]

    def hessian(self, x: Vector) -> Vector:
        """∇² of L in x."""
        full = self.problem.hessian(self.matrix(x)).numpy()
        orbits = np.eye(self.space.dimension)[np.array(self.space.labels)]
        result: Vector = orbits.T @ full @ orbits
        return result


def search_from(restricted: RestrictedLoss, start: Vector, kind: Kind) -> Tensor | None:
    """The critical point that coordinates in a fixed-point space lead to, (k, d), or None.

    Minima by BFGS, critical points of any index by Powell's hybrid method on the gradient, then
    Newton's method.

    Raises:
        InputError: the kind is not known.
    """
    from scipy.optimize import minimize, root

    if kind not in get_args(Kind):
        raise InputError(f"expected one of {', '.join(get_args(Kind))}, got {kind!r}")
    if kind == "minima":
        options = {"gtol": _NEARLY_STATIONARY}
        x = minimize(
            restricted.value_and_gradient, start, jac=True, method="BFGS", options=options
        ).x
    else:
        x = root(restricted.gradient, start, jac=restricted.hessian).x
    return polished(restricted, x) if np.isfinite(x).all() else None


def polished(restricted: RestrictedLoss, x: Vector) -> Tensor | None:
    """The critical point near coordinates x by Newton's method within the space, or None.

    Steps are of least norm ‖ΔW‖, so that degenerate directions are not walked along.
    """
    # Coordinates y = √size·x are orthonormal in W.
    roots = restricted.space.sizes.double().sqrt().numpy()
    best = float(np.linalg.norm(restricted.gradient(x) / roots))
    for _ in range(50):
        if best <= _STATIONARY:
            break
        slope = restricted.gradient(x) / roots
        matrix = restricted.hessian(x) / np.outer(roots, roots)
        new = x - np.linalg.pinv(matrix, rcond=_FLAT, hermitian=True) @ slope / roots
        size = float(np.linalg.norm(restricted.gradient(new) / roots))
        if not size < best:
            break
        x, best = new, size
    return restricted.matrix(x) if best <= _NEARLY_STATIONARY else None


def shorter_minimum(restricted: RestrictedLoss, weights: Tensor) -> Tensor:
    """A point of less norm ‖W‖ on the degenerate set of minima that a minimum lies on.

    Minima of L + ε‖W‖² for ε = 10⁻², 10⁻³, … 10⁻⁷, each from the last, then Newton's method for L.
    On a degenerate set a point that a search finds is as good as any other, and its isotropy
    subgroup that of a generic one; the shortest is distinguished, and more symmetric.

    Returns:
        The point, or W itself where L comes out otherwise: from the end of a set of minima the
        descent may go on to lower ones.
    """
    from scipy.optimize import minimize

    x = restricted.space.project(weights).numpy()
    for exponent in range(2, 8):
        x = minimize(
            restricted.value_and_gradient,
            x,
            args=(10.0**-exponent,),
            jac=True,
            method="BFGS",
            options={"gtol": 1e-10},
        ).x
    found = polished(restricted, x)
    if found is None:
        return weights
    losses = [float(restricted.problem.loss(w)) for w in (found, weights)]
    return found if abs(losses[0] - losses[1]) <= 1e-6 * (1 + losses[1]) else weights
