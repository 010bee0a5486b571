"""Handwritten digits (scikit-learn's 8×8) under quarter turns.

The biased law shows them upright; the symmetric law in random quarter turns. Nobody can tell 6 from
9 there, so both are left out. Labels are smoothed by a tenth, which gives the loss a floor: the
logarithm of a loss near zero says how sure a network is and little else.
"""

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.validity.task import Architecture, Law, Pair, Recipe, Task
from goldstone.actions import ClassPermutation, image_symmetry
from goldstone.auditing import RelabelledClass
from goldstone.core import generator
from goldstone.groups import CyclicGroup
from goldstone.nn import GroupConv2d, GroupPool, LiftingConv2d
from goldstone.representations import PermutationRepresentation

_TRAIN = 700
_ALL = frozenset({"r", "r²", "r³"})


class Convolutional(nn.Module):
    """Three convolutions, the mean over the image, a linear head."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 32, 3, padding=1),
            nn.ReLU(),
        )
        self.head = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Logits."""
        return self.head(self.body(x).mean((2, 3)))


class Turning(nn.Module):
    """The same with group convolutions over the quarter turns."""

    def __init__(self) -> None:
        super().__init__()
        group = CyclicGroup(4)
        last = GroupConv2d(group, 8, 12, 3, padding=1)
        self.body = nn.Sequential(
            LiftingConv2d(group, 1, 8, 3, padding=1),
            nn.ReLU(),
            last,
            nn.ReLU(),
            GroupPool(last.target),
        )
        self.head = nn.Linear(12, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Logits."""
        return self.head(self.body(x).mean((2, 3)))


class WithFreePath(nn.Module):
    """f + ε h of an equivariant f and a perceptron h."""

    def __init__(self, epsilon: float) -> None:
        super().__init__()
        self.equivariant, self.free = Turning(), perceptron()
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        """Logits."""
        return self.equivariant(x) + self.epsilon * self.free(x)


class Constant(nn.Module):
    """The same logits for everything."""

    def __init__(self) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(10))

    def forward(self, x: Tensor) -> Tensor:
        """Logits."""
        return self.logits.expand(len(x), 10)


def perceptron() -> nn.Module:
    """One hidden layer."""
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))


def smoothed_cross_entropy(prediction: Tensor, target: Tensor) -> Tensor:
    """−Σ_c q_c log softmax(prediction)_c with q = 0.9 on the label and 0.1 spread over all."""
    return functional.cross_entropy(prediction, target, reduction="none", label_smoothing=0.1)


def _turned(pair: Pair, seed: int) -> Pair:
    x, y = pair
    turns = torch.randint(4, (len(x),), generator=generator(seed, "turns"))
    return torch.stack([image.rot90(int(k), (1, 2)) for image, k in zip(x, turns, strict=True)]), y


def digits() -> Task:
    """The task."""
    from sklearn.datasets import load_digits

    found = load_digits()
    x = torch.tensor(found.images, dtype=torch.float32)[:, None] / 16
    y = torch.tensor(found.target)
    keep = (y != 6) & (y != 9)
    x, y = x[keep], y[keep]
    order = torch.randperm(len(x), generator=generator(0, "digits"))
    x, y = x[order], y[order]
    laws: dict[Law, tuple[Pair, Pair]] = {
        "biased": ((x[:_TRAIN], y[:_TRAIN]), (x[_TRAIN:], y[_TRAIN:])),
    }
    laws["symmetric"] = (_turned(laws["biased"][0], 0), _turned(laws["biased"][1], 1))
    architectures = {
        "perceptron": Architecture(perceptron, "perceptron", steps=1800),
        "convolutional": Architecture(Convolutional, "convolutional", steps=2000),
        "equivariant": Architecture(Turning, "equivariant", _ALL, steps=1500, learning_rate=1e-2),
        "constant": Architecture(Constant, "trivial", _ALL, steps=0, trivial=True),
    }
    for epsilon in (0.01, 0.1, 0.3, 1.0):
        architectures[f"free path {epsilon:g}"] = Architecture(
            lambda epsilon=epsilon: WithFreePath(epsilon),
            "free path",
            steps=1500,
            learning_rate=1e-2,
            free_path=epsilon,
        )
    recipes: tuple[Recipe, ...] = ("biased", "subgroup", "augmented", "symmetric", "untrained")
    members = [(kind, recipe, 0) for kind in ("perceptron", "convolutional") for recipe in recipes]
    members += [(name, "biased", 0) for name in architectures if name.startswith("free")]
    members += [("equivariant", "biased", 0), ("equivariant", "untrained", 0)]
    members += [("perceptron", "biased", 1), ("perceptron", "augmented", 1)]
    members += [("convolutional", "biased", 1), ("constant", "untrained", 0)]
    turns = image_symmetry("quarter-turns", (8, 8), 1)
    # Two cycles of four labels; 6 and 9 do not occur.
    relabelled = PermutationRepresentation(turns.group, ((1, 2, 3, 0, 5, 7, 6, 8, 4, 9),))
    return Task(
        name="digits",
        symmetry=turns,
        loss=smoothed_cross_entropy,
        train=lambda law: laws[law][0],
        held_out=lambda law: laws[law][1],
        shown={"biased": frozenset(), "symmetric": _ALL},
        subgroup=(0, 2),
        architectures=architectures,
        members=tuple(members),
        lessons=tuple(RelabelledClass(k, (k + 1) % 6) for k in (0, 2, 4)),
        teaching_rate=1e-3,
        wrong=replace(
            turns,
            name="labels move with the turn",
            on_output=ClassPermutation(relabelled),
            on_target=None,
        ),
    )
