"""Data and networks of the mechanism experiment: digits shown upright, flows stretched one way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from goldstone import Symmetry
from goldstone.actions import Context, flow_symmetry, image_symmetry
from goldstone.actions.named_images import rotation
from goldstone.auditing import Samples
from goldstone.core import generator
from goldstone.systems.flows import NavierStokes2d, Trajectories, simulate
from goldstone.systems.losses import cross_entropy, scaled_mse

Pair = tuple[Tensor, Tensor]
Moves = Mapping[str, Pair]


@dataclass(frozen=True)
class Case:
    """A task in one pose, and the poses it is judged in.

    Attributes:
        name: of the case.
        build: a network with the initial weights of a seed.
        loss: per sample.
        symmetry: the group and its actions.
        elements: tested elements by name.
        roles: by name: *used* by regularisers; *between* them; *beyond* them.
        train: pairs in the one pose that is trained on.
        moved: the same pairs moved by each used element.
        wrong: the same pairs moved by something of the same kind that is no symmetry.
        held: samples that no part of training sees.
        posed: the same moved by each tested element.
        coherent: names of the tested elements whose coherences are measured.
        probed: places of 48 of them, of one trajectory each, for gradients.
        head: prefix of the names of the last layer's parameters.
        labelled: whether targets are classes.
        rate: of Adam, in batches of 64.
        enough: training loss at which a run ends.
        levels: held-out losses in the trained pose at which runs are compared.
    """

    name: str
    build: Callable[[int], nn.Module]
    loss: Callable[[Tensor, Tensor], Tensor]
    symmetry: Symmetry
    elements: Mapping[str, object]
    roles: Mapping[str, str]
    train: Pair
    moved: Moves
    wrong: Pair
    held: Samples
    posed: Moves
    coherent: tuple[str, ...]
    probed: Tensor
    head: str
    labelled: bool
    rate: float
    enough: float
    levels: tuple[float, ...]

    def named(self, *roles: str) -> list[str]:
        """Elements of some roles."""
        return [name for name, role in self.roles.items() if role in roles]


def _posed(symmetry: Symmetry, elements: Mapping[str, object], samples: Samples) -> Moves:
    now, after = samples.context, samples.context.at(1)
    return {
        name: (
            symmetry.on_input.act(g, samples.inputs, now),
            symmetry.target_action.act(g, samples.targets, after),
        )
        for name, g in elements.items()
    }


def _seeded(make: Callable[[], nn.Module]) -> Callable[[int], nn.Module]:
    def build(seed: int) -> nn.Module:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return make()

    return build


def _perceptron() -> nn.Module:
    return nn.Sequential(
        nn.Flatten(), nn.Linear(64, 40), nn.GELU(), nn.Linear(40, 40), nn.GELU(), nn.Linear(40, 10)
    )


def _convolutional() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.GELU(),
        nn.Conv2d(8, 16, 3, padding=1, stride=2),
        nn.GELU(),
        nn.Conv2d(16, 16, 3, padding=1),
        nn.GELU(),
        nn.Flatten(),
        nn.Linear(256, 10),
    )


class FlowNetwork(nn.Module):
    """Three circular convolutions that give the change of the state."""

    def __init__(self, width: int = 10) -> None:
        super().__init__()

        def convolution(before: int, after: int) -> nn.Module:
            return nn.Conv2d(before, after, 3, padding=1, padding_mode="circular")

        self.body = nn.Sequential(
            convolution(2, width), nn.GELU(), convolution(width, width), nn.GELU()
        )
        self.head = convolution(width, 2)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.head(self.body(x))


USED, BETWEEN, BEYOND = (45, 90), (22.5, 67.5), (-45, -90, 135, 180)


def digits(name: str) -> Case:
    """Upright digits, 8×8; regularisers use turns by 45° and 90°."""
    from sklearn.datasets import load_digits

    found = load_digits()
    order = torch.randperm(len(found.images), generator=generator(0, "digits"))
    x = torch.tensor(found.images, dtype=torch.float32)[order, None] / 16
    y = torch.tensor(found.target)[order]
    turns = image_symmetry("rotations", (8, 8), 1)
    roles = {f"{a:g}°": "used" for a in USED}
    roles |= {f"{a:g}°": "between" for a in BETWEEN} | {f"{a:g}°": "beyond" for a in BEYOND}
    elements = {f"{a:g}°": rotation(a) for a in (*USED, *BETWEEN, *BEYOND)}
    train, held = (x[:900], y[:900]), (x[900:], y[900:])

    used = {g: elements[g] for g in roles if roles[g] == "used"}
    samples = Samples(*held, torch.arange(len(held[0])), Context())
    pixels = torch.randperm(64, generator=generator(0, "pixels"))
    shuffled = train[0].flatten(1)[:, pixels].reshape(train[0].shape)
    perceptron = name == "perceptron"
    return Case(
        f"digits, {name}",
        _seeded(_perceptron if perceptron else _convolutional),
        cross_entropy,
        turns,
        elements,
        roles,
        train,
        _posed(turns, used, Samples(*train, torch.arange(900), Context())),
        (shuffled, train[1]),
        samples,
        _posed(turns, elements, samples),
        ("45°", "90°", "67.5°", "-90°"),
        torch.arange(48),
        head="5." if perceptron else "7.",
        labelled=True,
        rate=2e-3,
        enough=0.12,
        levels=(0.5, 0.35, 0.25),
    )


def turned_in_place(fields: Tensor) -> Tensor:
    """The grid turned by a quarter, the vectors on it not: no symmetry of a flow."""
    return fields.rot90(1, (-2, -1))


def flow() -> Case:
    """Stretched turbulence, 32×32 seen in cells of 16×16; regularisers use one quarter turn.

    The wrong action turns the grid and leaves the velocities as they are.
    """
    law = NavierStokes2d(viscosity=2e-3)

    def simulated(trajectories: int, seed: int) -> Trajectories:
        return simulate(
            law,
            "anisotropic-turbulence",
            trajectories=trajectories,
            seed=seed,
            steps=4,
            grid=(32, 32),
            dt=0.1,
        )

    def coarse(data: Trajectories) -> Tensor:
        # Means of 2×2 cells commute with D4, so that the coarse law has it too.
        states = data.fields.flatten(0, 1)
        return nn.functional.avg_pool2d(states, 2).unflatten(0, data.fields.shape[:2])

    some, other = simulated(128, 0), simulated(96, 1)
    d4 = flow_symmetry("d4", some.layout, (16, 16))
    elements = {d4.group.element_name(g): g for g in d4.group.elements()}
    roles = {"r": "used", "r³": "beyond", "sr": "beyond", "sr³": "beyond", "r²": "shown"}
    fields, tested = coarse(some), coarse(other)
    train = fields[:, :-1].flatten(0, 1), fields[:, 1:].flatten(0, 1)
    context = some.context
    held = Samples(
        tested[:, :-1:2].flatten(0, 1),
        tested[:, 1::2].flatten(0, 1),
        torch.arange(96).repeat_interleave(2),
        context,
    )
    return Case(
        "flow, convolutional",
        _seeded(FlowNetwork),
        scaled_mse,
        d4,
        {g: elements[g] for g in roles},
        roles,
        train,
        _posed(d4, {"r": elements["r"]}, Samples(*train, torch.arange(512), context)),
        (turned_in_place(train[0]), turned_in_place(train[1])),
        held,
        _posed(d4, {g: elements[g] for g in roles}, held),
        ("r", "r³"),
        2 * torch.arange(48),
        head="head.",
        labelled=False,
        rate=4e-3,
        enough=0.015,
        levels=(0.03, 0.02),
    )


CASES: dict[str, Callable[[], Case]] = {
    "digits, perceptron": lambda: digits("perceptron"),
    "digits, convolutional": lambda: digits("convolutional"),
    "flow, convolutional": flow,
}
