"""The group elements of the paper, rightly and wrongly declared, and those that it left out."""

from dataclasses import dataclass, replace
from typing import Any, Literal

from torch import Tensor

from goldstone.actions import (
    FieldLayout,
    GalileanBoost,
    PointAction,
    PowerAction,
    ShiftAction,
    Symmetry,
)
from goldstone.groups import AdditiveGroup, DihedralGroup, GridTranslations, ScalingGroup
from goldstone.systems.flows import GroundTruth, Trajectories, ground_truth
from goldstone.systems.losses import Loss

D4 = DihedralGroup(4)
FAILING = ("r", "r³", "s", "sr²")
"""The elements that fail on Navier–Stokes in the paper; the others but e are *holding*.

Its quarter turn r maps (x, y) to (−y, x) and (u, v) to (−v, u), its reflection s maps x to −x and u
to −u, and sʲrᵏ turns first: the elements of :class:`~goldstone.groups.DihedralGroup`.
"""
HOLDING = ("r²", "sr", "sr³")
Convention = Literal["right", "swapped", "flipped"]


def element(name: str) -> tuple[int, int]:
    """The element of D4 of a name such as ``sr²``."""
    return next(g for g in D4.elements() if D4.element_name(g) == name)


def point_group(layout: FieldLayout, convention: Convention = "right") -> Symmetry:
    """D4 on flows whose vectors are declared as they are, or wrongly.

    *swapped*: the first component is taken for the one along the second axis and the second for
    that along the first. *flipped*: the second component is taken for one that points down.
    """
    axes = (1, 0) if convention == "swapped" else (0, 1)
    signs = (1, -1) if convention == "flipped" else (1, 1)
    declared = FieldLayout(
        tuple(replace(f, axes=axes, signs=signs) if f.is_vector else f for f in layout.fields)
    )
    action = PointAction(D4, declared)
    return Symmetry(f"d4, {convention}", D4, action, action)


def shifts(grid: tuple[int, int]) -> Symmetry:
    """Cyclic shifts."""
    return Symmetry("shifts", GridTranslations(grid), ShiftAction(), ShiftAction())


def boosts(layout: FieldLayout) -> Symmetry:
    """Galilean boosts."""
    action = GalileanBoost(layout)
    return Symmetry("boosts", AdditiveGroup("boost", 2, "velocity"), action, action)


def mass_scaling() -> Symmetry:
    """All densities (of mass, momentum, energy) times λ: a symmetry of the Euler equations."""
    action = PowerAction((1.0,))
    return Symmetry("mass scaling", ScalingGroup(), action, action)


def velocity_scaling() -> Symmetry:
    """U → λ u at the same Δt and ν: no symmetry of a Navier–Stokes step."""
    return Symmetry("velocity scaling", ScalingGroup(), PowerAction((1.0,)), PowerAction((1.0,)))


@dataclass(frozen=True)
class Violation:
    """How far an element is from a symmetry of the solver.

    Attributes:
        of_change: ‖Φ(gx) − gΦ(x)‖/‖Φ(x) − x‖, the mean over states.
        loss: ℓ(Φ(gx), gΦ(x)), the median over states.
    """

    of_change: float
    loss: float


def violation(
    data: Trajectories, inputs: Tensor, symmetry: Symmetry, g: Any, loss: Loss
) -> Violation:
    """The solver's own miss at one element, in float64."""
    law: GroundTruth = ground_truth(data.system, data.parameters, data.lengths)
    x, context = inputs.double(), data.context
    stepped = law.advance(x, data.dt)
    moved = symmetry.on_output.act(g, stepped, context.at(1))
    found = law.advance(symmetry.on_input.act(g, x, context), data.dt)
    gap = (found - moved).flatten(1).norm(dim=1) / (stepped - x).flatten(1).norm(dim=1)
    return Violation(float(gap.mean()), float(loss(found, moved).median()))
