"""Invariant numbers from loops."""

import torch
from torch import Tensor, nn


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
    """(tr W)/n, (batch, channels, *lattice), complex."""
    return loops.diagonal(dim1=-2, dim2=-1).mean(-1)
