"""Positions that enter attention as differences alone, so that shifts are kept."""

import torch
from torch import Tensor, nn

from goldstone.core import InputError


class RelativeBias(nn.Module):
    """A learned number for each head and each distance, added to the scores of attention.

        bias[h, i, j] = table[h, i − j],

    the distance cut off at ±reach (Shaw et al. 2018, "Self-attention with relative position
    representations"; as a bias, Raffel et al. 2020). On a ring of T places the distance is that of
    the nearer way round, from −⌈T/2⌉ + 1 to ⌊T/2⌋: bias[i + 1, j + 1] = bias[i, j] with indices
    modulo T, exactly.

    Args:
        heads: of the attention.
        reach: the largest distance that is told apart, in places.
        ring: the sequence closes upon itself.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        InputError: no heads, or a negative reach.
    """

    def __init__(
        self,
        heads: int,
        reach: int,
        ring: bool = False,
        *,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if heads < 1 or reach < 0:
            raise InputError(f"expected heads and a reach of 0 or more, got {heads} and {reach}")
        self.heads, self.reach, self.ring = heads, reach, ring
        self.table = nn.Parameter(torch.empty(heads, 2 * reach + 1, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Zero the table: at first the distance does not matter."""
        nn.init.zeros_(self.table)

    def forward(self, length: int) -> Tensor:
        """The bias of a sequence, (head, place i, place j that is attended to)."""
        place = torch.arange(length, device=self.table.device)
        distance = place[:, None] - place
        if self.ring:
            distance = distance % length
            distance = torch.where(distance > length // 2, distance - length, distance)
        return self.table[:, distance.clamp(-self.reach, self.reach) + self.reach]

    def extra_repr(self) -> str:
        """Shown by print."""
        return f"{self.heads} heads, reach {self.reach}{', ring' if self.ring else ''}"


class RotaryPositions(nn.Module):
    """Queries and keys turned by an angle proportional to their place.

    The k-th pair of channels of place t is turned by the angle t ω_k, so that q_i·k_j depends on
    places through i − j alone (Su et al. 2021, "RoFormer", eq. 34), with ω_k = base^(−2k/d). On a
    ring of T places the frequencies are whole numbers of turns, ω_k = 2π m_k/T with m_k spread
    geometrically from 1 to T/2: only then is the last place next to the first. Nothing is learned.

    Angles are made in float64: far along a sequence float32 would lose them.

    Args:
        channels: d, of one head; even.
        base: of the frequencies of an open sequence.
        ring: the number of places of a ring, or None for an open sequence.

    Raises:
        InputError: an odd number of channels, a base of at most 1, or a ring below 2 places; at the
            call, other channels, or a sequence of another length than the ring.
    """

    def __init__(
        self,
        channels: int,
        base: float = 10_000.0,
        ring: int | None = None,
    ) -> None:
        super().__init__()
        if channels < 2 or channels % 2:
            raise InputError(
                f"expected an even number of channels in a head, to turn in pairs, got {channels}"
            )
        if base <= 1 or (ring is not None and ring < 2):
            raise InputError(
                f"expected a base above 1 and a ring of 2 places or more, got {base} and {ring}"
            )
        self.channels, self.base, self.ring = channels, base, ring
        pairs = channels // 2
        steps = torch.arange(pairs, dtype=torch.float64, device="cpu")
        if ring is None:
            frequencies = base ** (-steps / pairs)
        else:
            turns = (ring / 2) ** (steps / max(pairs - 1, 1))
            frequencies = 2 * torch.pi / ring * turns.round()
        # In float64 whatever the model's dtype; a tuple, because .to() would round a buffer.
        self._frequencies = tuple(frequencies.tolist())

    def forward(self, query: Tensor, key: Tensor) -> tuple[Tensor, Tensor]:
        """Turn both, (batch, head, place, channel)."""
        for x in (query, key):
            if x.ndim < 2 or x.shape[-1] != self.channels:
                raise InputError(
                    f"expected queries and keys (batch, head, place, {self.channels}), got "
                    f"{tuple(x.shape)}"
                )
        length = query.shape[-2]
        if self.ring is not None and length != self.ring:
            raise InputError(
                f"expected sequences around the ring of {self.ring} places, got {length}; make the "
                "positions with ring= the length, or None for sequences that do not close"
            )
        place = torch.arange(length, device=query.device, dtype=torch.float64)
        omega = torch.tensor(self._frequencies, device=query.device, dtype=torch.float64)
        angle = place[:, None] * omega
        cos, sin = angle.cos().to(query.dtype), angle.sin().to(query.dtype)
        return _turned(query, cos, sin), _turned(key, cos, sin)

    def extra_repr(self) -> str:
        """Shown by print."""
        kind = f"base {self.base:g}" if self.ring is None else f"ring of {self.ring}"
        return f"{self.channels}, {kind}"


def _turned(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """The first half of the channels are the pairs' first components."""
    first, second = x.chunk(2, -1)
    return torch.cat((first * cos - second * sin, first * sin + second * cos), -1)
