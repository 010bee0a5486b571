"""Classifiers of images: what of shifts, turns and reflections each choice keeps."""

from collections.abc import Callable
from dataclasses import replace

import torch
from architecture_choices_layers import (
    AdaptivePolyphase,
    Blur,
    Convolution,
    MaxPool,
    Table,
    WithCoordinates,
)
from architecture_choices_study import Row, Study, made, noise
from torch import Tensor, nn

from goldstone.actions import disc_window, image_symmetry

SIZE, WIDTH, CLASSES = 16, 6, 4


class Classifier(nn.Module):
    """Convolution, ReLU, a step, convolution, ReLU, a head."""

    def __init__(
        self,
        step: Callable[[], nn.Module] = nn.Identity,
        *,
        padding: str = "circular",
        kernel: int = 3,
        stride: int = 1,
        isotropic: bool = False,
        step_first: bool = False,
        stem: nn.Module | None = None,
        head: str = "mean",
    ) -> None:
        super().__init__()
        options = {"padding": padding, "kernel": kernel, "isotropic": isotropic}
        self.stem = stem
        channels = 2 if stem is None else 4
        self.first = Convolution((channels, WIDTH), stride=stride, **options)
        middle = (step(), nn.ReLU()) if step_first else (nn.ReLU(), step())
        self.middle = nn.Sequential(*middle)
        self.second = Convolution((WIDTH, WIDTH), **options)
        self.head = head
        places = SIZE * SIZE if head == "flatten" else 1
        self.last = nn.Linear(WIDTH * places, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = x if self.stem is None else self.stem(x)
        x = self.second(self.middle(self.first(x))).relu().flatten(2)
        pooled = {"mean": x.mean(2), "max": x.amax(2), "flatten": x.flatten(1)}
        return self.last(pooled[self.head])


class MeanFirst(nn.Module):
    """Convolution, mean over the image, then all that is not linear."""

    def __init__(self) -> None:
        super().__init__()
        self.first = Convolution((2, WIDTH))
        self.rest = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, CLASSES))

    def forward(self, x: Tensor) -> Tensor:
        return self.rest(self.first(x).mean((2, 3)))


