"""New links from loops."""

import torch
from torch import Tensor, nn

from goldstone.core import InputError
from goldstone.nn.gauge.transport import check_loops, lattice_axes


class GaugeLinkUpdate(nn.Module):
    """U′_{x,μ} = exp(Σ_i β_{μi} [W_{x,i}]) U_{x,μ}, [W] = (W − W†)/2 without its trace.

    The exponent is in the Lie algebra and turns with Ω_x, so that U′ is a link as U is: in the
    group, and with U′ ↦ Ω_x U′ Ω†_{x+μ}. The layer L-Exp of Favoni et al. 2022; with plaquettes as
    W and all planes alike, a step of gradient flow.

    (links (batch, axis, *lattice, n, n), loops (batch, channels, *lattice, n, n)) → links, complex.

    Args:
        axes: of the lattice.
        channels: loops.
        special: links of determinant one, SU(n); False for U(n), where the trace stays.
        device: of β.
        dtype: of β, real, or the complex partner of that.

    Raises:
        InputError: a number is below one; at the call, SU(1), which has no directions.
    """

    def __init__(
        self,
        axes: int,
        channels: int,
        special: bool = True,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if min(axes, channels) < 1:
            raise InputError(f"expected axes and channels of at least 1, got {axes}, {channels}")
        self.axes, self.channels, self.special = axes, channels, special
        dtype = (dtype or torch.get_default_dtype()).to_real()
        self.weight = nn.Parameter(torch.empty(axes, channels, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Set β to zero: links stay as they are at first."""
        nn.init.zeros_(self.weight)

    def forward(self, links: Tensor, loops: Tensor) -> Tensor:
        """Turn the links.

        Raises:
            InputError: links and loops do not fit each other or this layer.
        """
        check_loops(links, loops, self.channels)
        if lattice_axes(links) != self.axes:
            raise InputError(
                f"expected links of a lattice of {self.axes} axes, got {tuple(links.shape)}"
            )
        n = links.shape[-1]
        if self.special and n == 1:
            raise InputError(
                "expected links of SU(n), n > 1, got 1×1 matrices; give special=False for U(1)"
            )
        skew = (loops - loops.mH) / 2
        if self.special:
            one = torch.eye(n, dtype=skew.dtype, device=skew.device)
            trace = skew.diagonal(dim1=-2, dim2=-1).mean(-1)
            skew = skew - trace[..., None, None] * one
        directions = torch.einsum("mc,bc...->bm...", self.weight.to(skew.dtype), skew)
        # matrix_exp views its argument.
        turns: Tensor = torch.linalg.matrix_exp(directions.contiguous())
        return turns @ links

    def extra_repr(self) -> str:
        """Sizes."""
        return f"{self.axes}, {self.channels}{'' if self.special else ', special=False'}"
