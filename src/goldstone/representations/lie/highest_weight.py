"""Copies of an irrep of SU(3) in a representation, from their highest weight vectors."""

import numpy as np
import torch
from numpy.typing import NDArray

from goldstone.representations.lie.gelfand_tsetlin import Real, WeightModule
from goldstone.representations.orthonormal_echelon import orthonormal_echelon


def highest_weight_embeddings(irrep: WeightModule, space: WeightModule) -> Real:
    """Isometries T_k of an irrep into a representation that commute with SU(3), (m, n, d).

    They span all such maps and T_kᵀ T_l = δ_kl. The vectors of the irrep's highest weight that
    E_12 and E_23 annihilate are the images of its first basis vector; the others follow by lowering
    weight by weight.

    Args:
        irrep: of dimension d, its highest weight vector first.
        space: of dimension n.
    """
    highest = np.flatnonzero((space.weights == irrep.weights[0]).all(1))
    if not len(highest):
        return np.zeros((0, space.dimension, irrep.dimension))
    raised = np.concatenate(space.raising[:, :, highest])
    _, sizes, right = np.linalg.svd(raised)
    # Below the highest weights singular values are of the order of 1.
    null = right[np.count_nonzero(sizes > 1e-8) :]
    result = np.zeros((len(null), space.dimension, irrep.dimension))
    result[:, highest, 0] = orthonormal_echelon(torch.from_numpy(null)).numpy()
    for states in _levels(irrep.weights):
        # Two families of equations, one for each lowering operator: T F = F_space T.
        known = [np.flatnonzero(raising[:, states].any(1)) for raising in irrep.raising]
        lowered = np.concatenate(
            [a[np.ix_(k, states)] for a, k in zip(irrep.raising, known, strict=True)]
        )
        images = np.concatenate(
            [a.T @ result[:, :, k] for a, k in zip(space.raising, known, strict=True)], -1
        )
        result[:, :, states] = images @ np.linalg.pinv(lowered).T
    return result


def _levels(weights: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Basis vectors of equal weight, highest weights first, without the highest of all."""
    # Each lowering subtracts a row of the Cartan matrix, whose entries sum to 1.
    height = weights.sum(1)
    found, groups = np.unique(
        np.concatenate((-height[:, None], weights), 1), axis=0, return_inverse=True
    )
    return [np.flatnonzero(groups.ravel() == i) for i in range(1, len(found))]
