"""A nonlinearity that leaves the direction of loops alone."""

import torch
from torch import Tensor, nn

from goldstone.core import InputError
from goldstone.nn.gauge.trace import traces


class GaugeActivation(nn.Module):
    """W_{x,i} ↦ relu(Re tr W_{x,i}/n + b_i) W_{x,i}, with a learned b of ones at first.

    The trace is invariant, so the factor is, and W keeps its place. Favoni et al. 2022.

    (batch, channels, *lattice, n, n) → the same.

    Args:
        channels: loops.
        dtype: of b, real, or the complex partner of that.
    """

    def __init__(
        self,
        channels: int,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        dtype = (dtype or torch.get_default_dtype()).to_real()
        self.bias = nn.Parameter(torch.empty(channels, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Set b to one: near the identity for loops of small trace."""
        nn.init.ones_(self.bias)

    def forward(self, loops: Tensor) -> Tensor:
        """Scale every loop.

        Raises:
            InputError: other numbers of channels, or matrices that are not square.
        """
        if loops.dim() < 5 or loops.shape[1] != len(self.bias):
            raise InputError(
                f"expected loops (batch, {len(self.bias)}, *lattice, n, n), got "
                f"{tuple(loops.shape)}"
            )
        factor = traces(loops).real
        bias = self.bias.reshape(-1, *(1,) * (factor.dim() - 2))
        return torch.relu(factor + bias)[..., None, None] * loops

    def extra_repr(self) -> str:
        """Channels."""
        return str(len(self.bias))