class VisionTransformer(nn.Module):
    """Patches of 4 × 4, one block of attention, mean over the patches."""

    def __init__(self, positions: float | None = None) -> None:
        super().__init__()
        tokens = (SIZE // 4) ** 2
        self.patches = nn.Conv2d(2, WIDTH, 4, 4)
        self.positions = (
            nn.Identity() if positions is None else Table(tokens, WIDTH, size=positions)
        )
        self.attention = nn.MultiheadAttention(WIDTH, 2, batch_first=True)
        self.rest = nn.Sequential(nn.Linear(WIDTH, 12), nn.GELU(), nn.Linear(12, CLASSES))

    def forward(self, x: Tensor) -> Tensor:
        x = self.positions(self.patches(x).flatten(2).mT)
        x = x + self.attention(x, x, x, need_weights=False)[0]
        return self.rest(x.relu().mean(1))


def rows() -> tuple[Row, ...]:
    """The architectures, and what theory says."""

    def row(name: str, expected: str, why: str, step: object = nn.Identity, **options: object):
        return Row(name, made(Classifier, step, **options), expected, why)

    return (
        row("circular padding", "EEEBBBB", "convolution on a ring commutes with whole shifts"),
        row("zero padding", "BBBBBBB", "the border shows where things are", padding="zeros"),
        row("reflect padding", "BBBBBBB", "so does a mirror at the border", padding="reflect"),
        row("no padding", "BBBBBBB", "what is cut off depends on the shift", padding="none"),
        row("kernel 2", "EEEBBBB", "the mean does not see a shift by half a cell", kernel=2),
        row("stride 2", "BEEBBBB", "exact for multiples of the stride", stride=2),
        row("stride 4", "BBEBBBB", "the same", stride=4),
        row("max pool 2", "BEEBBBB", "windows stay where they are", lambda: MaxPool(2, 2)),
        row("max pool 2, stride 1", "EEEBBBB", "no grid of windows", lambda: MaxPool(2, 1)),
        row(
            "max pool 2, stride 1, then blur",
            "BEEBBBB",
            "less aliasing, not none (Zhang's MaxBlurPool)",
            lambda: nn.Sequential(MaxPool(2, 1), Blur((1, 2, 1))),
        ),
        row(
            "average pool 2 after ReLU",
            "BEEBBBB",
            "a blur of two points, then every second",
            lambda: nn.AvgPool2d(2),
        ),
        row(
            "average pool 2 before ReLU",
            "BEEBBBB",
            "the same windows",
            lambda: nn.AvgPool2d(2),
            step_first=True,
        ),
        row("blur 1 2 1, stride 2", "BEEBBBB", "less aliasing", lambda: Blur((1, 2, 1))),
        row("blur 1 4 6 4 1, stride 2", "BEEBBBB", "still less", lambda: Blur((1, 4, 6, 4, 1))),
        row(
            "adaptive polyphase, stride 2",
            "EEEBBBB",
            "the grid of points that is kept moves with the image",
            AdaptivePolyphase,
        ),
        row("maximum over the image", "EEEBBBB", "any symmetric head does", head="max"),
        row("flattened head", "BBBBBBB", "a weight for every place", head="flatten"),
        Row(
            "mean before the nonlinearity",
            made(MeanFirst),
            "EEEEEEB",
            "invariant because blind: it sees the mean colour alone",
        ),
        row("coordinates appended", "BBBBBBB", "CoordConv says the place", stem=WithCoordinates()),
        row("D4-averaged kernels", "EEEBEEB", "every layer commutes with D4", isotropic=True),
        row(
            "D4-averaged, zero padding",
            "BBBBEEB",
            "the border of a square has the symmetry of the square",
            isotropic=True,
            padding="zeros",
        ),
        row(
            "D4-averaged, kernel 2",
            "EEEBEEB",
            "maps to the corners of cells, whose mean turns along",
            isotropic=True,
            kernel=2,
        ),
        row(
            "D4-averaged, stride 2",
            "BEEBBBB",
            "every second point: the turn about the centre goes to the others",
            isotropic=True,
            stride=2,
        ),
        row(
            "D4-averaged, max pool 2",
            "BEEBEEB",
            "windows of two turn about the centre onto windows",
            lambda: MaxPool(2, 2),
            isotropic=True,
        ),
        row(
            "D4-averaged, adaptive polyphase",
            "EEEBEEB",
            "turns exchange the four grids, the largest stays the largest",
            AdaptivePolyphase,
            isotropic=True,
        ),
        Row(
            "patches of 4, no positions",
            made(VisionTransformer),
            "BBEBBBB",
            "attention sees a set of patches, and patches turn inside",
        ),
        Row(
            "patches of 4, positions from zero",
            made(VisionTransformer, 0.0),
            "BBSBBBB",
            "exact until they are trained",
        ),
        Row(
            "patches of 4, learned positions",
            made(VisionTransformer, 0.2),
            "BBBBBBB",
            "a vector for every place",
        ),
    )


def smooth_images() -> Tensor:
    """Eight images of two channels, of waves up to a third of the grid's, inside a disc."""
    smooth = torch.fft.rfft2(noise(8, 2, SIZE, SIZE))
    k = torch.fft.fftfreq(SIZE, 1 / SIZE, dtype=torch.float64)
    envelope = torch.exp(-(k[:, None] ** 2 + k[: SIZE // 2 + 1] ** 2) / 18)
    images = torch.fft.irfft2(smooth * envelope, s=(SIZE, SIZE))
    return images / images.std() * disc_window((SIZE, SIZE))


def study() -> Study:
    """Shifts, quarter turn, reflection and 45° of images inside a disc."""
    size = (SIZE, SIZE)
    shifts = image_symmetry("shifts", size, 2, mode="fourier", boundary="periodic")
    turns = image_symmetry("quarter-turns", size, 2)
    mirror = image_symmetry("up-down", size, 2)
    rotations = image_symmetry("rotations", size, 2)
    eighth = next(g for g in rotations.elements if rotations.group.element_name(g) == "rot(45°)")
    return Study(
        "Classifiers of images",
        f"Images of {SIZE}², shifts that go round, an output that should not move. Convolution of "
        f"{WIDTH} channels, ReLU, the choice, convolution, ReLU, mean over the image, linear.",
        smooth_images(),
        (
            replace(shifts, elements=((1.0, 0.0), (2.0, 0.0), (4.0, 0.0), (0.5, 0.0))),
            replace(turns, elements=(1,)),
            mirror,
            replace(rotations, elements=(eighth,)),
        ),
        ("shift 1", "shift 2", "shift 4", "shift ½", "quarter turn", "reflection", "45°"),
        rows(),
    )
