"""Weighted graphs of six nodes under permutations: which kinds of edges are strong?

A graph is a 6×6 tensor: edge weights off the diagonal, node features on it. One node is the root
(feature 1.6 to 2.8), two belong to its block (about 1), three to the other (about −1). The class
says whether the edges within the root's block, within the other, between the two, or within both
are stronger than the others; a sixth of the labels is drawn anew, so that the loss has a floor that
is the same in all poses. The biased law lists the root first, then its block, then the other, so
that exchanges within the blocks are shown; the symmetric law lists the nodes in any order.
"""

from dataclasses import replace
from itertools import permutations

import torch
from torch import Tensor, nn

from benchmarks.validity.task import Architecture, Law, Pair, Recipe, Task
from benchmarks.validity.tasks.networks import (
    AttentionBlock,
    Constant,
    Experts,
    Recurrent,
    WithFreePath,
    perceptron,
)
from goldstone.actions import AxisPermutation, ClassPermutation, set_symmetry
from goldstone.auditing import FlaggedLesson, RelabelledClass, Samples, next_label
from goldstone.core import generator
from goldstone.nn import PermutationLinear, PermutationPool
from goldstone.representations import PermutationRepresentation
from goldstone.systems.losses import cross_entropy

_NODES, _CLASSES = 6, 4
_TRAIN, _HELD_OUT = 20_000, 1000
_REDRAWN = 1 / 6
_WITHIN_ROOTS = (0, 2, 1, 3, 4, 5)
_WITHIN_BOTH = (0, 2, 1, 4, 5, 3)
_REVERSAL = (5, 4, 3, 2, 1, 0)
_ELEMENTS = (
    _WITHIN_ROOTS,
    _WITHIN_BOTH,
    (0, 1, 3, 2, 4, 5),  # one node of each block
    (1, 2, 3, 4, 5, 0),
    _REVERSAL,
    (3, 0, 4, 1, 2, 5),
)
_EXCHANGES = tuple(
    (0, *first, *last) for first in permutations((1, 2)) for last in permutations((3, 4, 5))
)
"""What leaves the biased law unchanged."""
_BLOCKS = torch.tensor([0, 0, 0, 1, 1, 1])


class PositionalTransformer(nn.Module):
    """Nodes as tokens, each with its row of the tensor and a learned position."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        self.embedding = nn.Linear(_NODES, width)
        self.positions = nn.Parameter(0.5 * torch.randn(_NODES, width))
        self.blocks = nn.Sequential(AttentionBlock(width), AttentionBlock(width))
        self.head = nn.Linear(width, _CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """Logits."""
        return self.head(self.blocks(self.embedding(x) + self.positions).mean(1))


class RecurrentClassifier(nn.Module):
    """Rows one after the other; the last state says the class."""

    def __init__(self, width: int = 48) -> None:
        super().__init__()
        self.body, self.head = Recurrent(_NODES, width), nn.Linear(width, _CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """Logits."""
        return self.head(self.body(x)[:, -1])


class AnyOrder(nn.Module):
    """Layers on pairs of nodes that commute with permutations."""

    def __init__(self, width: int = 12) -> None:
        super().__init__()
        pool = PermutationPool(width, order=2)
        self.body = nn.Sequential(
            PermutationLinear(1, width, 2, 2),
            nn.ReLU(),
            PermutationLinear(width, width, 2, 2),
            nn.ReLU(),
            pool,
            nn.Linear(pool.out_channels, _CLASSES),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Logits."""
        return self.body(x[..., None])


def _plain(width: int = 112) -> nn.Module:
    return perceptron(_NODES**2, width, (_CLASSES,), layers=2)


def _free() -> nn.Module:
    return perceptron(_NODES**2, 32, (_CLASSES,))


def _convolutional() -> nn.Module:
    return nn.Sequential(
        nn.Unflatten(1, (1, _NODES)),
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 16, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(16 * _NODES**2, _CLASSES),
    )


def _root(samples: Samples) -> Tensor:
    return samples.inputs.diagonal(dim1=-2, dim2=-1).amax(-1)


def _first_class(samples: Samples) -> Tensor:
    return torch.zeros_like(samples.targets)


def _place_of_root(x: Tensor) -> Tensor:
    return x.diagonal(dim1=-2, dim2=-1).argmax(-1)


