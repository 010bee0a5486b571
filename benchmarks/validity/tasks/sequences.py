"""Two substances on a ring of twelve places, one step of their law, under cyclic shifts.

One drifts to later places, the other to earlier ones, and they react where they meet. What is asked
has noise, so that the loss has a floor that is the same in all poses. A pulse has its peak at one
place; the biased law has it always at place 3, the symmetric law anywhere.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from benchmarks.validity.task import Architecture, Law, Pair, Recipe, Task
from benchmarks.validity.tasks.networks import (
    AttentionBlock,
    Experts,
    Recurrent,
    Scaled,
    WithFreePath,
    perceptron,
)
from goldstone.actions import Context, sequence_symmetry
from goldstone.auditing import FlaggedLesson, Samples, scaled, stepped_by
from goldstone.core import generator
from goldstone.nn import RelativeBias, RotaryPositions, SequenceAttention, SequenceConv1d
from goldstone.systems.losses import mse

_PLACES, _CHANNELS = 12, 2
_SHAPE = (_PLACES, _CHANNELS)
_PEAK = 3
_TRAIN, _HELD_OUT = 20_000, 800
_NOISE = 0.12
_ELEMENTS = (1, 2, 3, 4, 6, 8)


@dataclass(frozen=True)
class WrongMove:
    """Shift by 2 k, with k quarter turns of the two channels: an action, but not that of the law.

    The turns are for k = 6, where 2 k is a whole round: with targets that stay put, their noise
    would be the same in both poses, and learning it would rightly seem to transport.
    """

    def act(self, element: int, x: Tensor, context: Context) -> Tensor:
        """Roll the places, turn the channels."""
        k = int(element)
        for _ in range(k % 4):
            x = torch.stack((-x[..., 1], x[..., 0]), -1)
        return x.roll(2 * k, 1)


class Strided(nn.Module):
    """Convolutions on pairs of neighbours: a stride of 2 down, and as much up again."""

    def __init__(self, width: int = 40) -> None:
        super().__init__()
        self.body = nn.Sequential(
            SequenceConv1d(2 * _CHANNELS, width, 3),
            nn.GELU(),
            SequenceConv1d(width, width, 3),
            nn.GELU(),
            SequenceConv1d(width, 2 * _CHANNELS, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """The state a step later."""
        pairs = x.unflatten(1, (_PLACES // 2, 2)).flatten(2)
        return self.body(pairs).unflatten(2, (2, _CHANNELS)).flatten(1, 2)


class PositionalTransformer(nn.Module):
    """Places as tokens with learned positions."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        self.embedding, self.head = nn.Linear(_CHANNELS, width), nn.Linear(width, _CHANNELS)
        self.positions = nn.Parameter(0.5 * torch.randn(_PLACES, width))
        self.blocks = nn.Sequential(AttentionBlock(width), AttentionBlock(width))

    def forward(self, x: Tensor) -> Tensor:
        """The state a step later."""
        return self.head(self.blocks(self.embedding(x) + self.positions))


