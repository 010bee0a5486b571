"""Attention of the elements of one set to those of another."""

import torch
from torch import Tensor, nn

from goldstone.core import InputError
from goldstone.nn.attention import (
    attend_to_elements,
    check_heads,
    heads_apart,
    heads_together,
    reset_linear,
)
from goldstone.nn.ragged import check_sets, without_padding


class SetCrossAttention(nn.Module):
    """Multi-head attention of x_i to all z_j: y_i = O Σ_j softmax_j(q_i·k_j/√d) v_j.

    q is linear in x, k and v in z. Permutations of the x move y, those of the z change nothing:
    S_n × S_m. With learned x this pools a set into a few features (Lee et al. 2019, "Set
    transformer", §3.2); with few learned ones between it attends in time n (ibid., §3.1).

    Args:
        channels: of x and of the output.
        other_channels: of z.
        heads: a divisor of channels.
        bias: whether the maps to q, k, v and from the heads have biases.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        InputError: heads do not divide the channels, or z has no channels.
    """

    def __init__(
        self,
        channels: int,
        other_channels: int,
        heads: int,
        bias: bool = True,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_heads(channels, heads)
        if other_channels < 1:
            raise InputError(f"expected 1 or more other channels, got {other_channels}")
        self.channels, self.other_channels, self.heads = channels, other_channels, heads
        self.query = nn.Linear(channels, channels, bias, device=device, dtype=dtype)
        self.inward = nn.Linear(other_channels, 2 * channels, bias, device=device, dtype=dtype)
        self.outward = nn.Linear(channels, channels, bias, device=device, dtype=dtype)
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw weights that keep unit variance; zero the biases."""
        for layer in (self.query, self.inward, self.outward):
            reset_linear(layer, generator)

    def forward(
        self,
        x: Tensor,
        others: Tensor,
        mask: Tensor | None = None,
        other_mask: Tensor | None = None,
        allowed: Tensor | None = None,
    ) -> Tensor:
        """Map (batch, element, channel) to the same shape.

        Args:
            x: features of the elements that attend. Padded ones may hold anything.
            others: (batch, other element, other channel), of those attended to.
            mask: boolean (batch, element), True where there is an element; the output is zero
                elsewhere.
            other_mask: boolean (batch, other element).
            allowed: boolean (batch, element, other element), True where i may attend to j. Elements
                that may attend to none receive the outer bias alone.
        """
        check_sets(x, self.channels, 1, mask)
        check_sets(others, self.other_channels, 1, other_mask)
        if x.shape[0] != others.shape[0]:
            raise InputError(
                f"expected as many samples of both sets, got {x.shape[0]}, {others.shape[0]}"
            )
        x, others = without_padding(x, mask), without_padding(others, other_mask)
        query = heads_apart(self.query(x), self.heads)
        key, value = (heads_apart(z, self.heads) for z in self.inward(others).chunk(2, -1))
        found = attend_to_elements(query, key, value, other_mask, allowed)
        y: Tensor = self.outward(heads_together(found))
        return without_padding(y, mask)

    def extra_repr(self) -> str:
        """Shown by print."""
        return f"{self.channels}, {self.other_channels} others, {self.heads} heads"
