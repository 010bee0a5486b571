"""A U-Net on a periodic grid, equivariant to shifts by multiples of its total stride."""

from itertools import pairwise

from torch import nn

from goldstone.core import InputError
from goldstone.systems.emulators.layers import (
    CircularConv2d,
    GridAttention,
    ResidualBlock,
    group_norm,
)
from goldstone.systems.emulators.u_shape import UShape


class UNet(UShape):
    """Residual U-Net with circular padding, after Amarel et al. (arXiv 2601.20172).

    Every stage halves the grid and doubles the channels. The way down is a 2×2 convolution of
    stride 2, the way up nearest-neighbour repetition and a 3×3 convolution; both keep the cell
    centre as the fixed point of point-group elements. Nothing in the network knows where it is,
    so it commutes exactly with shifts by multiples of :attr:`total_stride`; between them it does
    not, because the 2×2 patches lie on a lattice.

    The defaults have the shape of the paper's model (24 base channels, four stages, attention at
    the bottleneck, about 14 M parameters). ``UNet(2, base_channels=12, stages=2,
    blocks_per_stage=1, attention=False)`` has about 95 k and total stride 4.

    Args:
        channels: channels of the input and of the output.
        base_channels: width at full resolution.
        stages: number of halvings.
        blocks_per_stage: residual blocks at each resolution, on the way down and on the way up.
        attention: whether all points of the coarsest grid attend to each other (followed by one
            more residual block).
        heads: attention heads.
        normalise: GroupNorm over the whole grid, or no norm.

    Raises:
        InputError: an argument is not positive, or (in forward) the grid is not divisible.
    """

    def __init__(
        self,
        channels: int,
        *,
        base_channels: int = 24,
        stages: int = 4,
        blocks_per_stage: int = 2,
        attention: bool = True,
        heads: int = 4,
        normalise: bool = True,
    ) -> None:
        if min(channels, base_channels, stages, blocks_per_stage) < 1:
            raise InputError(
                "U-Net: expected positive channels, base_channels, stages and blocks_per_stage, "
                f"got {channels}, {base_channels}, {stages}, {blocks_per_stage}"
            )

        def blocks(in_channels: int, out_channels: int) -> nn.Sequential:
            sizes = [in_channels] + [out_channels] * blocks_per_stage
            return nn.Sequential(*(ResidualBlock(a, b, normalise) for a, b in pairwise(sizes)))

        def up(coarse: int, fine: int) -> nn.Sequential:
            repeat = nn.Upsample(scale_factor=2, mode="nearest")
            return nn.Sequential(repeat, CircularConv2d(coarse, fine))

        *fine_widths, widest = widths = [base_channels * 2**stage for stage in range(stages + 1)]
        bottleneck = [blocks(widest, widest)]
        if attention:
            bottleneck.append(
                nn.Sequential(
                    GridAttention(widest, heads), ResidualBlock(widest, widest, normalise)
                )
            )
        super().__init__(
            first=CircularConv2d(channels, base_channels),
            encoders=[blocks(width, width) for width in fine_widths],
            downs=[nn.Conv2d(a, b, kernel_size=2, stride=2) for a, b in pairwise(widths)],
            bottleneck=nn.Sequential(*bottleneck),
            ups=[up(coarse, fine) for fine, coarse in pairwise(widths)],
            decoders=[blocks(2 * width, width) for width in fine_widths],
            last=nn.Sequential(
                group_norm(base_channels) if normalise else nn.Identity(),
                nn.SiLU(),
                CircularConv2d(base_channels, channels),
            ),
        )
