"""Nonlinearities and norms on vectors: what turns with the frame."""

from collections.abc import Callable
from dataclasses import replace

import torch
from architecture_choices_images import smooth_images
from architecture_choices_layers import Convolution, MaxPool, Repeat
from architecture_choices_study import Row, Study, made
from torch import Tensor, nn

from goldstone import Symmetry
from goldstone.actions import NAVIER_STOKES_FIELDS, LinearAction, flow_symmetry
from goldstone.groups import SpecialOrthogonalGroup
from goldstone.representations import StandardRepresentation

SIZE = 16


class OnVectors(nn.Module):
    """One D4-averaged kernel for both components: as free as commuting with every frame allows."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = Convolution((1, 1), isotropic=True, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.kernel(x.flatten(0, 1)[:, None])[:, 0].unflatten(0, x.shape[:2])


class Gate(nn.Module):
    """u σ(‖u‖ + b): Weiler et al. 2018; or u relu(‖u‖ − b)/‖u‖, Worrall et al. 2017."""

    def __init__(self, *, sharp: bool = False) -> None:
        super().__init__()
        self.bias, self.sharp = nn.Parameter(torch.full((1,), -0.1)), sharp

    def forward(self, x: Tensor) -> Tensor:
        size = x.norm(dim=1, keepdim=True)
        if self.sharp:
            return x * (size + self.bias).relu() / size.clamp_min(1e-12)
        return x * torch.sigmoid(size + self.bias)


class ComponentBias(nn.Module):
    """A constant for each component."""

    def __init__(self, size: float) -> None:
        super().__init__()
        self.bias = nn.Parameter(
            torch.full((2, 1, 1), size) * torch.tensor([1.0, 0.4])[:, None, None]
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.bias


class RootMeanSquare(nn.Module):
    """All divided by their root mean square."""

    def forward(self, x: Tensor) -> Tensor:
        return x / x.square().mean((1, 2, 3), keepdim=True).sqrt()


class Network(nn.Module):
    """Convolution, the choice, convolution."""

    def __init__(self, step: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.layers = nn.Sequential(OnVectors(), step(), OnVectors())

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


def rows() -> tuple[Row, ...]:
    """The architectures, and what theory says."""

    def row(name: str, expected: str, why: str, step: Callable[[], nn.Module]) -> Row:
        return Row(name, made(Network, step), expected, why)

    return (
        row("linear", "EEEEE", "one kernel for both components", nn.Identity),
        row("ReLU on components", "BBBEB", "sees signs of components; exchanges pass", nn.ReLU),
        row("GELU on components", "BBBEB", "the same", nn.GELU),
        row("tanh on components", "EEEEB", "odd: signs pass, other angles do not", nn.Tanh),
        row("gate by the norm", "EEEEE", "the norm is the same in every frame", Gate),
        row("ReLU on the norm", "EEEEE", "the same", lambda: Gate(sharp=True)),
        row("bias for components", "BBBBB", "a preferred direction", lambda: ComponentBias(0.3)),
        row("bias from zero", "SSSSS", "no direction until it is trained",
            lambda: ComponentBias(0.0)),
        row("instance norm of components", "EEEEB", "divides each component by its own size",
            lambda: nn.InstanceNorm2d(2)),
        row("layer norm of components", "EBBEB", "takes off the mean of both components, u + v",
            lambda: nn.LayerNorm((2, SIZE, SIZE), elementwise_affine=False)),
        row("root-mean-square norm", "EEEEE", "one size for both", RootMeanSquare),
        row("max pool 2 of components, repeat", "BBBEB", "the largest of −u is not minus that of u",
            lambda: nn.Sequential(MaxPool(2, 2), Repeat())),
        row("average pool 2, repeat", "EEEEE", "linear, the same for both components",
            lambda: nn.Sequential(nn.AvgPool2d(2), Repeat())),
    )  # fmt: skip


def study() -> Study:
    """D4 on grid and components together, and a turn of the frame alone by 45°."""
    d4 = flow_symmetry("d4", NAVIER_STOKES_FIELDS, (SIZE, SIZE))
    turns = SpecialOrthogonalGroup(2)
    act = LinearAction(StandardRepresentation(turns), 1)
    c = 0.5**0.5
    return Study(
        "Vectors",
        f"A vector field on a ring of {SIZE}²: grid and components turn together, and in the last "
        "column the frame of the components alone. Kernels averaged over D4, one for both "
        "components, before and after the choice.",
        smooth_images(),
        (
            replace(d4, elements=((0, 2), (0, 1), (1, 0), (1, 1))),
            Symmetry("frame", turns, act, act, elements=(((c, -c), (c, c)),)),
        ),
        ("half turn", "quarter turn", "mirror (axis)", "mirror (diagonal)", "frame 45°"),
        rows(),
    )
