"""Ordinary convolutions that do what a convolution over scales does."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


class ScalewiseConv2d(nn.Module):
    """One :class:`torch.nn.Conv2d` for each scale of the output: what scale layers fold into.

    Images (batch, channel, X, Y), where there is no ``reach``, or fields over scales (batch,
    channel, scale, X, Y) → (batch, channel′, scale′, X′, Y′).

    Args:
        convolutions: that of each scale, from the channels of the ``reach`` scales from it upwards.
        reach: how many scales of the input one of the output sees; None for images.
        ends: whether scales that would miss some beyond the last are left out, or zeros added.
        margins: of the largest filter of each scale, where there is no padding of the plane; None
            where each convolution has its own.
    """

    def __init__(
        self,
        convolutions: Sequence[nn.Conv2d],
        reach: int | None,
        *,
        ends: bool = True,
        margins: tuple[int, ...] | None = None,
    ) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(convolutions)
        self.reach, self.ends, self.margins = reach, ends, margins

    def forward(self, x: Tensor) -> Tensor:
        """Convolve."""
        if self.reach is None:
            count = len(self.convolutions)
        else:
            count = x.shape[2]
            if self.ends:
                count -= self.reach - 1
            else:
                x = functional.pad(x, (0, 0, 0, 0, 0, self.reach - 1))
        outputs = []
        for s in range(count):
            inputs = x if self.reach is None else x[:, :, s : s + self.reach].flatten(1, 2)
            if self.margins is not None:
                inputs = cropped(inputs, self.margins[count - 1] - self.margins[s])
            outputs.append(self.convolutions[s](inputs))
        return torch.stack(outputs, 2)


def cropped(x: Tensor, margin: int) -> Tensor:
    """Without so many points at each edge of the plane."""
    return x[..., margin : x.shape[-2] - margin, margin : x.shape[-1] - margin]
