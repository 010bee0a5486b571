"""A U-Net that commutes with the rotations and reflections of the square for all weights."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from goldstone.actions import Field, FieldLayout
from goldstone.core import InputError, check_square_grid
from goldstone.groups import DihedralGroup
from goldstone.nn import SteerableConv2d
from goldstone.representations import (
    DeterminantRepresentation,
    DirectSum,
    RegularRepresentation,
    Representation,
    StandardRepresentation,
    TrivialRepresentation,
    multiple,
)
from goldstone.systems.emulators.u_shape import UShape


class EquivariantUNet(UShape):
    """A U-Net of steerable convolutions: ``f(g·x) = g·f(x)`` for every g of D4 and all weights.

    Hidden features are copies of the regular representation, on which pointwise functions commute
    with the group (Cohen & Welling 2016, "Group equivariant convolutional networks"); input and
    output carry the representation that the layout declares. The shape is that of
    :class:`UNet`, so it commutes with shifts by multiples of :attr:`total_stride` too. Elements
    act about the cell-centred pivot of the grid, which must be square.

    Args:
        layout: the fields of the input and of the output.
        copies: copies of the regular representation at full resolution (eight channels each);
            every stage doubles them.
        stages: number of halvings.
        blocks_per_stage: residual blocks at each resolution, on the way down and on the way up.

    Raises:
        InputError: an argument is not positive, or (in forward) the grid is not square or not
            divisible.
    """

    frame: Tensor

    def __init__(
        self, layout: FieldLayout, *, copies: int = 2, stages: int = 2, blocks_per_stage: int = 1
    ) -> None:
        if min(copies, stages, blocks_per_stage) < 1:
            raise InputError(
                "equivariant U-Net: expected positive copies, stages and blocks_per_stage, got "
                f"{copies}, {stages}, {blocks_per_stage}"
            )
        group = DihedralGroup(4)
        regular = RegularRepresentation(group)
        outer = DirectSum(group, tuple(_fibre_representation(group, f) for f in layout.fields))

        def blocks(in_copies: int, out_copies: int) -> nn.Sequential:
            sizes = [in_copies] + [out_copies] * blocks_per_stage
            return nn.Sequential(*(_ResidualBlock(regular, a, b) for a, b in pairwise(sizes)))

        def up(coarse: int, fine: int) -> nn.Sequential:
            repeat = nn.Upsample(scale_factor=2, mode="nearest")
            return nn.Sequential(repeat, _convolution(regular, coarse, fine, 3))

        *fine_copies, most = sizes = [copies * 2**stage for stage in range(stages + 1)]
        super().__init__(
            first=SteerableConv2d(outer, multiple(regular, copies), 3),
            encoders=[blocks(number, number) for number in fine_copies],
            downs=[_convolution(regular, a, b, 2, stride=2) for a, b in pairwise(sizes)],
            bottleneck=blocks(most, most),
            ups=[up(coarse, fine) for fine, coarse in pairwise(sizes)],
            decoders=[blocks(2 * number, number) for number in fine_copies],
            last=nn.Sequential(
                OrbitNorm(copies, regular.dimension),
                nn.SiLU(),
                SteerableConv2d(multiple(regular, copies), outer, 3),
            ),
        )
        self.register_buffer("frame", _frame(layout), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channel, X, Y) → the same shape."""
        check_square_grid((x.shape[-2], x.shape[-1]), "equivariant U-Net")
        frame = self.frame.to(x.dtype)
        out = super().forward(torch.einsum("ij,bjxy->bixy", frame, x))
        return torch.einsum("ji,bjxy->bixy", frame, out)


class OrbitNorm(nn.Module):
    """Normalises each copy of the regular representation over its components and the grid.

    ``(x − mean) / sqrt(var + 1e-5) · weight + bias`` with one weight and bias per copy.
    """

    def __init__(self, copies: int, dimension: int) -> None:
        super().__init__()
        self.copies, self.dimension = copies, dimension
        self.weight = nn.Parameter(torch.ones(copies))
        self.bias = nn.Parameter(torch.zeros(copies))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, copies · dimension, X, Y) → the same shape."""
        weight = self.weight.repeat_interleave(self.dimension)
        bias = self.bias.repeat_interleave(self.dimension)
        return functional.group_norm(x, self.copies, weight, bias)


class _ResidualBlock(nn.Module):
    """``skip(x) + conv(act(norm(conv(act(norm(x))))))`` on copies of the regular representation."""

    def __init__(self, regular: Representation, in_copies: int, out_copies: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            OrbitNorm(in_copies, regular.dimension),
            nn.SiLU(),
            _convolution(regular, in_copies, out_copies, 3),
            OrbitNorm(out_copies, regular.dimension),
            nn.SiLU(),
            _convolution(regular, out_copies, out_copies, 3),
        )
        same = in_copies == out_copies
        self.skip = nn.Identity() if same else _convolution(regular, in_copies, out_copies, 1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.skip(x) + self.layers(x)
        return out


def _convolution(
    regular: Representation, in_copies: int, out_copies: int, kernel_size: int, stride: int = 1
) -> nn.Module:
    source, target = multiple(regular, in_copies), multiple(regular, out_copies)
    return SteerableConv2d(source, target, kernel_size, stride)


def _fibre_representation(group: DihedralGroup, field: Field) -> Representation:
    if field.is_vector:
        return StandardRepresentation(group)
    if field.fibre == "pseudoscalar":
        return DeterminantRepresentation(group)
    return TrivialRepresentation(group)


def _frame(layout: FieldLayout) -> Tensor:
    """The matrix from the declared components of vectors to components along the grid's axes."""
    frame = torch.eye(layout.channels)
    for field, channels in layout.slices():
        if field.is_vector:
            turn = torch.zeros(2, 2)
            for component, (axis, sign) in enumerate(zip(field.axes, field.signs, strict=True)):
                turn[axis, component] = sign
            frame[channels, channels] = turn
    return frame
