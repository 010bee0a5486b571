"""Normalisation of features of any unitary representation."""

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from goldstone.core import InputError
from goldstone.nn.block_weights import parameter_dtype
from goldstone.nn.constants import Constants, computed_on_cpu
from goldstone.nn.parts import check_components, check_unitary, flat_parts, part_of_channel
from goldstone.nn.ragged import wide_dtype
from goldstone.representations import Representation, invariant_vectors

Statistics = Literal["layer", "batch"]


class InvariantNorm(Constants):
    """Divide features by invariant measures of their size, then scale parts and shift invariants.

    - ``layer``: y = s · x / √(mean |x|² + ε), the mean over all components of one feature; s is
      one learned factor for each part. Equal in training and evaluation.
    - ``batch``: y = s · (x − μ) / √(mean |x − μ|² + ε), the mean over the batch and the components
      of one part, μ the batch mean's invariant component (all of it for trivial parts, none for
      vectors). Evaluation uses running averages.

    A learned combination of invariant vectors is added at last.

    Args:
        representation: of the last axis; all others are batch axes.
        statistics: ``layer`` or ``batch``.
        momentum: of the running averages.
        epsilon: ε.
        device: of parameters and buffers.
        dtype: of the parameters.

    Raises:
        InputError: a part is not unitary, or unknown statistics.
    """

    _part: Tensor
    _sizes: Tensor
    _invariants: Tensor
    running_invariants: Tensor
    running_power: Tensor

    @computed_on_cpu
    def __init__(
        self,
        representation: Representation,
        statistics: Statistics = "layer",
        *,
        momentum: float = 0.1,
        epsilon: float = 1e-5,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if statistics not in get_args(Statistics):
            raise InputError(f"expected the statistics 'layer' or 'batch', got {statistics!r}")
        check_unitary(representation, "InvariantNorm")
        self.representation, self.statistics = representation, statistics
        self.momentum, self.epsilon = momentum, epsilon
        number = parameter_dtype((representation,), dtype)
        parts = flat_parts(representation)
        invariants = _invariant_rows(parts)
        self.register_constant("_part", part_of_channel(representation))
        self.register_constant("_sizes", torch.tensor([part.dimension for part in parts]))
        self.register_constant("_invariants", invariants)
        self.cast(device, number)
        real = torch.ones(len(parts), device=device, dtype=number.to_real())
        self.scale = nn.Parameter(real)
        self.shift = nn.Parameter(torch.zeros(len(invariants), device=device, dtype=number))
        if statistics == "batch":
            self.register_buffer("running_invariants", torch.zeros_like(self.shift.detach()))
            self.register_buffer("running_power", torch.ones_like(real))

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Scales one, shifts zero, running averages as at the start."""
        nn.init.ones_(self.scale)
        nn.init.zeros_(self.shift)
        if self.statistics == "batch":
            self.running_invariants.zero_()
            self.running_power.fill_(1)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (*batch, dimension)."""
        check_components(x, self.representation, size=len(self._part))
        # Squares and their sums leave the range of half precision.
        wide = x.to(wide_dtype(x))
        invariants = self._invariants.to(wide.dtype)
        if self.statistics == "layer":
            power = wide.abs().square().mean(-1, keepdim=True)
            factor = self.scale[self._part] * (power + self.epsilon).rsqrt()
        else:
            if self.training:
                mean, power = self._measured(wide.reshape(-1, x.shape[-1]), invariants)
            else:
                mean, power = self.running_invariants.to(wide.dtype), self.running_power
            wide = wide - mean @ invariants
            factor = (self.scale * (power.to(wide.real.dtype) + self.epsilon).rsqrt())[self._part]
        y = wide * factor + self.shift.to(wide.dtype) @ invariants
        return y.to(torch.promote_types(x.dtype, self.shift.dtype))

    def _measured(self, flat: Tensor, invariants: Tensor) -> tuple[Tensor, Tensor]:
        """The batch's invariant mean and the parts' mean squares, noted in the averages."""
        if len(flat) < 2:
            raise InputError("batch statistics need two or more features; call .eval() for one")
        mean = invariants.conj() @ flat.mean(0)
        squares = (flat - mean @ invariants).abs().square().mean(0)
        sums = squares.new_zeros(len(self._sizes)).index_add(0, self._part, squares)
        power = sums / self._sizes
        with torch.no_grad():
            self.running_invariants.lerp_(mean.to(self.running_invariants.dtype), self.momentum)
            unbiased = power * (len(flat) / (len(flat) - 1))
            self.running_power.lerp_(unbiased.to(self.running_power.dtype), self.momentum)
        return mean, power

    def extra_repr(self) -> str:
        """Shown by print."""
        return (
            f"{self.representation.group.name}, {self.representation.dimension}, {self.statistics}"
        )


def _invariant_rows(parts: tuple[Representation, ...]) -> Tensor:
    """Orthonormal invariant vectors (k, dimension) of a direct sum, part by part."""
    known = {part: invariant_vectors(part) for part in dict.fromkeys(parts)}
    dtype = torch.float64
    for vectors in known.values():
        dtype = torch.promote_types(dtype, vectors.dtype)
    rows = torch.zeros(
        sum(len(known[part]) for part in parts), sum(part.dimension for part in parts), dtype=dtype
    )
    row = column = 0
    for part in parts:
        size = known[part].shape
        rows[row : row + size[0], column : column + size[1]] = known[part].to(dtype)
        row, column = row + size[0], column + size[1]
    return rows
