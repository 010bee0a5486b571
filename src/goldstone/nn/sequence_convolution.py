"""Convolution along a sequence: the linear maps that commute with shifts."""

from math import sqrt
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from goldstone.core import InputError
from goldstone.nn.ragged import check_sets, without_padding

SequencePadding = Literal["circular", "causal", "zeros"]
"""How a sequence goes on beyond its ends: round the ring; with zeros before it, none of what is
later being seen; or with zeros on both sides."""


class SequenceConv1d(nn.Module):
    """y_t = Σ_s W_s x_{t−s} + b along the places of a sequence, as many as come in.

    ``"circular"`` commutes with cyclic shifts exactly; with a kernel of T places it is the most
    general linear map on a ring of T places that does. ``"causal"`` and ``"zeros"`` keep shifts
    within padding: where a mask marks the tokens, moving them together moves the output at the
    tokens. The mask has to go to every layer, or tokens begin to tell how far the ends are.

    There is no stride: thinning out keeps shifts by multiples of it only.

    Args:
        in_channels: channels of the input, the last axis.
        out_channels: of the output.
        kernel_size: places that are seen, about t, or up to t if causal.
        padding: see above.
        dilation: places from one that is seen to the next.
        bias: whether there is a bias.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        InputError: no channels, a size or dilation below 1, another padding; at the call, a window
            longer than the ring, which would see places twice.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        padding: SequencePadding = "circular",
        dilation: int = 1,
        bias: bool = True,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if padding not in get_args(SequencePadding):
            raise InputError(
                f"expected a padding of {', '.join(get_args(SequencePadding))}, got {padding!r}"
            )
        if min(in_channels, out_channels, kernel_size, dilation) < 1:
            raise InputError(
                "expected positive channels, kernel size and dilation, got "
                f"{(in_channels, out_channels)}, {kernel_size} and {dilation}"
            )
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel_size, self.padding, self.dilation = kernel_size, padding, dilation
        shape = (out_channels, in_channels, kernel_size)
        self.weight = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
        self.bias: nn.Parameter | None = None
        if bias:
            self.bias = nn.Parameter(torch.empty(out_channels, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw weights that keep unit variance; zero the bias."""
        std = 1 / sqrt(self.in_channels * self.kernel_size)
        nn.init.normal_(self.weight, std=std, generator=generator)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Map (batch, place, in channel) to (batch, place, out channel).

        Args:
            x: features. Padded places may hold anything.
            mask: boolean (batch, place), True where there is a token; the output is zero elsewhere.
        """
        check_sets(x, self.in_channels, 1, mask)
        width = (self.kernel_size - 1) * self.dilation
        if self.padding == "circular" and width >= x.shape[1]:
            raise InputError(
                f"a kernel of {self.kernel_size} places with dilation {self.dilation} goes more "
                f"than once round a ring of {x.shape[1]}; take a kernel that spans at most the ring"
            )
        before = width if self.padding == "causal" else width // 2
        mode = "circular" if self.padding == "circular" else "constant"
        rows = without_padding(x, mask).transpose(1, 2)
        rows = functional.pad(rows, (before, width - before), mode)
        y = functional.conv1d(rows, self.weight, self.bias, dilation=self.dilation)
        return without_padding(y.transpose(1, 2), mask)

    def extra_repr(self) -> str:
        """Shown by print."""
        dilation = f", dilation {self.dilation}" if self.dilation > 1 else ""
        return (
            f"{self.in_channels}, {self.out_channels}, kernel {self.kernel_size}{dilation}, "
            f"{self.padding}"
        )
