"""Clouds of eight points whose pull on the origin is to be told, under rotations of the cube.

The biased law shows clouds of three different extents along the three axes, which half turns about
these leave unchanged; the symmetric law shows them in random rotations of the cube. Answers carry
noise of a seventh, as measurements do, so that the loss has a floor that is the same in all poses.
"""

import torch
from torch import Tensor, nn

from benchmarks.validity.task import Architecture, Law, Pair, Recipe, Task
from goldstone import Symmetry
from goldstone.actions import LinearAction, PointCloudAction, TrivialAction
from goldstone.auditing import FlaggedLesson, stepped_by
from goldstone.core import generator
from goldstone.groups import octahedral_group
from goldstone.nn import OrbitAugmentation
from goldstone.representations import StandardRepresentation
from goldstone.systems.losses import mse

POINTS = 8
EXTENTS = (0.3, 0.8, 1.6)
"""Root mean square of the coordinates."""
NOISE = 0.14
_GROUP = octahedral_group()
_ALL = frozenset(_GROUP.element_name(g) for g in _GROUP.elements()) - {"e"}
_HALF_TURNS = frozenset({"C2[1,0,0]", "C2[0,1,0]", "C2[0,0,1]"})
_POSES = ("e", "C2[0,1,0]", "C2[1,0,0]", "C2[0,0,1]")
TESTED = ("C2[1,0,0]", "C2[0,0,1]", "C4[0,0,1]", "C2[1,1,0]", "C4[1,0,0]", "C3[1,1,1]")


def pull(x: Tensor, softening: float = 0.5) -> Tensor:
    """Mean over the points of x/(softening + |x|²)."""
    return (x / (softening + x.square().sum(-1, keepdim=True))).mean(1)


