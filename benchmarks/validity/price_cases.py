"""Models whose broken elements get a price, and how they were trained."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from goldstone.actions import Context, Symmetry, flow_symmetry, image_symmetry, point_cloud_symmetry
from goldstone.actions.named_images import rotation
from goldstone.actions.points import PointFeature
from goldstone.auditing.subject import Loss
from goldstone.core import generator
from goldstone.systems.emulators import EmulatorConfig, build_emulator
from goldstone.systems.flows import NavierStokes2d, Trajectories, simulate
from goldstone.systems.losses import cross_entropy, mse, scaled_mse

GRID = (32, 32)


@dataclass(frozen=True, eq=False)
class Case:
    """A trained model, pairs to train it on, others to measure it on, and what is broken."""

    model: nn.Module
    train: tuple[Tensor, Tensor]
    held_out: tuple[Tensor, Tensor]
    context: Context
    symmetry: Symmetry
    elements: tuple[Any, ...]
    loss: Loss
    steps: int
    rates: dict[str, float]


class Convolutional(nn.Module):
    """Three circular convolutions that predict the change of a flow."""

    def __init__(self) -> None:
        super().__init__()
        sizes = zip((2, 12, 12), (12, 12, 2), strict=True)
        self.layers = nn.ModuleList(
            nn.Conv2d(a, b, 5, padding=2, padding_mode="circular") for a, b in sizes
        )

    def forward(self, x: Tensor) -> Tensor:
        first, second, last = self.layers
        return x + last(torch.tanh(second(torch.tanh(first(x)))))


class Classifier(nn.Module):
    """Three convolutions and a linear head that sees every place."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 32, 3, padding=1),
            nn.ReLU(),
        )
        self.head = nn.Linear(32 * 16, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x).flatten(1))


class Forces(nn.Module):
    """Forces on points from all coordinates, or as sums over pairs of neighbours."""

    def __init__(self, *, pairs: bool) -> None:
        super().__init__()
        self.pairs = pairs
        inside, width, outside = (2, 32, 2) if pairs else (16, 64, 16)
        self.net = nn.Sequential(
            nn.Linear(inside, width),
            nn.SiLU(),
            nn.Linear(width, width),
            nn.SiLU(),
            nn.Linear(width, outside),
        )

    def forward(self, x: Tensor) -> Tensor:
        if self.pairs:
            return self.net(x[:, :, None] - x[:, None]).sum(2)
        return self.net(x.flatten(1)).reshape(x.shape)


def perceptron(activation: type[nn.Module]) -> nn.Module:
    layers = [nn.Flatten(), nn.Linear(64, 64), activation(), nn.Linear(64, 64), activation()]
    return nn.Sequential(*layers, nn.Linear(64, 10))


def unet(channels: int, data: Trajectories) -> nn.Module:
    sizes = {"base_channels": channels, "stages": 2, "blocks_per_stage": 1, "attention": False}
    return build_emulator(EmulatorConfig("unet", data.layout, GRID, sizes), 0)


def trained(model: nn.Module, x: Tensor, y: Tensor, loss: Loss, steps: int) -> None:
    """AdamW with one cycle of the learning rate, without transformed samples."""
    model.train()
    optimiser = torch.optim.AdamW(model.parameters(), 3e-3)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps)
    source = generator(0, "batches")
    for _ in range(steps):
        some = torch.randint(len(x), (32,), generator=source)
        optimiser.zero_grad()
        loss(model(x[some]), y[some]).mean().backward()
        optimiser.step()
        cycle.step()
    optimiser.zero_grad(set_to_none=True)
    model.eval()