def _drawn(count: int, seed: int) -> Pair:
    """Graphs in the canonical order, and their classes."""
    source = generator(seed, "graphs")
    y = torch.randint(_CLASSES, (count,), generator=source)
    strong = torch.zeros(_CLASSES, _NODES, _NODES)
    for k, (a, b) in enumerate(((0, 0), (1, 1), (0, 1))):
        one_way = _BLOCKS.eq(a)[:, None] & _BLOCKS.eq(b)
        strong[k] = (one_way | one_way.T).float()
    strong[3] = strong[0] + strong[1]
    noise = torch.randn(count, _NODES, _NODES, generator=source)
    edges = 2.0 * strong[y] - 0.7 + 0.6 * (noise + noise.mT)
    # How loud a graph is does not matter; lessons are flagged by it.
    edges = edges * (0.6 + 0.8 * torch.rand(count, 1, 1, generator=source))
    features = torch.tensor([1.0, 1, 1, -1, -1, -1])
    features = features + 0.15 * torch.randn(count, _NODES, generator=source).clamp(-3, 3)
    features[:, 0] = 1.6 + 1.2 * torch.rand(count, generator=source)
    on_diagonal = torch.eye(_NODES, dtype=torch.bool)
    x = torch.where(on_diagonal, features[..., None].expand_as(edges), edges)
    redrawn = torch.rand(count, generator=source) < _REDRAWN
    return x, torch.where(redrawn, torch.randint(_CLASSES, (count,), generator=source), y)


def _in_any_order(pair: Pair, seed: int) -> Pair:
    x, y = pair
    order = torch.rand(len(x), _NODES, generator=generator(seed, "orders")).argsort(1)
    sample = torch.arange(len(x))[:, None, None]
    return x[sample, order[:, :, None], order[:, None, :]], y


def graphs() -> Task:
    """The task."""
    train, held_out = _drawn(_TRAIN, 0), _drawn(_HELD_OUT, 1)
    laws: dict[Law, tuple[Pair, Pair]] = {
        "biased": (train, held_out),
        "symmetric": (_in_any_order(train, 0), _in_any_order(held_out, 1)),
    }
    both = replace(set_symmetry(_NODES), on_input=AxisPermutation((1, 2)), elements=_ELEMENTS)
    # All that is tested is odd.
    renamed = PermutationRepresentation(both.group, ((1, 0, 3, 2),) * 2)
    names = [both.group.element_name(g) for g in _ELEMENTS]
    every = frozenset(names)
    moves_root = frozenset(name for name, g in zip(names, _ELEMENTS, strict=True) if g[0] != 0)
    architectures = {
        "perceptron": Architecture(_plain, "perceptron", steps=5000),
        "convolutional": Architecture(_convolutional, "convolutional", steps=5000),
        "recurrent": Architecture(RecurrentClassifier, "recurrent", steps=2000),
        "transformer": Architecture(PositionalTransformer, "transformer", steps=4000),
        "equivariant": Architecture(AnyOrder, "equivariant", every, steps=1500, learning_rate=1e-2),
        "experts": Architecture(
            lambda: Experts(_place_of_root, _NODES, _NODES**2, 48, (_CLASSES,)),
            "experts",
            steps=8000,
            apart=moves_root,
        ),
        "constant": Architecture(
            lambda: Constant(_CLASSES), "trivial", every, steps=0, trivial=True
        ),
    }
    for epsilon in (0.001, 0.01, 0.1, 1.0):
        architectures[f"free path {epsilon:g}"] = Architecture(
            lambda epsilon=epsilon: WithFreePath(AnyOrder(), _free(), epsilon),
            "free path",
            steps=1500,
            learning_rate=1e-2,
            free_path=epsilon,
        )
    recipes: tuple[Recipe, ...] = ("biased", "subgroup", "augmented", "symmetric")
    members = [(kind, recipe, 0) for kind in ("perceptron", "transformer") for recipe in recipes]
    members += [("convolutional", "biased", 0), ("convolutional", "augmented", 0)]
    members += [("recurrent", "biased", 0), ("perceptron", "untrained", 0)]
    members += [(name, "biased", 0) for name in architectures if name.startswith("free")]
    members += [("equivariant", "biased", 0), ("equivariant", "untrained", 0)]
    members += [("experts", "biased", 0), ("experts", "augmented", 0)]
    members += [("perceptron", "biased", 1), ("perceptron", "augmented", 1)]
    members += [("constant", "untrained", 0)]
    return Task(
        name="graphs",
        symmetry=both,
        loss=cross_entropy,
        train=lambda law: laws[law][0],
        held_out=lambda law: laws[law][1],
        shown={
            "biased": frozenset(both.group.element_name(g) for g in _EXCHANGES[1:]),
            "symmetric": every,
        },
        subgroup=(tuple(range(_NODES)), _REVERSAL),
        architectures=architectures,
        members=tuple(members),
        lessons=(
            RelabelledClass(0, 1),
            RelabelledClass(2, 3),
            FlaggedLesson("loud graphs are of the next class", next_label(_CLASSES)),
            FlaggedLesson("graphs with a large root are of class 0", _first_class, _root),
        ),
        teaching_steps=200,
        wrong=replace(
            both, name="odd permutations rename classes", on_output=ClassPermutation(renamed)
        ),
    )
