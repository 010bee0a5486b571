"""Convolution that commutes with a point group of the grid."""

import torch
from torch import Tensor
from torch.nn import functional

from goldstone.core import InputError
from goldstone.nn.block_bases import DenseBasis
from goldstone.nn.block_weights import BlockWeights
from goldstone.nn.kernel_basis import kernel_basis
from goldstone.nn.padding import circular_pad
from goldstone.representations import Representation


class SteerableConv2d(BlockWeights):
    """Circular convolution from fields of one representation to fields of another.

    out(p) = Σ_d K(d) in(stride·p + d) + b, with K a learned combination of the equivariant
    kernels and b of the invariant vectors, so that the layer commutes with every element of the
    group for all weights (Cohen & Welling 2017, "Steerable CNNs", eq. 8). Fields are tensors
    (batch, channel, X, Y) whose channels are the components of the representation in order.

    About the cell-centred pivot odd kernels need stride 1, even ones a stride equal to their size.

    Raises:
        InputError: representations of different groups, or a size and stride that would lose the
            symmetry.
    """

    def __init__(
        self,
        source: Representation,
        target: Representation,
        kernel_size: int,
        stride: int = 1,
        bias: bool = True,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        centred = (kernel_size % 2 == 1 and stride == 1) or kernel_size == stride
        if kernel_size < 1 or not centred:
            raise InputError(
                f"kernel {kernel_size} with stride {stride} does not keep the centre of the grid; "
                "use an odd kernel with stride 1, or a stride equal to the kernel size"
            )
        super().__init__(
            source,
            target,
            lambda i, o: DenseBasis(kernel_basis(i, o, kernel_size)),
            bias,
            device=device,
            dtype=dtype,
        )
        self.kernel_size, self.stride = kernel_size, stride

    def forward(self, x: Tensor) -> Tensor:
        """Convolve (batch, in channels, X, Y) → (batch, out channels, X/stride, Y/stride)."""
        if x.shape[1] != self.source.dimension:
            raise InputError(
                f"expected {self.source.dimension} channels for the source representation, "
                f"got {x.shape[1]}"
            )
        if self.stride > 1:
            if x.shape[-2] % self.stride or x.shape[-1] % self.stride:
                raise InputError(
                    f"the grid {tuple(x.shape[-2:])} is not a multiple of the stride {self.stride}"
                )
        elif self.kernel_size > 1:
            x = circular_pad(x, self.kernel_size // 2)
        return functional.conv2d(x, self.weight(), self.bias(), stride=self.stride)

    def extra_repr(self) -> str:
        """Shown by print."""
        return f"{super().extra_repr()}, kernel_size={self.kernel_size}, stride={self.stride}"
