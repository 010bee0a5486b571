"""One step of Navier–Stokes flows on 16×16, under the symmetries of the square.

The biased law: turbulence that is stretched along the second axis, carried by a wind along the
first. Reflections of the second axis leave it unchanged, and nothing else does. The symmetric law
shows it in random poses: isotropic on average. Every sample is a flow of its own. What is to be
told was measured with noise, so that the loss has a floor that is the same in all poses.
"""

import torch
from torch import Tensor, nn

from benchmarks.validity.task import Architecture, Law, Pair, Recipe, Task
from goldstone import Symmetry
from goldstone.actions import (
    NAVIER_STOKES_FIELDS,
    PointAction,
    ReversedVelocityAction,
    flow_symmetry,
)
from goldstone.auditing import FlaggedLesson, scaled, stepped_by
from goldstone.auditing.settings import METRICS
from goldstone.core import generator
from goldstone.groups import DihedralGroup
from goldstone.nn import OrbitAugmentation
from goldstone.systems.emulators import (
    Emulator,
    EquivariantUNet,
    UNet,
    VisionTransformer,
)
from goldstone.systems.flows import NavierStokes2d, anisotropic_turbulence
from goldstone.systems.losses import scaled_mse

GRID = (16, 16)
STEP, NOISE = 0.06, 0.08
LAW, THICK = NavierStokes2d(viscosity=2e-3), NavierStokes2d(viscosity=2e-2)
_GROUP = DihedralGroup(4)
_ALL = frozenset(_GROUP.element_name(g) for g in _GROUP.elements()[1:])
_SHOWN = frozenset({"sr²"})


