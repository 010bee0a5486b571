"""Networks that several tasks of the zoo share: plain ones, experts, a free path, a constant."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from goldstone.nn import SetAttention

Detector = Callable[[Tensor], Tensor]
"""The pose of each input, (batch,) whole numbers. It has no weights."""


def perceptron(inputs: int, hidden: int, outputs: tuple[int, ...], layers: int = 1) -> nn.Module:
    """Everything to everything, ``layers`` hidden layers."""
    body: list[nn.Module] = [nn.Flatten()]
    for layer in range(layers):
        body += [nn.Linear(hidden if layer else inputs, hidden), nn.ReLU()]
    numbers = int(torch.tensor(outputs).prod())
    return nn.Sequential(*body, nn.Linear(hidden, numbers), nn.Unflatten(1, outputs))


class Experts(nn.Module):
    """A perceptron for each pose, no weight in common; a fixed detector tells the pose.

    All start from the same weights, so that none is better than another by luck. Trained in every
    pose it is symmetric, but what is learned in one pose stays there.

    Args:
        detect: see above.
        poses: how many.
        inputs: numbers of an input.
        hidden: width.
        outputs: shape of an output.
    """

    def __init__(
        self, detect: Detector, poses: int, inputs: int, hidden: int, outputs: tuple[int, ...]
    ) -> None:
        super().__init__()
        self.detect = detect
        one = perceptron(inputs, hidden, outputs)
        first, last = (layer for layer in one.children() if isinstance(layer, nn.Linear))
        self.inward, self.inward_bias, self.outward, self.outward_bias = (
            nn.Parameter(weight.detach().expand(poses, *weight.shape).clone())
            for weight in (first.weight, first.bias, last.weight, last.bias)
        )
        self.shape = outputs

    def forward(self, x: Tensor) -> Tensor:
        """Output of each input's own expert."""
        pose = self.detect(x)
        h = torch.einsum("boi,bi->bo", self.inward[pose], x.flatten(1)) + self.inward_bias[pose]
        y = torch.einsum("boi,bi->bo", self.outward[pose], h.relu()) + self.outward_bias[pose]
        return y.unflatten(1, self.shape)


class WithFreePath(nn.Module):
    """f + ε h of an equivariant f and a free h."""

    def __init__(self, equivariant: nn.Module, free: nn.Module, epsilon: float) -> None:
        super().__init__()
        self.equivariant, self.free, self.epsilon = equivariant, free, epsilon

    def forward(self, x: Tensor) -> Tensor:
        """Their sum."""
        return self.equivariant(x) + self.epsilon * self.free(x)


class Constant(nn.Module):
    """The same output for everything."""

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.output = nn.Parameter(torch.zeros(shape))

    def forward(self, x: Tensor) -> Tensor:
        """The output, once for each input."""
        return self.output.expand(len(x), *self.output.shape)


class Scaled(nn.Module):
    """a x, the identity at first."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        """The input."""
        return self.factor * x


class Recurrent(nn.Module):
    """A gated recurrence along axis 1, (batch, place, channel), and the states it goes through.

    h ← h + z (tanh(W [x, h]) − h) with z = σ(V [x, h]) (Zhou et al. 2016, "Minimal gated unit").
    """

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.gate = nn.Linear(inputs + hidden, hidden)
        self.candidate = nn.Linear(inputs + hidden, hidden)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, place, hidden)."""
        h = x.new_zeros(len(x), self.hidden)
        states = []
        for place in x.unbind(1):
            seen = torch.cat((place, h), -1)
            h = h + self.gate(seen).sigmoid() * (self.candidate(seen).tanh() - h)
            states.append(h)
        return torch.stack(states, 1)


class AttentionBlock(nn.Module):
    """Attention, then a perceptron at each place, each around a residual connection."""

    def __init__(self, channels: int, attention: nn.Module | None = None) -> None:
        super().__init__()
        self.attention = attention or SetAttention(channels, heads=4)
        self.norms = nn.ModuleList(nn.LayerNorm(channels) for _ in range(2))
        self.body = nn.Sequential(
            nn.Linear(channels, 2 * channels), nn.GELU(), nn.Linear(2 * channels, channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        x = x + self.attention(self.norms[0](x))
        return x + self.body(self.norms[1](x))
