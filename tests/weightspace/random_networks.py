"""Networks drawn at random from many operations, to look for symmetries that are none."""

from collections.abc import Callable
from random import Random
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

Step = Callable[[Any, Tensor, list[Tensor]], Tensor]
"""Of the network (which may be a copy), the last result and all results."""

POINTWISE: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": functional.relu,
    "tanh": torch.tanh,
    "gelu": functional.gelu,
    "square": lambda x: x * x,
    "softmax": lambda x: x.softmax(-1),
    "flip": lambda x: x.flip(-1),
    "running sum": lambda x: x.cumsum(-1),
    "centre": lambda x: x - x.mean(-1, keepdim=True),
    "normalise": lambda x: functional.normalize(x, dim=-1),
}
"""Of any width, which they keep."""

EVEN: dict[str, Callable[[Tensor], Tensor]] = {
    "shuffle": lambda x: _heads(x).transpose(1, 2).flatten(1),
    "attend": lambda x: (torch.softmax(_heads(x) @ _heads(x).mT, -1) @ _heads(x)).flatten(1),
    "gate": functional.glu,
    "product of halves": lambda x: x.chunk(2, -1)[0] * x.chunk(2, -1)[1],
    "sum of heads": lambda x: _heads(x).sum(1),
    "largest of heads": lambda x: _heads(x).amax(1),
    "heads and their mean": lambda x: (_heads(x) + _heads(x).mean(1, keepdim=True)).flatten(1),
    "halves exchanged": lambda x: torch.cat(x.chunk(2, -1)[::-1], -1),
    "norm of heads": lambda x: functional.normalize(_heads(x), dim=-1).flatten(1),
}
"""Of even width."""

SMALL: dict[str, Callable[[Tensor], Tensor]] = {
    "repeat": lambda x: x.repeat_interleave(2, -1),
    "join": lambda x: torch.cat([x, x.tanh()], -1),
    "stack": lambda x: torch.stack([x, functional.relu(x)], 1).flatten(1),
    "outer": lambda x: (x[:, :4, None] * x[:, None, :2]).flatten(1),
}
"""Those that widen."""


class RandomNetwork(nn.Module):
    """Five to nine operations in a row, some of which read earlier results."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        random = Random(seed)
        torch.manual_seed(seed)
        self.parts = nn.ModuleList()
        self.gains = nn.ParameterList()
        self.names: list[str] = []
        self.steps: list[Step] = []
        seen = [torch.randn(5, 6)]
        for _ in range(random.randint(5, 9)):
            name, step = self._drawn(random, seen)
            seen.append(step(self, seen[-1], seen))
            self.names.append(name)
            self.steps.append(step)
        self.last = nn.Linear(seen[-1].shape[-1], 3)

    def forward(self, x: Tensor) -> Any:
        seen = [x]
        for step in self.steps:
            seen.append(step(self, seen[-1], seen))
        return self.last(seen[-1])

    def _drawn(self, random: Random, seen: list[Tensor]) -> tuple[str, Step]:
        n = seen[-1].shape[-1]
        kinds = ["layer"] * 3 + ["pointwise", "norm", "parameter", "earlier"]
        kinds += ["even"] * (n % 2 == 0 and n >= 4) + ["widen"] * (n <= 8)
        kind = random.choice(kinds)
        if kind == "layer":
            return self._layer(random, n)
        if kind == "norm":
            norms = (nn.LayerNorm, nn.RMSNorm, nn.BatchNorm1d)
            return self._part(random.choice(norms)(n))
        if kind == "parameter":
            gain = len(self.gains)
            self.gains.append(nn.Parameter(torch.randn(n)))
            if random.random() < 0.5:
                return "gain", lambda net, x, _: x * net.gains[gain]
            return "offset", lambda net, x, _: x + net.gains[gain]
        if kind == "earlier":
            place = random.randrange(len(seen))
            if seen[place].shape[-1] == n:
                if random.random() < 0.5:
                    return "skip", lambda _, x, all_seen: x + all_seen[place]
                return "product", lambda _, x, all_seen: x * all_seen[place]
            return "concatenate", lambda _, x, all_seen: torch.cat([x, all_seen[place]], -1)
        table = {"pointwise": POINTWISE, "even": EVEN, "widen": SMALL}[kind]
        name = random.choice(list(table))
        return name, lambda _, x, __: table[name](x)

    def _layer(self, random: Random, n: int) -> tuple[str, Step]:
        if n % 2 == 0 and random.random() < 0.2:
            name, step = self._part(nn.Conv1d(n, 8, 1, groups=2))
            return name, lambda net, x, seen: step(net, x[..., None], seen)[..., 0]
        same = [i for i, part in enumerate(self.parts) if isinstance(part, nn.Linear)]
        same = [i for i in same if self.parts[i].out_features == n]
        if same and random.random() < 0.3:
            i = random.choice(same)
            return "transposed", lambda net, x, _: functional.linear(x, net.parts[i].weight.t())
        return self._part(nn.Linear(n, random.choice([4, 6, 8]), bias=random.random() < 0.7))

    def _part(self, part: nn.Module) -> tuple[str, Step]:
        place = len(self.parts)
        self.parts.append(part)
        return type(part).__name__, lambda net, x, _: net.parts[place](x)


def _heads(x: Tensor) -> Tensor:
    return x.unflatten(-1, (2, -1))