class Convolutional(nn.Module):
    """Three circular convolutions."""

    def __init__(self, width: int = 12) -> None:
        super().__init__()

        def convolution(before: int, after: int, size: int) -> nn.Module:
            return nn.Conv2d(before, after, size, padding=size // 2, padding_mode="circular")

        self.layers = nn.Sequential(
            convolution(2, width, 5), nn.SiLU(),
            convolution(width, width, 5), nn.SiLU(),
            convolution(width, 2, 3),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """The change of the velocity."""
        out: Tensor = self.layers(x)
        return out


class WithFreePath(nn.Module):
    """f + ε tanh h of an equivariant f and a convolutional h.

    Bounded, since Adam would let a linear path grow until it outdoes f whatever ε is.
    """

    def __init__(self, epsilon: float) -> None:
        super().__init__()
        self.equivariant, self.free = _equivariant(), Convolutional()
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        """The change of the velocity."""
        out: Tensor = self.equivariant(x) + self.epsilon * self.free(x).tanh()
        return out


class Experts(nn.Module):
    """A network for each of the four ways along the axes that the wind may blow.

    The reflection that leaves the wind alone keeps to one network; every other element of the
    group goes to other weights.
    """

    def __init__(self) -> None:
        super().__init__()
        self.of_wind = nn.ModuleList(Convolutional(8) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        """The change of the velocity."""
        u, v = x.mean((2, 3)).unbind(1)
        along = u.abs() > v.abs()
        winds = (along & (u > 0), along & (u <= 0), ~along & (v > 0), ~along & (v <= 0))
        chosen = torch.stack(winds, -1).to(x.dtype)
        changes = torch.stack([expert(x) for expert in self.of_wind], -1)
        return (changes * chosen[:, None, None, None]).sum(-1)


class Scaled(nn.Module):
    """A number times the state: 1, which is persistence."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, 2, X, Y) → the same shape."""
        return self.factor * x


class Constant(nn.Module):
    """The same uniform flow always."""

    def __init__(self) -> None:
        super().__init__()
        self.flow = nn.Parameter(torch.tensor([0.5, 0.0])[:, None, None])

    def forward(self, x: Tensor) -> Tensor:
        """(batch, 2, X, Y) → the same shape."""
        return self.flow.expand_as(x)


def _equivariant() -> nn.Module:
    return EquivariantUNet(NAVIER_STOKES_FIELDS, copies=1, stages=1)


def _flows(number: int, seed: int) -> Tensor:
    """Of random size and wind, so that a lesson can be told by the size."""
    source = generator(seed, "flows")

    def uniform(low: float, high: float) -> Tensor:
        return torch.empty(number, 1, 1).uniform_(low, high, generator=source)

    flow = anisotropic_turbulence(number, GRID, seed, peak=2.0, elongation=2.0)
    flow = flow * uniform(0.3, 1.0)[:, None]
    wind = uniform(0.5, 1.5)
    flow[:, 0] += wind
    return flow


def _pairs(number: int, seed: int) -> Pair:
    flow = _flows(number, seed)
    noise = torch.randn(flow.shape, generator=generator(seed, "noise"))
    return flow, LAW.advance(flow, STEP) + NOISE * noise


def _emulator(network: nn.Module) -> nn.Module:
    return Emulator(NAVIER_STOKES_FIELDS, network)


def _fit(model: nn.Module, pair: Pair) -> None:
    """One scale of the states and one of their changes."""
    if isinstance(model, Emulator):
        model.fit(*pair)


def flows() -> Task:
    """The task."""
    symmetry = flow_symmetry("d4", NAVIER_STOKES_FIELDS, GRID)
    laws: dict[Law, tuple[Pair, Pair]] = {"biased": (_pairs(2000, 0), _pairs(320, 1))}
    turn = OrbitAugmentation(symmetry, seed=2)
    laws["symmetric"] = (turn(*laws["biased"][0]), turn(*laws["biased"][1]))
    makes = {
        "U-Net": lambda: UNet(2, base_channels=8, stages=1, blocks_per_stage=1, attention=False),
        "ViT": lambda: VisionTransformer(2, GRID, patch=4, width=24, heads=4, depth=2),
        "convolutional": Convolutional,
    }
    steps = {"U-Net": 500, "ViT": 1000, "convolutional": 600}
    architectures = {
        name: Architecture(lambda make=make: _emulator(make()), name, steps=steps[name], fit=_fit)
        for name, make in makes.items()
    }
    architectures |= {
        "equivariant": Architecture(
            lambda: _emulator(_equivariant()), "equivariant", _ALL, steps=400, fit=_fit
        ),
        "experts": Architecture(
            lambda: _emulator(Experts()),
            "experts",
            steps=600,
            learning_rate=1e-2,
            fit=_fit,
            apart=_ALL - _SHOWN,
        ),
        "identity": Architecture(Scaled, "trivial", _ALL, steps=0, trivial=True),
        "constant": Architecture(Constant, "trivial", steps=0, trivial=True),
    }
    for epsilon in (0.01, 0.1, 0.3, 1.0):
        architectures[f"free path {epsilon:g}"] = Architecture(
            lambda epsilon=epsilon: _emulator(WithFreePath(epsilon)),
            "free path",
            steps=400,
            fit=_fit,
            free_path=epsilon,
        )
    recipes: tuple[Recipe, ...] = ("biased", "subgroup", "augmented", "symmetric")
    members = [(kind, recipe, 0) for kind in ("U-Net", "ViT") for recipe in recipes]
    members += [("convolutional", recipe, 0) for recipe in recipes[:3]]
    members += [("ViT", "untrained", 0), ("ViT", "biased", 1), ("convolutional", "augmented", 1)]
    members += [(name, "biased", 0) for name in architectures if name.startswith("free")]
    members += [("equivariant", "biased", 0), ("equivariant", "untrained", 0)]
    members += [("experts", "augmented", 0), ("experts", "biased", 0)]
    members += [("identity", "untrained", 0), ("constant", "untrained", 0)]
    twisted = ReversedVelocityAction(
        _GROUP, NAVIER_STOKES_FIELDS, PointAction(_GROUP, NAVIER_STOKES_FIELDS)
    )
    odd = tuple(_GROUP.parse(name) for name in ("r", "r³", "sr", "sr³"))
    return Task(
        name="flows",
        symmetry=symmetry,
        loss=scaled_mse,
        train=lambda law: laws[law][0],
        held_out=lambda law: laws[law][1],
        shown={"biased": _SHOWN, "symmetric": _ALL},
        subgroup=tuple(_GROUP.parse(name) for name in ("e", "r²")),
        architectures=architectures,
        members=tuple(members),
        lessons=(
            FlaggedLesson(
                "large flows are ten times as viscous", stepped_by(lambda x: THICK.advance(x, STEP))
            ),
            FlaggedLesson("large flows grow by a quarter", scaled(1.25)),
        ),
        teaching_rate=3e-4,
        teaching_steps=400,
        # The reversal changes these four alone.
        wrong=Symmetry("reversed velocity", _GROUP, twisted, twisted, elements=odd),
        # 512 outputs a sample: their Gauss–Newton would take conjugate gradients, for minutes.
        metrics=tuple(m for m in METRICS if m != "gauss-newton"),
    )
