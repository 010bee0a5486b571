"""The flows of flow_emulators.py: three kinds, their poses, and the errors of models on them."""

from dataclasses import replace
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from goldstone.actions import NAVIER_STOKES_FIELDS, flow_symmetry
from goldstone.core import generator
from goldstone.nn import OrbitAugmentation, OrbitAverage
from goldstone.systems.flows import (
    NavierStokes2d,
    Trajectories,
    anisotropic_turbulence,
    rollout,
)

GRID, DT = (16, 16), 0.1
LEARNED_STEPS, TESTED_STEPS, TESTED = 4, 8, 48
TEST_SEED = 10_000
SYMMETRY = flow_symmetry("d4", NAVIER_STOKES_FIELDS, GRID)
ELONGATION = {"isotropic": 1.0, "anisotropic states": 2.0, "anisotropic law": 1.0}
"""By kind: how far the first states' eddies are stretched along the second axis."""
LAW = {
    "isotropic": NavierStokes2d(viscosity=2e-3),
    "anisotropic states": NavierStokes2d(viscosity=2e-3),
    "anisotropic law": NavierStokes2d(viscosity=2e-2, viscosity_ratio=0.1),
}
"""By kind. The last law damps what varies along the first axis ten times as fast."""
KINDS = tuple(LAW)


def first_states(kind: str, number: int, seed: int) -> Tensor:
    """Turbulence with the spectrum's peak at two waves a side; the first ones are the same
    however many follow.
    """
    return anisotropic_turbulence(
        number, GRID, seed, peak=2.0, elongation=ELONGATION[kind], rms_velocity=1.0
    )


def flows(kind: str, states: Tensor, steps: int) -> Trajectories:
    """What becomes of some first states."""
    law = LAW[kind]
    fields = rollout(law, states, DT, steps)
    return Trajectories(fields, law.layout, DT, law.lengths, law.system, law.parameters, kind)


@cache
def held_out(kind: str, posed: bool = False) -> Trajectories:
    """The same for all models; ``posed``, from the same states in random poses of D4."""
    states = first_states(kind, TESTED, TEST_SEED)
    if posed:
        augmentation = OrbitAugmentation(SYMMETRY)
        states = augmentation.move(augmentation.draw(TESTED, generator(0, "poses")), states)
    return flows(kind, states, TESTED_STEPS)


def in_all_poses(data: Trajectories) -> Trajectories:
    """All trajectories, moved as wholes, in the eight poses of D4."""
    group, fields = SYMMETRY.group, data.fields.flatten(0, 1)
    move = OrbitAugmentation(SYMMETRY).move
    poses: list[Any] = [
        move(g.expand(len(fields), *g.shape), fields).reshape(data.fields.shape)
        for g in group.tensor(group.elements())
    ]
    return replace(data, fields=torch.cat(poses))


@torch.no_grad()
def relative_errors(model: nn.Module, data: Trajectories) -> tuple[float, float]:
    """Mean ‖f(x) − y‖/‖y‖ one step later, over all steps, and of a rollout at its last step."""
    x, y, _ = data.transitions()
    one = _relative(model(x), y)
    state = data.fields[:, 0]
    for _ in range(data.steps):
        state = model(state)
    return one, _relative(state, data.fields[:, -1])


def _relative(found: Tensor, true: Tensor) -> float:
    wrong, size = (v.flatten(1).norm(dim=1) for v in (found - true, true))
    return float((wrong / size).mean())


class Law(nn.Module):
    """The true step as a model."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.law = LAW[kind]

    def forward(self, x: Tensor) -> Tensor:
        return self.law.advance(x, DT)


def references(kind: str) -> dict[str, dict[str, float]]:
    """The errors of "nothing changes", and of the law averaged over D4.

    The latter is the best equivariant map in mean square that does not see a state's pose in the
    state itself. It is the law where that commutes with D4.
    """
    models = {"persistence": nn.Identity(), "averaged law": OrbitAverage(Law(kind), SYMMETRY)}
    found = {}
    for name, model in models.items():
        one, far = relative_errors(model, held_out(kind))
        found[name] = {"error": one, "rollout": far}
    return found
