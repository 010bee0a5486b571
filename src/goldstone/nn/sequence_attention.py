"""Attention over sequences that commutes with shifts."""

import torch
from torch import Tensor, nn

from goldstone.core import InputError
from goldstone.nn.attention import (
    attend,
    check_heads,
    heads_apart,
    heads_together,
    reset_linear,
)
from goldstone.nn.ragged import check_sets, without_padding
from goldstone.nn.relative_positions import RelativeBias, RotaryPositions


class SequenceAttention(nn.Module):
    """Multi-head self-attention with relative positions, equivariant under shifts.

    With positions on a ring (``ring=``) cyclic shifts are kept exactly. On open sequences shifts
    are kept within padding: where a mask marks the tokens, moving them together along the sequence
    moves the output at the tokens, wherever they stand. Without a mask no shift of an open window
    is kept, since what enters at an end is attended to as well.

    At initialisation scores and values of inputs of unit variance have unit variance.

    Args:
        channels: of input and output.
        heads: a divisor of channels.
        positions: :class:`RelativeBias`, :class:`RotaryPositions`, both in a tuple, or None, which
            leaves attention blind to order (then :class:`SetAttention` says it plainly).
        causal: a place attends to itself and earlier ones alone.
        bias: whether the maps to q, k, v and from the heads have biases.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        InputError: heads do not divide the channels; positions of other heads; or a causal ring,
            on which nothing is earlier.
    """

    def __init__(
        self,
        channels: int,
        heads: int,
        positions: RelativeBias | RotaryPositions | tuple[nn.Module, ...] | None,
        causal: bool = False,
        bias: bool = True,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        check_heads(channels, heads)
        given = positions if isinstance(positions, tuple) else (positions,) if positions else ()
        self.relative_bias: RelativeBias | None = None
        self.rotary: RotaryPositions | None = None
        for module in given:
            if isinstance(module, RelativeBias) and self.relative_bias is None:
                self.relative_bias = module
            elif isinstance(module, RotaryPositions) and self.rotary is None:
                self.rotary = module
            else:
                raise InputError(
                    "expected positions as at most one RelativeBias and one RotaryPositions, got "
                    f"{type(module).__name__}; absolute positions added to the input break shifts"
                )
        if self.relative_bias is not None and self.relative_bias.heads != heads:
            raise InputError(
                f"expected a RelativeBias of {heads} heads, got {self.relative_bias.heads}"
            )
        if self.rotary is not None and self.rotary.channels != channels // heads:
            raise InputError(
                f"expected RotaryPositions of the {channels // heads} channels of a head, got "
                f"{self.rotary.channels}"
            )
        rings = {bool(getattr(module, "ring", None)) for module in given}
        if len(rings) > 1 or (causal and True in rings):
            raise InputError(
                "on a ring no place is earlier than another, so that causal attention breaks "
                "cyclic shifts; give ring to all positions and causal=False, or to none"
            )
        self.channels, self.heads, self.causal = channels, heads, causal
        self.inward = nn.Linear(channels, 3 * channels, bias, device=device, dtype=dtype)
        self.outward = nn.Linear(channels, channels, bias, device=device, dtype=dtype)
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw weights that keep unit variance; zero the biases and the table of distances."""
        reset_linear(self.inward, generator)
        reset_linear(self.outward, generator)
        if self.relative_bias is not None:
            self.relative_bias.reset_parameters(generator)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Map (batch, place, channel) to the same shape.

        Args:
            x: features. Padded places may hold anything.
            mask: boolean (batch, place), True where there is a token; the output is zero elsewhere.
        """
        check_sets(x, self.channels, 1, mask)
        x = without_padding(x, mask)
        query, key, value = (heads_apart(y, self.heads) for y in self.inward(x).chunk(3, -1))
        if self.rotary is not None:
            query, key = self.rotary(query, key)
        allowed = None if mask is None else mask[:, None, None, :]
        if self.causal:
            length = x.shape[1]
            earlier = torch.ones(length, length, dtype=torch.bool, device=x.device).tril()
            allowed = earlier if allowed is None else allowed & earlier
        bias = None if self.relative_bias is None else self.relative_bias(x.shape[1])
        y: Tensor = self.outward(heads_together(attend(query, key, value, allowed, bias)))
        return without_padding(y, mask)

    def extra_repr(self) -> str:
        """Shown by print."""
        return f"{self.channels}, {self.heads} heads{', causal' if self.causal else ''}"
