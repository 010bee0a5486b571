"""Building blocks shared by the emulator networks."""

import math

from torch import Tensor, nn
from torch.nn import functional

from goldstone.core import InputError
from goldstone.nn import circular_pad


class CircularConv2d(nn.Module):
    """Convolution of odd kernel size on a periodic grid: (B, in, X, Y) → (B, out, X, Y).

    Equals ``Conv2d(padding="same", padding_mode="circular")``.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int = 3) -> None:
        super().__init__()
        if kernel_size % 2 != 1:
            raise InputError(f"a centred kernel needs an odd size, got {kernel_size}")
        self.convolution = nn.Conv2d(in_channels, out_channels, kernel_size)
        self.padding = kernel_size // 2

    def forward(self, x: Tensor) -> Tensor:
        """Convolve ``x``."""
        out: Tensor = self.convolution(circular_pad(x, self.padding))
        return out


def group_norm(channels: int, largest: int = 8) -> nn.GroupNorm:
    """GroupNorm over the whole grid with the most groups that divide ``channels``."""
    return nn.GroupNorm(math.gcd(channels, largest), channels)


class ResidualBlock(nn.Module):
    """``skip(x) + conv(act(norm(conv(act(norm(x))))))`` with circular 3×3 convolutions.

    Norm is GroupNorm over the whole grid (equivariant to every shift) or nothing; the activation
    is SiLU; ``skip`` is the identity, or 1×1 where the number of channels changes.
    """

    def __init__(self, in_channels: int, out_channels: int, normalise: bool = True) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            group_norm(in_channels) if normalise else nn.Identity(),
            nn.SiLU(),
            CircularConv2d(in_channels, out_channels),
            group_norm(out_channels) if normalise else nn.Identity(),
            nn.SiLU(),
            CircularConv2d(out_channels, out_channels),
        )
        same = in_channels == out_channels
        self.skip = nn.Identity() if same else nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, X, Y) → (B, out, X, Y)."""
        out: Tensor = self.skip(x) + self.layers(x)
        return out


class SelfAttention(nn.Module):
    """Multi-head self-attention over tokens (batch, token, width), without positions.

    Written out as ``softmax(Q Kᵀ / √d) V``: unlike the fused kernels this has forward-mode
    derivatives and per-sample gradients, which the audits need.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        if heads < 1 or width % heads:
            raise InputError(f"attention of width {width} cannot be split into {heads} heads")
        self.heads = heads
        self.to_queries_keys_values = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Tokens to tokens."""
        batch, tokens, width = x.shape
        heads = self.to_queries_keys_values(x).reshape(batch, tokens, 3, self.heads, -1)
        queries, keys, values = heads.permute(2, 0, 3, 1, 4).unbind(0)
        scores = queries @ keys.transpose(-1, -2) / math.sqrt(width / self.heads)
        mixed = functional.softmax(scores, dim=-1) @ values
        out: Tensor = self.out(mixed.transpose(1, 2).reshape(batch, tokens, width))
        return out


class GridAttention(nn.Module):
    """``x + attention(norm(x))`` between all points of the grid: commutes with every shift."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.attention = SelfAttention(channels, heads)

    def forward(self, x: Tensor) -> Tensor:
        """(B, channel, X, Y) → the same shape."""
        tokens = x.flatten(2).transpose(1, 2)
        mixed: Tensor = self.attention(self.norm(tokens))
        return x + mixed.transpose(1, 2).reshape(x.shape)


def check_divisible(size: tuple[int, ...], stride: int, name: str) -> None:
    """Raise unless both sides of the grid are multiples of ``stride``."""
    if any(side % stride or side == 0 for side in size):
        raise InputError(
            f"{name}: expected a grid whose sides are multiples of the total stride {stride}, got "
            f"{size[0]}×{size[1]}; crop or resample the fields, or build it with another stride"
        )
