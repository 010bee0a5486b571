"""Gauge slices χ(θ) = 0: one point, or few, on each orbit of a continuous symmetry."""

import torch
from torch import Tensor

from goldstone.core import InputError


def norm_slice(incoming: Tensor, outgoing: Tensor) -> Tensor:
    """χ_j = ‖v_j‖² − ‖w_j‖² of homogeneous units, such as ReLU, v_j ↦ v_j/c, w_j ↦ c w_j, c > 0.

    Args:
        incoming: w, (units, inputs), with the biases as one more input if there are some.
        outgoing: v, (outputs, units).

    Raises:
        InputError: the numbers of units differ.
    """
    _check(incoming.shape[0], outgoing.shape[1], "units")
    return outgoing.square().sum(0) - incoming.square().sum(1)


def factor_slice(p: Tensor, q: Tensor) -> Tensor:
    """The entries on and above the diagonal of PᵀP − QQᵀ for PQ, P ↦ PA, Q ↦ A⁻¹Q, A in GL(r).

    On the slice the orthogonal matrices A are left over.

    Args:
        p: P, (m, r).
        q: Q, (r, n).

    Raises:
        InputError: the inner dimensions differ.
    """
    _check(p.shape[1], q.shape[0], "inner dimensions")
    difference = p.mT @ p - q @ q.mT
    rows, columns = torch.triu_indices(len(difference), len(difference), device=p.device)
    return difference[rows, columns]


def column_slice(queries: Tensor, keys: Tensor) -> Tensor:
    """χ_j = ‖Q e_j‖² − ‖K e_j‖² of an attention head's logits x Q Kᵀ yᵀ, columns j rescaled.

    Of the freedom Q ↦ QA, K ↦ KA⁻ᵀ, A in GL(r), the diagonal part.

    Args:
        queries: Q, (width, r).
        keys: K, (width, r).

    Raises:
        InputError: the numbers of columns differ.
    """
    _check(queries.shape[1], keys.shape[1], "columns")
    return queries.square().sum(0) - keys.square().sum(0)


def norm_ratios(incoming: Tensor, outgoing: Tensor) -> Tensor:
    """‖v_j‖/‖w_j‖ for each unit: 1 on the slice of :func:`norm_slice`."""
    _check(incoming.shape[0], outgoing.shape[1], "units")
    ratios: Tensor = outgoing.norm(dim=0) / incoming.norm(dim=1)
    return ratios


def column_ratios(queries: Tensor, keys: Tensor) -> Tensor:
    """‖Q e_j‖/‖K e_j‖ for each column: 1 on the slice of :func:`column_slice`."""
    _check(queries.shape[1], keys.shape[1], "columns")
    ratios: Tensor = queries.norm(dim=0) / keys.norm(dim=0)
    return ratios


def _check(one: int, other: int, what: str) -> None:
    if one != other:
        raise InputError(f"expected as many {what} of both factors, got {one} and {other}")