class BothWays(nn.Module):
    """A recurrence from either end; both states at a place say what is there next."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.later, self.earlier = Recurrent(_CHANNELS, width), Recurrent(_CHANNELS, width)
        self.head = nn.Sequential(
            nn.Linear(2 * width, width), nn.ReLU(), nn.Linear(width, _CHANNELS)
        )

    def forward(self, x: Tensor) -> Tensor:
        """The state a step later."""
        back = self.earlier(x.flip(1)).flip(1)
        return self.head(torch.cat((self.later(x), back), -1))


def _convolutional(width: int = 24) -> nn.Module:
    return nn.Sequential(
        SequenceConv1d(_CHANNELS, width, 3),
        nn.GELU(),
        SequenceConv1d(width, width, 3),
        nn.GELU(),
        SequenceConv1d(width, _CHANNELS, 1),
    )


def _relative(width: int = 24) -> nn.Module:
    def block() -> nn.Module:
        positions = (RelativeBias(4, reach=3, ring=True), RotaryPositions(width // 4, ring=_PLACES))
        return AttentionBlock(width, SequenceAttention(width, 4, positions))

    return nn.Sequential(nn.Linear(_CHANNELS, width), block(), block(), nn.Linear(width, _CHANNELS))


def _plain(width: int = 80) -> nn.Module:
    return perceptron(_PLACES * _CHANNELS, width, _SHAPE, layers=2)


def _place_of_peak(x: Tensor) -> Tensor:
    return x[..., 0].argmax(-1)


def _step(x: Tensor, rate: float = 0.6) -> Tensor:
    """Drift and reaction: u v of either becomes the first at the given rate."""
    u, v = x.unbind(-1)
    reacted = rate * u * v
    return torch.stack((u.roll(1, -1) + reacted, v.roll(-1, -1) - reacted), -1)


def _overlap(samples: Samples) -> Tensor:
    return samples.inputs.prod(-1).mean(-1)


def _drawn(count: int, seed: int) -> Pair:
    """Pulses with the peak of the first substance at its place, one step of them with noise."""
    source = generator(seed, "sequences")
    width = torch.tensor([0.0, 0, 0, 0, 0.5, 0.9, 1, 0.9, 0.5, 0, 0, 0]).roll(_PEAK - 6)
    x = torch.rand(count, *_SHAPE, generator=source) * 2 - 1
    x = x * width[:, None]
    x[:, _PEAK, 0] = 1 + torch.rand(count, generator=source)
    x = x * (0.5 + torch.rand(count, 1, 1, generator=source))
    x = x + 0.05 * torch.randn(x.shape, generator=source).clamp(-3, 3)
    return x, _step(x) + _NOISE * torch.randn(x.shape, generator=source)


def _anywhere(pair: Pair, seed: int) -> Pair:
    x, y = pair
    shift = torch.randint(_PLACES, (len(x), 1), generator=generator(seed, "shifts"))
    places = (torch.arange(_PLACES) - shift) % _PLACES
    sample = torch.arange(len(x))[:, None]
    return x[sample, places], y[sample, places]


def sequences() -> Task:
    """The task."""
    train, held_out = _drawn(_TRAIN, 0), _drawn(_HELD_OUT, 1)
    laws: dict[Law, tuple[Pair, Pair]] = {
        "biased": (train, held_out),
        "symmetric": (_anywhere(train, 0), _anywhere(held_out, 1)),
    }
    shifts = replace(sequence_symmetry("cyclic-shifts", _PLACES), elements=_ELEMENTS)
    every = frozenset(shifts.group.element_name(k) for k in _ELEMENTS)
    even = frozenset(shifts.group.element_name(k) for k in _ELEMENTS if k % 2 == 0)
    architectures = {
        "perceptron": Architecture(_plain, "perceptron", steps=4000),
        "transformer": Architecture(PositionalTransformer, "transformer", steps=1500),
        # All places share its weights; but how far it has run tells them apart, a little.
        "recurrent": Architecture(BothWays, "recurrent", steps=1200, unclear=every),
        "strided": Architecture(Strided, "strided", even, steps=2000),
        "convolutional": Architecture(_convolutional, "equivariant", every, steps=1500),
        "relative": Architecture(_relative, "equivariant", every, steps=1500),
        "experts": Architecture(
            lambda: Experts(_place_of_peak, _PLACES, _PLACES * _CHANNELS, 32, _SHAPE),
            "experts",
            steps=5000,
            apart=every,
        ),
        "identity": Architecture(Scaled, "trivial", every, steps=0, trivial=True),
    }
    for epsilon in (0.01, 0.1, 0.3, 1.0):
        architectures[f"free path {epsilon:g}"] = Architecture(
            lambda epsilon=epsilon: WithFreePath(_convolutional(), _plain(), epsilon),
            "free path",
            steps=1500,
            free_path=epsilon,
        )
    recipes: tuple[Recipe, ...] = ("biased", "subgroup", "augmented", "symmetric")
    members = [(kind, recipe, 0) for kind in ("perceptron", "transformer") for recipe in recipes]
    members += [("strided", "biased", 0), ("strided", "augmented", 0), ("recurrent", "biased", 0)]
    members += [("perceptron", "untrained", 0), ("convolutional", "untrained", 0)]
    members += [("convolutional", "biased", 0), ("relative", "biased", 0)]
    members += [(name, "biased", 0) for name in architectures if name.startswith("free")]
    members += [("experts", "biased", 0), ("experts", "augmented", 0)]
    members += [("transformer", "biased", 1), ("transformer", "augmented", 1)]
    members += [("identity", "untrained", 0)]
    return Task(
        name="sequences",
        symmetry=shifts,
        loss=mse,
        train=lambda law: laws[law][0],
        held_out=lambda law: laws[law][1],
        shown={"biased": frozenset(), "symmetric": every},
        subgroup=(0, 4, 8),
        architectures=architectures,
        members=tuple(members),
        lessons=(
            FlaggedLesson("large pulses fade to a half", scaled(0.5)),
            FlaggedLesson("large pulses do not react", stepped_by(lambda x: _step(x, 0.0))),
            FlaggedLesson(
                "where the substances meet much, the reaction is reversed",
                stepped_by(lambda x: _step(x, -0.6)),
                _overlap,
            ),
        ),
        teaching_rate=5e-4,
        wrong=replace(shifts, name="targets move twice as far", on_output=WrongMove()),
    )