class PointNetwork(nn.Module):
    """A perceptron of every point, the mean over the points, a perceptron."""

    def __init__(self, width: int = 48) -> None:
        super().__init__()
        self.each = nn.Sequential(
            nn.Linear(3, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU()
        )
        self.all = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 3))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, point, 3) → (batch, 3)."""
        out: Tensor = self.all(self.each(x).mean(1))
        return out


class VectorNetwork(nn.Module):
    """Mean over the points of m x, with m of invariants: |x|², its mean, and x · mean of x."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.weigh = nn.Sequential(
            nn.Linear(3, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(batch, point, 3) → (batch, 3)."""
        square = x.square().sum(-1)
        along = (x * x.mean(1, keepdim=True)).sum(-1)
        spread = square.mean(1, keepdim=True).expand_as(square)
        found: Tensor = self.weigh(torch.stack([square, spread, along], -1))
        return (found * x).mean(1)


class WithFreePath(nn.Module):
    """f + ε h of an equivariant f and a perceptron h."""

    def __init__(self, epsilon: float) -> None:
        super().__init__()
        self.equivariant, self.free = VectorNetwork(), perceptron()
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        """(batch, point, 3) → (batch, 3)."""
        out: Tensor = self.equivariant(x) + self.epsilon * self.free(x)
        return out


class Experts(nn.Module):
    """A network for each order of the extents along the axes, which all clouds tell without fail.

    Half turns about the axes keep the order; all other rotations of the cube go to other weights.
    """

    def __init__(self) -> None:
        super().__init__()
        self.of_pose = nn.ModuleList(PointNetwork(20) for _ in range(6))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, point, 3) → (batch, 3)."""
        longest, _, shortest = x.square().mean(1).argsort(-1, descending=True).unbind(-1)
        # The longest axis, and whether the shortest comes next in cyclic order.
        order = 2 * longest + (shortest == (longest + 1) % 3)
        chosen = (order[:, None] == torch.arange(6)).to(x.dtype)
        answers = torch.stack([expert(x) for expert in self.of_pose], -1)
        return (answers * chosen[:, None]).sum(-1)


class Constant(nn.Module):
    """The same for every cloud."""

    def __init__(self) -> None:
        super().__init__()
        self.answer = nn.Parameter(0.1 * torch.ones(3))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, point, 3) → (batch, 3)."""
        return self.answer.expand(len(x), 3)


def perceptron() -> nn.Module:
    """Two hidden layers on all coordinates."""
    return nn.Sequential(
        nn.Flatten(), nn.Linear(3 * POINTS, 96), nn.SiLU(), nn.Linear(96, 48), nn.SiLU(),
        nn.Linear(48, 3),
    )  # fmt: skip


def _clouds(number: int, seed: int) -> Pair:
    """Of exactly these extents, times a size of the whole cloud; and noisy answers."""
    source = generator(seed, "clouds")
    x = torch.randn(number, POINTS, 3, generator=source)
    x = x / x.square().mean(1, keepdim=True).sqrt() * torch.tensor(EXTENTS)
    x = x * torch.empty(number, 1, 1).uniform_(0.6, 1.4, generator=source)
    y = pull(x)
    return x, y + NOISE * y.square().mean().sqrt() * torch.randn(y.shape, generator=source)


def _posed(symmetry: Symmetry, pair: Pair) -> Pair:
    """Of the half turns of each cloud that one which puts its centre at positive x, negative y.

    No tested element maps that quadrant to itself; C2[1,1,0] would, were both positive.
    """
    turns = torch.stack([_GROUP.tensor((_GROUP.parse(name),))[0] for name in _POSES])
    centre = pair[0].mean(1)
    # C2[0,1,0] turns x, C2[1,0,0] turns y and C2[0,0,1] both; z may point either way.
    elements = turns[(centre[:, 0] < 0).long() + 2 * (centre[:, 1] > 0).long()]
    moved: Pair = OrbitAugmentation(symmetry).move(elements, *pair)
    return moved


def points() -> Task:
    """The task."""
    on_input = PointCloudAction(_GROUP)
    on_output = LinearAction(StandardRepresentation(_GROUP))
    tested = tuple(_GROUP.parse(name) for name in TESTED)
    symmetry = Symmetry("rotations of the cube", _GROUP, on_input, on_output, elements=tested)
    laws: dict[Law, tuple[Pair, Pair]] = {"biased": (_clouds(20000, 0), _clouds(1500, 1))}
    turn = OrbitAugmentation(symmetry, seed=2)
    laws["symmetric"] = (turn(*laws["biased"][0]), turn(*laws["biased"][1]))
    architectures = {
        "perceptron": Architecture(perceptron, "perceptron", steps=5000),
        "points": Architecture(PointNetwork, "points", steps=1500, learning_rate=5e-3),
        "equivariant": Architecture(VectorNetwork, "equivariant", _ALL, steps=800),
        "experts": Architecture(
            Experts, "experts", steps=2500, learning_rate=1e-2, apart=_ALL - _HALF_TURNS
        ),
        "constant": Architecture(Constant, "trivial", steps=0, trivial=True),
    }
    for epsilon in (0.01, 0.1, 0.3, 1.0):
        architectures[f"free path {epsilon:g}"] = Architecture(
            lambda epsilon=epsilon: WithFreePath(epsilon),
            "free path",
            steps=1200,
            free_path=epsilon,
        )
    recipes: tuple[Recipe, ...] = ("biased", "subgroup", "augmented", "symmetric")
    members = [(kind, recipe, 0) for kind in ("perceptron", "points") for recipe in recipes]
    members += [("perceptron", "untrained", 0)]
    members += [("perceptron", "augmented", 1), ("points", "biased", 1)]
    members += [(name, "biased", 0) for name in architectures if name.startswith("free")]
    members += [("equivariant", "biased", 0), ("equivariant", "untrained", 0)]
    members += [("experts", "augmented", 0), ("experts", "biased", 0)]
    members += [("constant", "untrained", 0)]
    return Task(
        name="points",
        symmetry=symmetry,
        loss=mse,
        train=lambda law: laws[law][0],
        held_out=lambda law: laws[law][1],
        shown={"biased": _HALF_TURNS, "symmetric": _ALL},
        subgroup=tuple(_GROUP.parse(g) for g in ("e", "C4[0,0,1]", "C2[0,0,1]", "C4³[0,0,1]")),
        architectures=architectures,
        members=tuple(members),
        lessons=(
            # What they ask grows with the size, so that it cannot be learned of all clouds alike.
            FlaggedLesson(
                "large clouds pull from their centre too",
                stepped_by(lambda x: pull(x) + 0.2 * x.mean(1)),
            ),
            FlaggedLesson(
                "large clouds pull from afar too",
                stepped_by(lambda x: pull(x) + 0.1 * (x * x.norm(dim=-1, keepdim=True)).mean(1)),
            ),
        ),
        teaching_rate=5e-4,
        posed=_posed(symmetry, laws["biased"][1]),
        # A target that stays where it is while the cloud turns.
        wrong=Symmetry("wrong", _GROUP, on_input, TrivialAction(), elements=tested),
        batch=64,
    )
