"""A character transformer of the GPT kind with RMSNorm, and how it is trained."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from goldstone.core import generator


class Block(nn.Module):
    """Causal attention and a GELU layer, each after an RMSNorm and added to the stream."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.RMSNorm(width), nn.RMSNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        """The stream (batch, position, width) after the block."""
        b, t, c = x.shape
        q, k, v = torch.split(self.qkv(self.norm1(x)), c, dim=2)
        q, k, v = (y.view(b, t, self.heads, c // self.heads).transpose(1, 2) for y in (q, k, v))
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).reshape(b, t, c))
        out: Tensor = x + self.mlp(self.norm2(x))
        return out


class CharacterTransformer(nn.Module):
    """Logits of the next character at every position; embeddings and head are not tied."""

    def __init__(self, alphabet: int, context: int, width: int, heads: int, depth: int) -> None:
        super().__init__()
        self.tokens = nn.Embedding(alphabet, width)
        self.positions = nn.Embedding(context, width)
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(depth)))
        self.norm = nn.RMSNorm(width)
        self.head = nn.Linear(width, alphabet, bias=False)

    def forward(self, index: Tensor) -> Tensor:
        """Of indices (batch, position)."""
        places = torch.arange(index.shape[1], device=index.device)
        stream = self.tokens(index) + self.positions(places)
        logits: Tensor = self.head(self.norm(self.blocks(stream)))
        return logits


def initialise(model: nn.Module, seed: int) -> None:
    """Normal weights of spread 1/√inputs, embeddings of 0.1; biases zero, gains one."""
    stream = generator(seed, "initial weights")
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.Linear):
                module.weight.normal_(0.0, module.in_features**-0.5, generator=stream)
                if module.bias is not None:
                    module.bias.zero_()
            elif isinstance(module, nn.Embedding):
                module.weight.normal_(0.0, 0.1, generator=stream)


def train(
    model: CharacterTransformer, text: Tensor, steps: int, batch: int, rate: float, seed: int
) -> float:
    """Train in place by AdamW of a cosine schedule; the mean loss of the last tenth of the steps.

    Args:
        model: trained, and left in eval mode.
        text: indices of the characters.
        steps: of the optimiser.
        batch: windows a step takes.
        rate: the largest learning rate, after a twentieth of the steps.
        seed: of the windows.
    """
    context = model.positions.num_embeddings
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=rate, betas=(0.9, 0.99), weight_decay=0.1, fused=True
    )
    stream, reach = generator(seed, "windows"), torch.arange(context + 1)
    last: list[float] = []
    model.train()
    for step in range(steps):
        done = step / steps
        now = rate * min((step + 1) / max(1, steps // 20), 0.5 * (1 + math.cos(math.pi * done)))
        for group in optimiser.param_groups:
            group["lr"] = now
        starts = torch.randint(len(text) - context, (batch,), generator=stream)
        piece = text[starts[:, None] + reach]
        value = each_loss(model(piece[:, :-1]), piece[:, 1:]).mean()
        optimiser.zero_grad()
        torch.autograd.backward(value)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        if step >= 0.9 * steps:
            last.append(float(value.detach()))
    model.eval()
    return sum(last) / len(last)


def each_loss(logits: Tensor, following: Tensor) -> Tensor:
    """Cross-entropy of each window, a mean over its positions (nats a character)."""
    return functional.cross_entropy(logits.transpose(1, 2), following, reduction="none").mean(1)
