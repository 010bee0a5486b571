"""Features on sets and pairs, split into what permutations of the elements do not mix.

Under S_n an order-1 tensor is 1 trivial and 1 standard representation (n − 1 dimensions). An
order-2 tensor is 2 trivial, 3 standard, and one each of two larger ones, the rest of its symmetric
and of its antisymmetric part:

    x_ii = α + d_i,
    x_ij = β + κ_s (s_i + s_j) + κ_a (a_i − a_j) + rest_ij   (i ≠ j),

with d, s and a of mean zero and κ_s² = (n − 1)/2(n − 2), κ_a² = (n − 1)/2n. Then all components
are orthonormal for the norm that takes the mean over each orbit of entries,

    ‖x‖² = mean_i x_i²   and   ‖x‖² = mean_i x_ii² + mean_{i≠j} x_ij²,

that is ‖x‖² = α² + β² + mean d² + mean s² + mean a² + ‖rest‖², whatever n is.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from goldstone.nn.ragged import mean_over_elements

TRIVIAL = (1, 1, 2)
"""Copies of the trivial representation in tensors of order 0, 1 and 2; also orbits of entries."""

STANDARD = (0, 1, 3)
"""Copies of the standard representation."""


class Components(NamedTuple):
    """The trivial and standard parts of a tensor; what an order-2 tensor has besides stays in it.

    Attributes:
        trivial: (batch, copies, channel).
        standard: (batch, element, copies, channel), of mean zero over real elements; anything at
            padded ones.
    """

    trivial: Tensor
    standard: Tensor


def analysed(x: Tensor, order: int, count: Tensor) -> Components:
    """Split x, (batch, *order* axes, channel), zero at padded entries; count is (batch).

    The parts are in the dtype of count.
    """
    if order == 0:
        return Components(x[:, None], x[:, None, None][:, :0])
    if order == 1:
        mean = mean_over_elements(x, count)
        return Components(mean[:, None], (x - mean[:, None])[:, :, None])
    diagonal = x.diagonal(dim1=1, dim2=2).transpose(1, 2).to(count.dtype)
    rows = x.sum(2, dtype=count.dtype) - diagonal
    columns = x.sum(1, dtype=count.dtype) - diagonal
    alpha, mean_row = mean_over_elements(diagonal, count), mean_over_elements(rows, count)
    others = (count - 1).clamp(min=1)[:, None]
    beta = mean_row / others
    # A mean over the entries of each row and column.
    rows, columns = ((sums - mean_row[:, None]) / others[:, None] for sums in (rows, columns))
    kappa_s, kappa_a = _kappas(count)
    standard = (diagonal - alpha[:, None], kappa_s * (rows + columns), kappa_a * (rows - columns))
    return Components(torch.stack((alpha, beta), 1), torch.stack(standard, 2))


def assembled(parts: Components, order: int, count: Tensor) -> Tensor:
    """The tensor that has these parts, and nothing besides."""
    trivial, standard = parts
    if order == 0:
        return trivial[:, 0]
    if order == 1:
        return trivial + standard[:, :, 0]
    d, s, a = standard.unbind(2)
    kappa_s, kappa_a = _kappas(count)
    s, a = kappa_s * s, kappa_a * a
    pairs = (trivial[:, None, 1] + s + a)[:, :, None] + (s - a)[:, None]
    is_diagonal = torch.eye(d.shape[1], dtype=torch.bool, device=d.device)[..., None]
    return torch.where(is_diagonal, (trivial[:, None, 0] + d)[:, :, None], pairs)


def _kappas(count: Tensor) -> tuple[Tensor, Tensor]:
    """κ_s and κ_a, (batch, 1, 1); two elements have no symmetric standard part between them."""
    n = count[:, None, None]
    symmetric = torch.where(n > 2, (n - 1) / (2 * (n - 2).clamp(min=1)), 0)
    return symmetric.sqrt(), ((n - 1) / (2 * n)).sqrt()
