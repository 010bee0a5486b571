"""Sequences whose order does not matter within windows."""

from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional

from goldstone.core import InputError
from goldstone.nn.ragged import check_sets, mean_over_elements, number_of_elements, without_padding
from goldstone.nn.sequence_convolution import SequenceConv1d, SequencePadding


class LocalPermutationConv1d(nn.Module):
    """A linear map that commutes with reorderings within windows and with shifts by whole windows.

    The sequence is cut into consecutive windows of w places, the last one perhaps shorter. With
    x̄_m the mean of window m,

        y_t = A (x_t − x̄_m) + Σ_s B_s x̄_{m−s} + b   for t in window m,

    a convolution over the means, and within windows a set layer. On a ring of M windows with a
    kernel of M these are all linear maps that commute with the wreath product S_w ≀ C_M, one for A
    and M for B (Wang, Albooyeh & Ravanbakhsh 2020, "Equivariant maps for hierarchical structures");
    with one window it is the set layer λI + γ11ᵀ. Local reorderings are those of
    ``sequence_symmetry("local-reorderings", …)``; for the idea in language see Gordon et al. 2020,
    "Permutation equivariant models for compositional generalization in language".

    At initialisation the mean square of inputs of unit variance is kept, for any window.

    Args:
        in_channels: channels of the input, the last axis.
        out_channels: of the output.
        window: w, places in a window.
        kernel_size: windows that are seen, as in :class:`SequenceConv1d`; 1 for the own one alone.
        padding: how the windows go on beyond the ends.
        bias: whether there is a bias.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        InputError: a window of less than 2 places, or what :class:`SequenceConv1d` raises; at the
            call, a ring that is no whole number of windows.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        window: int,
        kernel_size: int = 3,
        padding: SequencePadding = "zeros",
        bias: bool = True,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if window < 2:
            raise InputError(
                f"expected windows of 2 places or more, got {window}; for 1 use SequenceConv1d"
            )
        self.in_channels, self.out_channels, self.window = in_channels, out_channels, window
        self.between = SequenceConv1d(
            in_channels, out_channels, kernel_size, padding, bias=bias, device=device, dtype=dtype
        )
        self.within = nn.Parameter(
            torch.empty(out_channels, in_channels, device=device, dtype=dtype)
        )
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw weights that keep unit variance; zero the bias."""
        nn.init.normal_(self.within, std=1 / sqrt(self.in_channels), generator=generator)
        self.between.reset_parameters(generator)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Map (batch, place, in channel) to (batch, place, out channel).

        Args:
            x: features. Padded places may hold anything.
            mask: boolean (batch, place), True where there is a token; means are over tokens, and
                the output is zero elsewhere.
        """
        check_sets(x, self.in_channels, 1, mask)
        batch, length = x.shape[:2]
        missing = -length % self.window
        if missing and self.between.padding == "circular":
            raise InputError(
                f"a ring of {length} places is no whole number of windows of {self.window}, so "
                f"that shifts by windows are lost; add {missing} places to the ring, or choose "
                'padding="zeros"'
            )
        if mask is None:
            mask = torch.ones(batch, length, dtype=torch.bool, device=x.device)
        x = without_padding(x, mask)
        # All windows as one batch of sets.
        windows = (length + missing) // self.window
        cut = (batch * windows, self.window)
        flat = functional.pad(x, (0, 0, 0, missing)).reshape(*cut, self.in_channels)
        real = functional.pad(mask, (0, missing)).reshape(cut)
        count = number_of_elements(flat, real, self.window)
        means = mean_over_elements(flat, count).to(x.dtype)
        inner = functional.linear(flat - means[:, None], self.within)
        inner = inner.reshape(batch, windows, self.window, self.out_channels)
        outer = self.between(
            means.reshape(batch, windows, self.in_channels), real.any(1).reshape(batch, windows)
        )
        y = (inner + outer[:, :, None]).flatten(1, 2)[:, :length]
        return without_padding(y, mask)

    def extra_repr(self) -> str:
        """Shown by print."""
        return f"{self.in_channels}, {self.out_channels}, windows of {self.window}"
