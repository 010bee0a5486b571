"""Norm nonlinearity: each part is scaled by a function of its norm."""

from collections.abc import Callable
from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional

from goldstone.nn.constants import Constants, computed_on_cpu
from goldstone.nn.parts import (
    along,
    check_components,
    check_unitary,
    flat_parts,
    part_of_channel,
)
from goldstone.nn.ragged import wide_dtype
from goldstone.nn.second_moment import radial_second_moment
from goldstone.representations import Representation


class NormActivation(Constants):
    """y = x f(r + b) / r for each part, r² its mean square component and b learned.

    The norm of a unitary part is invariant, so y turns as x does (Worrall et al. 2017, "Harmonic
    networks", eq. 11). A factor 1/√E f(r)² for normal inputs keeps unit variance at b = 0. r is
    never less than 1e-6, so gradients at x = 0 are finite.

    Args:
        representation: of the components.
        activation: f.
        axis: that of the components.

    Raises:
        InputError: a part is not unitary.
    """

    _part: Tensor
    _weights: Tensor
    _gains: Tensor

    @computed_on_cpu
    def __init__(
        self,
        representation: Representation,
        activation: Callable[[Tensor], Tensor] = functional.silu,
        *,
        axis: int = -1,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_unitary(representation, "NormActivation")
        self.representation, self.activation, self.axis = representation, activation, axis
        dtype = (dtype or torch.get_default_dtype()).to_real()
        sizes = [part.dimension for part in flat_parts(representation)]
        real = 2 if representation.dtype.is_complex else 1
        gains = {n: 1 / sqrt(radial_second_moment(activation, real * n)) for n in set(sizes)}
        weights = [1 / n for n in sizes for _ in range(n)]
        self.register_constant("_part", part_of_channel(representation))
        self.register_constant("_weights", torch.tensor(weights, dtype=torch.float64))
        gain = torch.tensor([gains[n] for n in sizes], dtype=torch.float64)
        self.register_constant("_gains", gain)
        self.cast(device, dtype)
        self.bias = nn.Parameter(torch.empty(len(sizes), device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Zero the biases."""
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Scale the parts along the axis."""
        check_components(x, self.representation, self.axis, size=len(self._part))
        sizes = x.abs()
        squares = sizes.to(wide_dtype(sizes)).square()  # They leave the range of half precision.
        squares = squares * along(self._weights.to(squares.dtype), x, self.axis)
        shape = list(x.shape)
        shape[self.axis] = len(self.bias)
        power = squares.new_zeros(shape).index_add(self.axis, self._part, squares)
        norm = (power + 1e-12).sqrt()
        bias, gains = (along(v.to(norm.dtype), x, self.axis) for v in (self.bias, self._gains))
        factors = gains * self.activation(norm + bias) / norm
        factors = factors.to(torch.promote_types(sizes.dtype, self.bias.dtype))
        return x * factors.index_select(self.axis, self._part)

    def extra_repr(self) -> str:
        """Shown by print."""
        name = getattr(self.activation, "__name__", "")
        return f"{self.representation.group.name}, {self.representation.dimension}, {name}"
