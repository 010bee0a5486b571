"""Networks of equal numbers of parameters for rotated digits.

Three convolutions with batch normalisation and ReLU, the first two blurred and every second point
kept; maximum over the group, mean over the image; a perceptron on what is invariant. A window of
four keeps the centre of an even grid, so quarter turns are exact. Maxima over the grid in place of
blur and mean lose much of what C8 and C16 have more than C4: the networks "with maxima".
"""

import itertools
from collections.abc import Callable
from functools import partial

from torch import nn

from goldstone.groups import CyclicGroup, DihedralGroup, PointGroup
from goldstone.nn import (
    BlurPool2d,
    GroupConv2d,
    GroupPool,
    LiftingConv2d,
    OrbitBatchNorm2d,
    PointwiseActivation,
    Restricted,
)
from goldstone.representations import Representation

CLASSES, HIDDEN = 10, 48


def plain(width: int, kernel: int) -> nn.Module:
    """An ordinary CNN with ``width`` channels, twice as many in the deeper layers."""
    sizes = (1, width, 2 * width, 2 * width)
    blocks = [
        nn.Sequential(
            nn.Conv2d(before, after, kernel, padding=kernel // 2),
            nn.BatchNorm2d(after),
            nn.ReLU(),
        )
        for before, after in itertools.pairwise(sizes)
    ]
    return _network(blocks, nn.Identity(), 2 * width)


def equivariant(group: PointGroup, width: int, kernel: int) -> nn.Module:
    """The same with ``width`` fields on the group, twice as many in the deeper layers."""
    layers = [
        LiftingConv2d(group, 1, width, kernel, padding_mode="zeros"),
        GroupConv2d(group, width, 2 * width, kernel, padding_mode="zeros"),
        GroupConv2d(group, 2 * width, 2 * width, kernel, padding_mode="zeros"),
    ]
    return _network([_block(x) for x in layers], GroupPool(layers[-1].target), 2 * width)


def restricted(whole: DihedralGroup, part: CyclicGroup, width: int, kernel: int) -> nn.Module:
    """Two layers with the symmetry of ``whole``, then one with that of its subgroup ``part``.

    (Weiler & Cesa 2019, "General E(2)-equivariant steerable CNNs", §2.6: a group restriction.)
    """
    first = LiftingConv2d(whole, 1, width, kernel, padding_mode="zeros")
    second = GroupConv2d(whole, width, 2 * width, kernel, padding_mode="zeros")
    cosets = whole.order // part.order
    last = GroupConv2d(part, 2 * width * cosets, 2 * width, kernel, padding_mode="zeros")
    blocks = [_block(first), _block(second, Restricted(second.target, part)), _block(last)]
    return _network(blocks, GroupPool(last.target), 2 * width)


def _block(layer: nn.Module, *more: nn.Module) -> nn.Sequential:
    target: Representation = layer.target
    return nn.Sequential(layer, OrbitBatchNorm2d(target), PointwiseActivation(target), *more)


def _network(blocks: list[nn.Module], pool: nn.Module, features: int) -> nn.Module:
    first, second, third = blocks
    blur, again = (BlurPool2d(2, padding_mode="reflect") for _ in range(2))
    return nn.Sequential(
        first, blur, second, again, third, pool, nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(features, HIDDEN), nn.BatchNorm1d(HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, CLASSES),
    )  # fmt: skip


def _with_maxima(make: Callable[[int, int], nn.Module], width: int, kernel: int) -> nn.Module:
    """The same network with maxima over the grid where it blurs and averages."""
    model = make(width, kernel)
    for name, layer in model.named_children():
        if isinstance(layer, BlurPool2d):
            setattr(model, name, nn.MaxPool2d(2))
        elif isinstance(layer, nn.AdaptiveAvgPool2d):
            setattr(model, name, nn.AdaptiveMaxPool2d(1))
    return model


MAKERS: dict[str, Callable[[int, int], nn.Module]] = {
    "plain": plain,
    "augmented": plain,
    "p4": lambda width, kernel: equivariant(CyclicGroup(4), width, kernel),
    "p4 augmented": lambda width, kernel: equivariant(CyclicGroup(4), width, kernel),
    "C8": lambda width, kernel: equivariant(CyclicGroup(8), width, kernel),
    "C16": lambda width, kernel: equivariant(CyclicGroup(16), width, kernel),
    "C16 augmented": lambda width, kernel: equivariant(CyclicGroup(16), width, kernel),
    "D16→C16": lambda width, kernel: restricted(DihedralGroup(16), CyclicGroup(16), width, kernel),
}
"""By name: from width and kernel size to a network."""
MAKERS |= {
    f"{name} with maxima": partial(_with_maxima, MAKERS[name])
    for name in ("plain", "augmented", "C8")
}


def augmented(name: str) -> bool:
    """Whether a network of this name is trained on inputs turned at random."""
    return "augmented" in name


def parameters(model: nn.Module) -> int:
    """Number of trainable numbers."""
    return sum(p.numel() for p in model.parameters())


def width_for(name: str, kernel: int, wanted: int) -> int:
    """The width whose number of parameters is nearest to the wanted one."""
    make = MAKERS[name]
    low, high = 1, 2
    while parameters(make(high, kernel)) < wanted:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if parameters(make(middle, kernel)) < wanted:
            low = middle
        else:
            high = middle
    return min((low, high), key=lambda w: abs(parameters(make(w, kernel)) - wanted))
