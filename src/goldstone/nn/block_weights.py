"""The parametrisation of linear equivariant layers: coefficients over bases of blocks."""

from collections.abc import Callable
from math import sqrt

import torch
from torch import Tensor, nn

from goldstone.core import InputError
from goldstone.nn.block_bases import BlockBasis
from goldstone.nn.constants import Constants, computed_on_cpu
from goldstone.nn.parts import Types, check_representation, grouped_channels, ordered, parts_by_type
from goldstone.representations import Representation, invariant_vectors

BasisMaker = Callable[[Representation, Representation], BlockBasis]
"""Makes the basis of the equivariant maps from one part of the source to one of the target."""


class BlockWeights(Constants):
    """A linear equivariant layer's weight and bias, from learned coefficients.

    The weight has one block for each pair of parts of source and target,

        W[o, i] = Σ_b c[o, i, b] K_b,

    with K_b an orthonormal basis of the equivariant maps, the same for all copies of a part; the
    bias is a combination of the invariant vectors of the target. So the layer is equivariant for
    all coefficients. Layers subclass this and give ``forward``.

    Parameters are complex if a representation is. Bases and the order of channels are buffers
    outside the ``state_dict``.

    Args:
        source: the representation of the input's channels; sums of sums are flattened.
        target: that of the output's channels.
        make_basis: called once for each pair of distinct parts, source first; its bases are moved
            to the layer's device and dtype.
        bias: whether there is a bias.
        device: of parameters and buffers.
        dtype: real, or its complex partner where a representation is complex.

    Raises:
        InputError: no representations, or such of different groups.
    """

    @computed_on_cpu
    def __init__(
        self,
        source: Representation,
        target: Representation,
        make_basis: BasisMaker,
        bias: bool = True,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        for representation in (source, target):
            check_representation(representation)
        if source.group != target.group:
            raise InputError(
                "both representations must be of one group, got "
                f"{source.group.name} and {target.group.name}"
            )
        self.source, self.target = source, target
        self.in_channels, self.out_channels = source.dimension, target.dimension
        self._source_types, self._target_types = parts_by_type(source), parts_by_type(target)
        dtype = parameter_dtype((source, target), dtype)
        self.bases = nn.ModuleList()
        self.coefficients = nn.ParameterList()
        for out_part, out_starts in self._target_types:
            for in_part, in_starts in self._source_types:
                basis: BlockBasis = make_basis(in_part, out_part).cast(device, dtype)
                self.bases.append(basis)
                shape = (len(out_starts), len(in_starts), basis.count)
                empty = torch.empty(shape, device=device, dtype=dtype)
                self.coefficients.append(nn.Parameter(empty))
        self.biases = nn.ParameterList()
        for t, (part, starts) in enumerate(self._target_types if bias else ()):
            # Invariant vectors of ρ_out are the maps from nothing.
            invariants = invariant_vectors(part)
            self.register_constant(f"invariants_{t}", invariants)
            empty = torch.empty(len(starts), len(invariants), device=device, dtype=dtype)
            self.biases.append(nn.Parameter(empty))
        self.register_constant("_rows", _places(self._target_types))
        self.register_constant("_columns", _places(self._source_types))
        self.cast(device, dtype)
        self.reset_parameters()

    @property
    def map_dimension(self) -> int:
        """The dimension of the space of equivariant maps, biases aside."""
        return sum(coefficients.numel() for coefficients in self.coefficients)

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw coefficients that keep unit variance from input to output; zero the biases."""
        index = 0
        for part, _ in self._target_types:
            counts = [
                len(starts) * self._basis(index + s).count
                for s, (_, starts) in enumerate(self._source_types)
            ]
            # A basis of orthonormal maps spreads count/dim variance over each output row.
            std = 1 / sqrt(max(sum(counts) / part.dimension, 1e-12))
            for _ in self._source_types:
                nn.init.normal_(self.coefficients[index], std=std, generator=generator)
                index += 1
        for bias in self.biases:
            nn.init.zeros_(bias)

    def weight(self) -> Tensor:
        """The dense weight, (out channels, in channels, *kernel)."""
        rows, index = [], 0
        for _ in self._target_types:
            columns = []
            for _ in self._source_types:
                blocks = self._basis(index).blocks(self.coefficients[index])
                columns.append(blocks.flatten(2, 3).flatten(0, 1))
                index += 1
            rows.append(torch.cat(columns, 1) if len(columns) > 1 else columns[0])
        grouped = torch.cat(rows, 0) if len(rows) > 1 else rows[0]
        return ordered(ordered(grouped, 0, self._rows), 1, self._columns)

    def bias(self) -> Tensor | None:
        """The dense bias, (out channels,), or None."""
        if not len(self.biases):
            return None
        parts = [
            (bias @ getattr(self, f"invariants_{t}")).reshape(-1)
            for t, bias in enumerate(self.biases)
        ]
        return ordered(torch.cat(parts), 0, self._rows)

    _rows: Tensor | None
    _columns: Tensor | None

    def _basis(self, index: int) -> BlockBasis:
        basis = self.bases[index]
        if not isinstance(basis, BlockBasis):
            raise TypeError(f"basis {index} is a {type(basis).__name__}")
        return basis

    def extra_repr(self) -> str:
        """Shown by print."""
        return f"{self.source.group.name}, {self.source.dimension} → {self.target.dimension}"


def parameter_dtype(
    representations: tuple[Representation, ...], dtype: torch.dtype | None
) -> torch.dtype:
    """The dtype of a layer's parameters: complex where a representation is.

    Raises:
        InputError: a dtype of whole numbers.
    """
    chosen = dtype or torch.get_default_dtype()
    if not (chosen.is_floating_point or chosen.is_complex):
        raise InputError(f"expected a floating dtype for parameters, got {chosen}")
    is_complex = any(representation.dtype.is_complex for representation in representations)
    return chosen.to_complex() if is_complex else chosen


def _places(types: Types) -> Tensor | None:
    """Where each channel lies once equal parts are grouped together; None if where it is."""
    channels = grouped_channels(types)
    return None if channels is None else channels.argsort()