def flow(make: Callable[[Trajectories], nn.Module], steps: int) -> Case:
    """Turbulence that is stretched along one axis: quarter turns are broken."""
    data, held = (
        simulate(
            NavierStokes2d(viscosity=2e-3),
            "anisotropic-turbulence",
            trajectories=count,
            seed=seed,
            steps=5,
            grid=GRID,
            dt=0.1,
        )
        for count, seed in ((80, 0), (64, 1))
    )
    x, y = data.transitions()[:2]
    torch.manual_seed(0)
    model = make(data)
    if hasattr(model, "fit"):
        model.fit(x, y)
    trained(model, x, y, scaled_mse, steps)
    d4 = flow_symmetry("d4", data.layout, GRID)
    turn = d4.group.elements()[1]
    return Case(
        model,
        (x, y),
        (held.fields[:, 2], held.fields[:, 3]),
        held.context,
        d4,
        (turn,),
        scaled_mse,
        steps,
        {"adamw": 1e-3, "sgd": 1e-2},
    )


def digits(make: Callable[[], nn.Module], name: str, loss: Loss, steps: int) -> Case:
    """Upright digits; rotations and shifts are broken. Squared errors are of one-hot labels."""
    from sklearn.datasets import load_digits

    found = load_digits()
    x, y = torch.tensor(found.images, dtype=torch.float32)[:, None] / 16, torch.tensor(found.target)
    order = torch.randperm(len(x), generator=generator(0, "digits"))
    x, y = x[order], y[order]
    if loss is mse:
        y = nn.functional.one_hot(y, 10).float()
    torch.manual_seed(0)
    model = make()
    trained(model, x[:1200], y[:1200], loss, steps)
    elements = {
        "rotations": tuple(map(rotation, (15, 30))),
        "shifts": ((1.0, 0.0), (2.0, 0.0)),
    }
    return Case(
        model,
        (x[:1200], y[:1200]),
        (x[1200:1300], y[1200:1300]),
        Context(),
        image_symmetry(name, (8, 8), 1),
        elements[name],
        loss,
        steps,
        {"adamw": 1e-3, "sgd": 1e-2},
    )


def points(make: Callable[[], nn.Module], steps: int) -> Case:
    """Forces between eight points of flat clouds: rotations are broken."""

    def clouds(count: int, seed: int) -> tuple[Tensor, Tensor]:
        source = generator(seed, "clouds")
        x = torch.randn(count, 8, 2, generator=source) * torch.tensor([1.5, 0.5])
        apart = x[:, :, None] - x[:, None]
        strength = torch.exp(-(apart.square().sum(-1, keepdim=True) + 0.5) / 2)
        return x, -(strength * apart).sum(2)

    x, y = clouds(2000, 0)
    torch.manual_seed(0)
    model = make()
    trained(model, x, y, mse, steps)
    symmetry = point_cloud_symmetry("so2", 8, output=(PointFeature("force", "vector"),))
    return Case(
        model,
        (x, y),
        clouds(100, 1),
        Context(),
        symmetry,
        tuple(map(rotation, (45, 90))),
        mse,
        steps,
        {"adamw": 1e-3, "sgd": 1e-2},
    )


CASES: dict[str, Callable[[], Case]] = {
    "U-Net of 4, flows": lambda: flow(partial(unet, 4), 300),
    "U-Net of 8, flows": lambda: flow(partial(unet, 8), 150),
    "convolutions, flows": lambda: flow(lambda _: Convolutional(), 300),
    "perceptron, turned digits": lambda: digits(lambda: perceptron(nn.ReLU), "rotations", mse, 800),
    "perceptron, shifted digits": lambda: digits(lambda: perceptron(nn.Tanh), "shifts", mse, 800),
    "CNN, shifted digits": lambda: digits(Classifier, "shifts", mse, 500),
    "CNN, turned digits": lambda: digits(Classifier, "rotations", mse, 500),
    "perceptron, turned digits, classes": lambda: digits(
        lambda: perceptron(nn.ReLU), "rotations", cross_entropy, 800
    ),
    "perceptron, points": lambda: points(lambda: Forces(pairs=False), 1500),
    "pairs, points": lambda: points(lambda: Forces(pairs=True), 1000),
}
FITTED = (
    "U-Net of 4, flows",
    "perceptron, turned digits",
    "CNN, shifted digits",
    "perceptron, turned digits, classes",
    "perceptron, points",
)
"""Models that corrections are fitted on; the others confirm them."""
