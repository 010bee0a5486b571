"""The shape that all U-Nets share: down a pyramid of grids, and up again with skip connections."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from goldstone.systems.emulators.layers import check_divisible


class UShape(nn.Module):
    """Runs the layers of a U-Net; subclasses say which.

    ``encoders[k]``, ``downs[k]``, ``ups[k]`` and ``decoders[k]`` belong to the k-th resolution from
    the finest; ``downs`` halve the grid and ``ups`` double it. A decoder sees the channels of its
    ``up``, then those of its encoder.
    """

    def __init__(
        self,
        first: nn.Module,
        encoders: Sequence[nn.Module],
        downs: Sequence[nn.Module],
        bottleneck: nn.Module,
        ups: Sequence[nn.Module],
        decoders: Sequence[nn.Module],
        last: nn.Module,
    ) -> None:
        super().__init__()
        self.first = first
        self.encoders = nn.ModuleList(encoders)
        self.downs = nn.ModuleList(downs)
        self.bottleneck = bottleneck
        self.ups = nn.ModuleList(ups)
        self.decoders = nn.ModuleList(decoders)
        self.last = last

    @property
    def total_stride(self) -> int:
        """The network commutes exactly with shifts by multiples of this many grid points."""
        return 1 << len(self.downs)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channel, X, Y) → the same shape."""
        check_divisible(tuple(x.shape[-2:]), self.total_stride, type(self).__name__)
        x = self.first(x)
        skips: list[Tensor] = []
        for encoder, down in zip(self.encoders, self.downs, strict=True):
            x = encoder(x)
            skips.append(x)
            x = down(x)
        x = self.bottleneck(x)
        for up, decoder in zip(reversed(self.ups), reversed(self.decoders), strict=True):
            x = decoder(torch.cat([up(x), skips.pop()], dim=1))
        out: Tensor = self.last(x)
        return out
