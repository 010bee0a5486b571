"""A vision transformer with learned positions: it has no symmetry except by learning."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from goldstone.core import InputError
from goldstone.systems.emulators.layers import SelfAttention, check_divisible


class TransformerBlock(nn.Module):
    """``x + attention(norm(x))``, then ``x + mlp(norm(x))``; the hidden width is four times x's."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention = nn.Sequential(nn.LayerNorm(width), SelfAttention(width, heads))
        self.mlp = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(batch, token, width) → the same shape."""
        x = x + self.attention(x)
        out: Tensor = x + self.mlp(x)
        return out


class VisionTransformer(nn.Module):
    """Patch convolution, learned absolute positions, transformer, linear pixel-shuffle head.

    After the ViT of Amarel et al. (arXiv 2601.20172): at the defaults, stride 4, width 256, eight
    heads and about 4 M parameters. The positions belong to one grid, whose size is fixed.

    Args:
        channels: channels of the input and of the output.
        grid: (X, Y) of the fields.
        patch: side of a patch; divides both sides of the grid.
        width: features per token; a multiple of ``heads``.
        heads: attention heads.
        depth: transformer blocks.

    Raises:
        InputError: the patch does not divide the grid, an argument is not positive, or (in
            forward) the fields are on another grid.
    """

    def __init__(
        self,
        channels: int,
        grid: tuple[int, int],
        *,
        patch: int = 4,
        width: int = 256,
        heads: int = 8,
        depth: int = 5,
    ) -> None:
        super().__init__()
        if min(channels, patch, width, depth) < 1:
            raise InputError(
                "vision transformer: expected positive channels, patch, width and depth, got "
                f"{channels}, {patch}, {width}, {depth}"
            )
        check_divisible(grid, patch, "vision transformer")
        self.grid = (grid[0], grid[1])
        self.patch = patch
        tokens = (grid[0] // patch) * (grid[1] // patch)
        self.embed = nn.Conv2d(channels, width, kernel_size=patch, stride=patch)
        self.positions = nn.Parameter(0.02 * torch.randn(tokens, width))
        self.blocks = nn.Sequential(*(TransformerBlock(width, heads) for _ in range(depth)))
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, channels * patch**2))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channel, X, Y) → the same shape."""
        if tuple(x.shape[-2:]) != self.grid:
            raise InputError(
                f"vision transformer: its positions belong to a {self.grid[0]}×{self.grid[1]} "
                f"grid, got {x.shape[-2]}×{x.shape[-1]}; resample the fields or train another"
            )
        patches: Tensor = self.embed(x)
        tokens = patches.flatten(2).transpose(1, 2) + self.positions
        values: Tensor = self.head(self.blocks(tokens))
        coarse = values.transpose(1, 2).reshape(x.shape[0], -1, *patches.shape[-2:])
        return functional.pixel_shuffle(coarse, self.patch)
