"""Networks whose symmetries the tests know."""

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional


def mlp(
    activation: nn.Module, *, norm: bool = False, widths: tuple[int, ...] = (3, 6, 5, 2)
) -> nn.Module:
    layers: list[nn.Module] = []
    for a, b in pairwise(widths[:-1]):
        layers += [nn.Linear(a, b), *([nn.LayerNorm(b)] if norm else []), activation]
    return nn.Sequential(*layers, nn.Linear(*widths[-2:]))


def cnn() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(2, 6, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 5, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(5 * 16, 3),
    )


class BasicBlock(nn.Module):
    """The residual block of ResNet-20."""

    def __init__(self, channels: int, out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, out, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or channels != out:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out)
            )

    def forward(self, x: Tensor) -> Tensor:
        out = functional.relu(self.bn1(self.conv1(x)), inplace=True)
        out = self.bn2(self.conv2(out))
        out += self.shortcut(x)
        return functional.relu(out)


class ResNet(nn.Module):
    def __init__(self, widths: tuple[int, ...] = (4, 6), depth: int = 1, classes: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, widths[0], 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(widths[0])
        blocks: list[nn.Module] = []
        channels = widths[0]
        for stage, width in enumerate(widths):
            for k in range(depth):
                blocks.append(BasicBlock(channels, width, 2 if stage and k == 0 else 1))
                channels = width
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.bn(self.conv(x)))
        return self.head(functional.adaptive_avg_pool2d(self.blocks(x), 1).flatten(1))


class GPTBlock(nn.Module):
    def __init__(
        self, width: int, heads: int, norm: type[nn.Module], hidden: int | None = None
    ) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = norm(width), norm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        hidden = hidden or 4 * width
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))

    def forward(self, x: Tensor) -> Tensor:
        b, t, c = x.shape
        q, k, v = self.qkv(self.norm1(x)).split(c, dim=2)
        q, k, v = (y.view(b, t, self.heads, c // self.heads).transpose(1, 2) for y in (q, k, v))
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).reshape(b, t, c))
        return x + self.mlp(self.norm2(x))


class GPT(nn.Module):
    def __init__(
        self,
        *,
        vocabulary: int = 11,
        context: int = 6,
        width: int = 8,
        heads: int = 2,
        depth: int = 2,
        norm: Literal["layer", "rms"] = "layer",
        tied: bool = False,
        hidden: int | None = None,
    ) -> None:
        super().__init__()
        kind = nn.LayerNorm if norm == "layer" else nn.RMSNorm
        self.tokens = nn.Embedding(vocabulary, width)
        self.positions = nn.Embedding(context, width)
        self.blocks = nn.Sequential(*(GPTBlock(width, heads, kind, hidden) for _ in range(depth)))
        self.norm = kind(width)
        self.head = nn.Linear(width, vocabulary, bias=False)
        if tied:
            self.head.weight = self.tokens.weight

    def forward(self, index: Tensor) -> Tensor:
        places = torch.arange(index.shape[1], device=index.device)
        x = self.tokens(index) + self.positions(places)
        return self.head(self.norm(self.blocks(x)))


class GroupedQueryGPT(nn.Module):
    """A block as Llama has it: no biases, RMSNorm, several queries for each key, SwiGLU."""

    def __init__(
        self,
        *,
        heads: int = 4,
        keys: int = 2,
        size: int = 4,
        width: int = 8,
        rotary: bool = False,
        normed: bool = False,
    ) -> None:
        super().__init__()
        self.heads, self.keys, self.size, self.rotary = heads, keys, size, rotary
        self.tokens = nn.Embedding(11, width)
        self.norm1, self.norm2 = nn.RMSNorm(width), nn.RMSNorm(width)
        self.q = nn.Linear(width, heads * size, bias=False)
        self.k, self.v = (nn.Linear(width, keys * size, bias=False) for _ in range(2))
        self.q_norm, self.k_norm = (nn.RMSNorm(size) if normed else nn.Identity() for _ in range(2))
        self.out = nn.Linear(heads * size, width, bias=False)
        self.gate, self.up = (nn.Linear(width, 12, bias=False) for _ in range(2))
        self.down = nn.Linear(12, width, bias=False)
        self.head = nn.Linear(width, 11, bias=False)

    def forward(self, index: Tensor) -> Tensor:
        x = self.tokens(index)
        y = self.norm1(x)
        q, k, v = (
            layer(y).unflatten(2, (-1, self.size)).transpose(1, 2)
            for layer in (self.q, self.k, self.v)
        )
        q, k = self.q_norm(q), self.k_norm(k)
        if self.rotary:
            q, k = self._turned(q), self._turned(k)
        k, v = (z.repeat_interleave(self.heads // self.keys, 1) for z in (k, v))
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).flatten(2))
        y = self.norm2(x)
        x = x + self.down(functional.silu(self.gate(y)) * self.up(y))
        return self.head(x)

    def _turned(self, x: Tensor) -> Tensor:
        half = self.size // 2
        angle = torch.outer(torch.arange(x.shape[2]), 100.0 ** (-torch.arange(half) / half))
        angle = torch.cat([angle, angle], 1).to(x)
        one, two = x.split(half, 3)
        return x * angle.cos() + torch.cat([-two, one], 3) * angle.sin()


class PlainViT(nn.Module):
    """Class token, nn.MultiheadAttention, pre-norm."""

    def __init__(self, width: int = 8, heads: int = 2, depth: int = 1, hidden: int = 12) -> None:
        super().__init__()
        self.embed = nn.Conv2d(1, width, 2, stride=2)
        self.token = nn.Parameter(0.1 * torch.randn(1, 1, width))
        self.positions = nn.Parameter(0.1 * torch.randn(1, 5, width))
        self.layers = nn.ModuleList(
            nn.ModuleDict(
                {
                    "norm1": nn.LayerNorm(width),
                    "attention": nn.MultiheadAttention(width, heads, batch_first=True),
                    "norm2": nn.LayerNorm(width),
                    "mlp": nn.Sequential(
                        nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width)
                    ),
                }
            )
            for _ in range(depth)
        )
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.embed(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], dim=1) + self.positions
        for layer in self.layers:
            y = layer["norm1"](x)
            x = x + layer["attention"](y, y, y, need_weights=False)[0]
            x = x + layer["mlp"](layer["norm2"](x))
        return self.head(self.norm(x[:, 0]))


def randomised(model: nn.Module, seed: int = 0, scale: float = 0.3) -> nn.Module:
    """Every parameter and running statistic moved away from special values such as γ = 1."""
    stream = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += scale * torch.randn(parameter.shape, generator=stream)
        for name, buffer in model.named_buffers():
            if "running" in name:
                buffer += scale * torch.rand(buffer.shape, generator=stream)
    return model
