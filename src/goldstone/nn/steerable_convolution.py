"""Convolution that commutes with a point group of the grid."""

from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional

from goldstone.core import InputError
from goldstone.nn.kernel_basis import kernel_basis
from goldstone.nn.padding import circular_pad
from goldstone.representations import DirectSum, Representation, invariant_vectors


class SteerableConv2d(nn.Module):
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
        super().__init__()
        if source.group != target.group:
            raise InputError(
                "both representations must be of one group, got "
                f"{source.group.name} and {target.group.name}"
            )
        centred = (kernel_size % 2 == 1 and stride == 1) or kernel_size == stride
        if kernel_size < 1 or not centred:
            raise InputError(
                f"kernel {kernel_size} with stride {stride} does not keep the centre of the grid; "
                "use an odd kernel with stride 1, or a stride equal to the kernel size"
            )
        self.source, self.target = source, target
        self.kernel_size, self.stride = kernel_size, stride
        self._source_types = _by_type(source)
        self._target_types = _by_type(target)
        dtype = dtype or torch.get_default_dtype()
        self.coefficients = nn.ParameterList()
        for t, (out_part, out_starts) in enumerate(self._target_types):
            for s, (in_part, in_starts) in enumerate(self._source_types):
                basis = kernel_basis(in_part, out_part, kernel_size).to(device, dtype)
                self.register_buffer(f"basis_{t}_{s}", basis, persistent=False)
                shape = (len(out_starts), len(in_starts), len(basis))
                empty = torch.empty(shape, device=device, dtype=dtype)
                self.coefficients.append(nn.Parameter(empty))
        self.biases = nn.ParameterList()
        for t, (part, starts) in enumerate(self._target_types):
            # Invariant vectors of ρ_out are the 1×1 kernels from nothing: K(p) = ρ_out(g) K(p).
            invariants = invariant_vectors(part).to(device, dtype)
            self.register_buffer(f"invariants_{t}", invariants, persistent=False)
            if bias:
                empty = torch.empty(len(starts), len(invariants), device=device, dtype=dtype)
                self.biases.append(nn.Parameter(empty))
        self.register_buffer("_rows", _order(self._target_types).to(device), persistent=False)
        self.register_buffer("_columns", _order(self._source_types).to(device), persistent=False)
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw coefficients that keep unit variance from input to output; zero the biases."""
        index = 0
        for t, (part, _) in enumerate(self._target_types):
            bases = [getattr(self, f"basis_{t}_{s}") for s in range(len(self._source_types))]
            # A basis of orthonormal kernels spreads len(basis)/dim variance over each output row.
            fan_in = (
                sum(
                    len(starts) * len(basis)
                    for (_, starts), basis in zip(self._source_types, bases, strict=True)
                )
                / part.dimension
            )
            for _ in self._source_types:
                nn.init.normal_(
                    self.coefficients[index], std=1 / sqrt(max(fan_in, 1e-12)), generator=generator
                )
                index += 1
        for bias in self.biases:
            nn.init.zeros_(bias)

    def weight(self) -> Tensor:
        """The dense kernel, (out channels, in channels, size, size)."""
        rows, index = [], 0
        size = self.kernel_size
        for t, (out_part, out_starts) in enumerate(self._target_types):
            columns = []
            for s, (in_part, in_starts) in enumerate(self._source_types):
                basis = getattr(self, f"basis_{t}_{s}")
                blocks = torch.einsum("oib,bmnxy->ominxy", self.coefficients[index], basis)
                columns.append(
                    blocks.reshape(
                        len(out_starts) * out_part.dimension,
                        len(in_starts) * in_part.dimension,
                        size,
                        size,
                    )
                )
                index += 1
            rows.append(torch.cat(columns, 1))
        grouped = torch.cat(rows, 0)
        return grouped[self._buffer("_rows")][:, self._buffer("_columns")]

    def bias(self) -> Tensor | None:
        """The dense bias, (out channels,), or None."""
        if not len(self.biases):
            return None
        parts = [
            (bias @ getattr(self, f"invariants_{t}")).reshape(-1)
            for t, bias in enumerate(self.biases)
        ]
        return torch.cat(parts)[self._buffer("_rows")]

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
        return (
            f"{self.source.group.name}, {self.source.dimension} → {self.target.dimension}, "
            f"kernel_size={self.kernel_size}, stride={self.stride}"
        )

    def _buffer(self, name: str) -> Tensor:
        buffer = getattr(self, name)
        if not isinstance(buffer, Tensor):
            raise TypeError(f"{name} is not a tensor")
        return buffer


_Types = list[tuple[Representation, list[int]]]


def _by_type(representation: Representation) -> _Types:
    """The distinct parts of a direct sum, each with the first channels of its copies."""
    parts = representation.parts if isinstance(representation, DirectSum) else (representation,)
    types: dict[Representation, list[int]] = {}
    start = 0
    for part in parts:
        types.setdefault(part, []).append(start)
        start += part.dimension
    return list(types.items())


def _order(types: _Types) -> Tensor:
    """Where each channel of the representation lies once equal parts are grouped together."""
    channels = [
        start + k for part, starts in types for start in starts for k in range(part.dimension)
    ]
    return torch.tensor(channels).argsort()
