"""Products of loops at one site."""

from math import sqrt

import torch
from torch import Tensor, nn

from goldstone.core import InputError


class GaugeBilinear(nn.Module):
    """W″_{x,i} = Σ_jk α_ijk A_{x,j} B_{x,k} with A and B extended by A†, B† and the unit matrix.

    Products of loops that start at x are longer loops from x, so stacks of convolutions and
    products make all contractible loops out of plaquettes. The unit matrix keeps the terms of
    lower order, and is a bias. Favoni et al. 2022.

    (a (batch, first_channels, *lattice, n, n), b (batch, second_channels, *lattice, n, n)) →
    (batch, out_channels, *lattice, n, n).

    Args:
        first_channels, second_channels, out_channels: loops.
        dtype: of the weights, complex, or the real partner of that.

    Raises:
        InputError: a number is below one.
    """

    def __init__(
        self,
        first_channels: int,
        second_channels: int,
        out_channels: int,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if min(first_channels, second_channels, out_channels) < 1:
            raise InputError(
                "expected channels of at least 1, got "
                f"{first_channels}, {second_channels} and {out_channels}"
            )
        self.first_channels, self.second_channels = first_channels, second_channels
        self.out_channels = out_channels
        dtype = (dtype or torch.get_default_dtype()).to_complex()
        self.weight = nn.Parameter(
            torch.empty(
                out_channels,
                2 * first_channels + 1,
                2 * second_channels + 1,
                device=device,
                dtype=dtype,
            )
        )
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Normal weights; products of independent unitary matrices keep their mean square."""
        _, one, two = self.weight.shape
        with torch.no_grad():
            self.weight.normal_(generator=generator).mul_(1 / sqrt(one * two))

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Multiply the loops.

        Raises:
            InputError: the numbers of channels are others, or the lattices differ.
        """
        if (
            a.dim() < 5
            or a.shape[1] != self.first_channels
            or b.shape != (a.shape[0], self.second_channels, *a.shape[2:])
        ):
            raise InputError(
                f"expected loops (batch, {self.first_channels}, *lattice, n, n) and (batch, "
                f"{self.second_channels}, *lattice, n, n), got {tuple(a.shape)} and "
                f"{tuple(b.shape)}"
            )
        # Channels last but for the matrices: for each output one product with a mixture of b.
        one, two = _extended(a).movedim(1, -3), _extended(b).movedim(1, -3)
        mixtures = torch.einsum("ijk,...kab->...ijab", self.weight, two)
        return torch.einsum("...jab,...ijbc->...iac", one, mixtures).movedim(-3, 1)

    def extra_repr(self) -> str:
        """Sizes."""
        return f"{self.first_channels}, {self.second_channels}, {self.out_channels}"


def _extended(loops: Tensor) -> Tensor:
    """With the adjoints and the unit matrix as further channels."""
    one = torch.eye(loops.shape[-1], dtype=loops.dtype, device=loops.device)
    units = one.expand(loops.shape[0], 1, *loops.shape[2:])
    return torch.cat([loops, loops.mH, units], 1)
