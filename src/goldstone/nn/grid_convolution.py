"""What convolutions of fields on a grid have in common: the window, its flaws, the arithmetic."""

import warnings
from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from goldstone.actions import Pivot
from goldstone.core import InputError
from goldstone.nn.block_weights import BasisMaker, BlockWeights
from goldstone.nn.grouped_parts import grouped_block
from goldstone.nn.padding import pad_grid
from goldstone.nn.planar_elements import reversed_axes
from goldstone.nn.turning_error import turning_error
from goldstone.nn.window_geometry import Window
from goldstone.representations import Representation, is_unitary

_CONVOLUTIONS: dict[int, Callable[..., Tensor]] = {2: functional.conv2d, 3: functional.conv3d}


class GridConvolution(BlockWeights):
    """out(p) = Σ_d K(d) in(stride·p + d) + b on a grid of so many :attr:`axes`.

    Subclasses choose the basis of K. Where the window loses the group's fixed point it is refused,
    or warned of with the measured error.

    Args:
        source, target: representations of the channels.
        make_basis: of the kernels between two parts, with a tap on each side of the last axes.
        window: size, stride, padding, … of the kernel.
        groups: equal runs of channels, each of the output seeing one of the input.
        bias: whether there is a bias.
        exact: refuse what loses exactness; False warns.

    Raises:
        InputError: a choice that loses exactness, or as :class:`BlockWeights`.
    """

    axes: ClassVar[int]

    def __init__(
        self,
        source: Representation,
        target: Representation,
        make_basis: BasisMaker,
        window: Window,
        groups: int,
        bias: bool,
        exact: bool,
        *,
        device: torch.device | str | None,
        dtype: torch.dtype | None,
    ) -> None:
        block = grouped_block(source, target, groups)
        super().__init__(block, target, make_basis, bias, device=device, dtype=dtype)
        self.source, self.in_channels = source, source.dimension
        self.window, self.groups, self.exact = window, groups, exact
        self.kernel_size, self.stride = window.size, window.stride
        self._moved, self._warned = reversed_axes(source.group), False
        if exact and any(self._moved) and window.flaw is not None:
            n = (4 if self.axes == 2 else 2) * window.stride * window.extent
            noise = torch.randn(1, source.dimension, *(n,) * self.axes)
            raise InputError(self._with_error(window.flaw, noise))

    @property
    def pivot(self) -> Pivot:
        """The fixed point that is kept."""
        return self.window.pivot

    def forward(self, x: Tensor) -> Tensor:
        """Convolve (batch, in channels, *grid) → (batch, out channels, *grid′)."""
        axes = self.axes
        if x.ndim != 2 + axes or x.shape[1] != self.in_channels:
            raise InputError(
                f"expected {self.in_channels} channels for the source representation, "
                + (
                    f"got {x.shape[1]}"
                    if x.ndim == 2 + axes
                    else f"on a grid of {axes} axes after that of the batch, got {tuple(x.shape)}"
                )
            )
        self.window.check_fits(tuple(x.shape[2:]))
        flaw = self.window.flaw_on(tuple(x.shape[2:]), self._moved)
        if flaw is not None and self.exact:
            raise InputError(self._with_error(flaw, x))
        if not self.exact and not self._warned and not torch.compiler.is_compiling():
            flaw = flaw or (self.window.flaw if any(self._moved) else None)
            if flaw is not None:
                self._warned = True
                warnings.warn(self._with_error(flaw, x), stacklevel=2)
        return self._convolved(x)

    def _convolved(self, x: Tensor) -> Tensor:
        window = self.window
        within = window.padding if window.mode == "zeros" else 0  # faster than padding before
        convolve = _CONVOLUTIONS[self.axes]
        return convolve(
            x if within else pad_grid(x, window.padding, window.mode),
            self.weight(),
            self.bias(),
            stride=window.stride,
            padding=within,
            dilation=window.dilation,
            groups=self.groups,
        )

    def _with_error(self, flaw: str, x: Tensor) -> str:
        """The flaw and how far this layer is off by it, on noise of the shape of x."""
        weight = self.coefficients[0]
        if weight.is_meta or torch.compiler.is_compiling():
            return flaw
        noise = torch.randn((1, *x.shape[1:]), generator=torch.Generator().manual_seed(0))
        noise = noise.to(weight.device, weight.dtype)
        error = turning_error(self._convolved, self.source, self.target, noise, self.pivot)
        if error is None or error < 1e-4:
            return flaw
        return f"{flaw}. The measured relative error of a turn is {error:.1e}"

    def to_plain(self) -> nn.Conv2d | nn.Conv3d:
        """An ordinary convolution with this one's present weights: the same output."""
        weight, bias, window = self.weight().detach(), self.bias(), self.window
        plain = (nn.Conv2d if self.axes == 2 else nn.Conv3d)(
            self.source.dimension,
            self.target.dimension,
            window.size,
            window.stride,
            window.padding,
            window.dilation,
            self.groups,
            bias is not None,
            window.mode,
            device=weight.device,
            dtype=weight.dtype,
        )
        with torch.no_grad():
            plain.weight.copy_(weight)
            if plain.bias is not None and bias is not None:
                plain.bias.copy_(bias)
        return plain.train(self.training)

    def extra_repr(self) -> str:
        """Shown by print."""
        sizes = f"kernel_size={self.kernel_size}, stride={self.stride}"
        names = f"{self.source.group.name}, {self.source.dimension} → {self.target.dimension}"
        return f"{names}, {sizes}, padding={self.window.padding} ({self.window.mode})"


def check_orthogonal(part: Representation) -> None:
    """Raise unless a part is real and orthogonal.

    Raises:
        InputError: it is not.
    """
    if part.dtype.is_complex or not is_unitary(part):
        raise InputError(
            f"convolutions on a grid need real orthogonal representations, got "
            f"{type(part).__name__} of {part.group.name}; take its unitary_form(), or the "
            "Realification of a complex one"
        )
