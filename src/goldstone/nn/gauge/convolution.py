"""Gauge-equivariant convolution."""

from math import sqrt

import torch
from torch import Tensor, nn

from goldstone.core import InputError
from goldstone.nn.gauge.transport import check_loops, lattice_axes, mixed, transported


class GaugeConv(nn.Module):
    """W′_{x,i} = Σ_j ω_ij0 W_{x,j} + Σ_{j,μ,k} ω_ijμk U_{x→x+kμ} W_{x+kμ,j} U†_{x→x+kμ}.

    k runs over −reach … reach without 0 along each axis μ: neighbours are carried to x by the links
    between before they are added up, so that W′ turns with Ω_x as W does. Favoni et al. 2022,
    "Lattice gauge equivariant convolutional neural networks".

    (links (batch, axis, *lattice, n, n), loops (batch, in_channels, *lattice, n, n)) → loops
    (batch, out_channels, *lattice, n, n), complex, for any unitary gauge group and any lattice.

    Args:
        axes: of the lattice.
        in_channels, out_channels: loops.
        reach: how many sites along each axis.
        dtype: of the weights, complex, or the real partner of that.

    Raises:
        InputError: a number is below one.
    """

    def __init__(
        self,
        axes: int,
        in_channels: int,
        out_channels: int,
        reach: int = 1,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if min(axes, in_channels, out_channels, reach) < 1:
            raise InputError(
                "expected axes, channels and reach of at least 1, got "
                f"{axes}, {in_channels}, {out_channels} and {reach}"
            )
        self.axes, self.reach = axes, reach
        self.in_channels, self.out_channels = in_channels, out_channels
        places = 1 + 2 * reach * axes
        dtype = (dtype or torch.get_default_dtype()).to_complex()
        self.weight = nn.Parameter(
            torch.empty(places, out_channels, in_channels, device=device, dtype=dtype)
        )
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Normal weights that keep the mean square of independent loops."""
        bound = 1 / sqrt(self.weight.shape[0] * self.in_channels)
        with torch.no_grad():
            self.weight.normal_(generator=generator).mul_(bound)

    def forward(self, links: Tensor, loops: Tensor) -> Tensor:
        """Convolve the loops.

        Raises:
            InputError: links and loops do not fit each other or this layer.
        """
        check_loops(links, loops, self.in_channels)
        if lattice_axes(links) != self.axes:
            raise InputError(
                f"expected links of a lattice of {self.axes} axes, got {tuple(links.shape)}"
            )
        result = mixed(self.weight[0], loops)
        for weight, moved in zip(
            self.weight[1:], transported(links, loops, self.reach), strict=True
        ):
            result = result + mixed(weight, moved)
        return result

    def extra_repr(self) -> str:
        """Sizes."""
        return f"{self.axes}, {self.in_channels}, {self.out_channels}, reach={self.reach}"
