"""Attention with every choice of positions and windows open."""

from math import pi

import torch
from torch import Tensor, nn

WIDTH = 8


class Sinusoids(nn.Module):
    """x + the fixed waves of Vaswani et al. 2017."""

    def forward(self, x: Tensor) -> Tensor:
        places = torch.arange(x.shape[1], dtype=x.dtype)[:, None]
        rates = 1e4 ** (-torch.arange(0, x.shape[2], 2, dtype=x.dtype) / x.shape[2])
        waves = torch.stack(((places * rates).sin(), (places * rates).cos()), -1)
        return x + waves.flatten(1)


class Bias(nn.Module):
    """A trainable number for each offset: on a line, on a ring, or for each distance on a ring."""

    def __init__(self, length: int, kind: str, size: float = 1.0) -> None:
        super().__init__()
        offsets = torch.arange(length)[:, None] - torch.arange(length)
        if kind == "line":
            offsets = offsets + length - 1
        else:
            offsets = offsets % length
        if kind == "distance":
            offsets = torch.minimum(offsets, length - offsets)
        self.register_buffer("offsets", offsets)
        self.table = nn.Parameter(size * torch.randn(int(offsets.max()) + 1))

    def forward(self) -> Tensor:
        return self.table[self.offsets]


class Rotary(nn.Module):
    """Queries and keys turned by their place (Su et al. 2021), by whole turns of a ring or not."""

    def __init__(self, width: int, ring: int | None = None) -> None:
        super().__init__()
        pairs = width // 2
        if ring is None:
            rates = 1e2 ** (-torch.arange(pairs, dtype=torch.float64) / pairs)
        else:
            rates = 2 * pi / ring * torch.arange(1, pairs + 1, dtype=torch.float64)
        self.register_buffer("rates", rates)

    def forward(self, x: Tensor) -> Tensor:
        angles = torch.arange(x.shape[1], dtype=x.dtype)[:, None] * self.rates.to(x.dtype)
        a, b = x.unflatten(2, (-1, 2)).unbind(-1)
        c, s = angles.cos(), angles.sin()
        return torch.stack((c * a - s * b, s * a + c * b), -1).flatten(2)


class Attention(nn.Module):
    """One head; ``seen`` (batch, place) says which places are no padding.

    Windows: ``blocks`` of four, ``sliding`` over the neighbours of a ring, ``near`` over those of
    a line, ``causal``.
    """

    def __init__(
        self, bias: Bias | None = None, rotary: Rotary | None = None, window: str | None = None
    ) -> None:
        super().__init__()
        self.queries, self.keys = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.values = nn.Linear(WIDTH, WIDTH)
        self.bias, self.rotary, self.window = bias, rotary, window

    def forward(self, x: Tensor, seen: Tensor | None = None) -> Tensor:
        q, k = self.queries(x), self.keys(x)
        if self.rotary is not None:
            q, k = self.rotary(q), self.rotary(k)
        # Far from uniform, so that what breaks is seen.
        logits = 3 * q @ k.mT / WIDTH**0.5
        if self.bias is not None:
            logits = logits + self.bias()
        allowed = self._allowed(x.shape[1])[None]
        if seen is not None:
            # What is padding sees itself, so that no row is empty.
            itself = torch.eye(x.shape[1], dtype=torch.bool)
            allowed = (allowed & seen[:, None, :]) | itself
        return logits.masked_fill(~allowed, -torch.inf).softmax(-1) @ self.values(x)

    def _allowed(self, length: int) -> Tensor:
        i, j = torch.arange(length)[:, None], torch.arange(length)
        masks = {
            None: torch.ones(length, length, dtype=torch.bool),
            "blocks": i // 4 == j // 4,
            "sliding": torch.minimum((i - j) % length, (j - i) % length) <= 2,
            "near": (i - j).abs() <= 2,
            "causal": i >= j,
        }
        return masks[self.window]
