"""Invariant numbers from loops."""

import torch
from torch import Tensor, nn

from goldstone.core import InputError


class GaugeTrace(nn.Module):
    """(tr W_{x,i})/n, real parts and then imaginary parts: what does not change with the gauge.

    (batch, channels, *lattice, n, n) → (batch, 2·channels, *lattice), real: an ordinary field for
    ordinary layers.
    """

    def forward(self, loops: Tensor) -> Tensor:
        """Take the traces."""
        found = traces(loops)
        return torch.cat([found.real, found.imag], 1)


def traces(loops: Tensor) -> Tensor:
    """(tr W)/n, (batch, channels, *lattice), complex.

    Raises:
        InputError: these are no square matrices.
    """
    if loops.dim() < 5 or loops.shape[-1] != loops.shape[-2]:
        raise InputError(
            f"expected loops (batch, channel, *lattice, n, n), got {tuple(loops.shape)}"
        )
    return loops.diagonal(dim1=-2, dim2=-1).mean(-1)
