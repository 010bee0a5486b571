"""Attention over the elements of a set, equivariant under their permutations."""

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


class SetAttention(nn.Module):
    """Multi-head self-attention of the elements of a set, with biases from features of pairs.

        y_i = O Σ_j softmax_j(q_i·k_j/√d + (U p_ij)_h) v_j   for each head h,

    q, k, v linear in x (Lee et al. 2019, "Set transformer"; with pairs as in Ying et al. 2021, "Do
    transformers really perform badly for graph representation?"). Commutes with permutations of the
    elements, which move the pairs p along both axes. There is no position, and so none to break.
    On a graph, attention can be kept to its edges by ``allowed``.

    At initialisation scores and values of inputs of unit variance have unit variance; averaging
    over independent values lowers that of the output, which a residual connection around the layer
    makes up for.

    Args:
        channels: of input and output.
        heads: a divisor of channels.
        pair_channels: channels of the pairs' features; 0 for none.
        bias: whether the maps to q, k, v and from the heads have biases.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        InputError: heads do not divide the channels, or pair channels are negative.
    """

    def __init__(
        self,
        channels: int,
        heads: int,
        pair_channels: int = 0,
        bias: bool = True,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_heads(channels, heads)
        if pair_channels < 0:
            raise InputError(f"expected 0 or more pair channels, got {pair_channels}")
        self.channels, self.heads, self.pair_channels = channels, heads, pair_channels
        self.inward = nn.Linear(channels, 3 * channels, bias, device=device, dtype=dtype)
        self.outward = nn.Linear(channels, channels, bias, device=device, dtype=dtype)
        self.pairs: nn.Linear | None = None
        if pair_channels:
            self.pairs = nn.Linear(pair_channels, heads, bias=False, device=device, dtype=dtype)
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw weights that keep unit variance; zero the biases."""
        for layer in (self.inward, self.outward, self.pairs):
            if layer is not None:
                reset_linear(layer, generator)

    def forward(
        self,
        x: Tensor,
        pairs: Tensor | None = None,
        mask: Tensor | None = None,
        allowed: Tensor | None = None,
    ) -> Tensor:
        """Map (batch, element, channel) to the same shape.

        Args:
            x: features of the elements. Padded ones may hold anything.
            pairs: of the pairs (i attends to j), (batch, element, element, pair channel).
            mask: boolean (batch, element), True where there is an element; the output is zero
                elsewhere.
            allowed: boolean (batch, element, element), True where i may attend to j. Elements that
                may attend to none receive the outer bias alone.
        """
        check_sets(x, self.channels, 1, mask)
        if (pairs is None) != (self.pairs is None):
            raise InputError(
                f"the layer was made with {self.pair_channels} pair channels; "
                + ("give pairs=" if pairs is None else "give pair_channels= to use pairs")
            )
        x = without_padding(x, mask)
        query, key, value = (heads_apart(y, self.heads) for y in self.inward(x).chunk(3, -1))
        bias = None
        if pairs is not None and self.pairs is not None:
            check_sets(pairs, self.pair_channels, 2, mask)
            if pairs.shape[:2] != x.shape[:2]:
                raise InputError(
                    f"expected pairs of the {x.shape[1]} elements of {x.shape[0]} sets, got "
                    f"{tuple(pairs.shape)}"
                )
            bias = self.pairs(without_padding(pairs, mask, 2)).permute(0, 3, 1, 2)
        found = attend_to_elements(query, key, value, mask, allowed, bias)
        y: Tensor = self.outward(heads_together(found))
        return without_padding(y, mask)

    def extra_repr(self) -> str:
        """Shown by print."""
        pairs = f", {self.pair_channels} pair channels" if self.pair_channels else ""
        return f"{self.channels}, {self.heads} heads{pairs}"
