"""Which further probes of an audit apply to its model, data and symmetry."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from goldstone.actions import Symmetry
from goldstone.auditing.data_symmetry import FEWEST
from goldstone.auditing.further_training import FineTuning
from goldstone.auditing.given import Data
from goldstone.auditing.memory_plan import activation_bytes
from goldstone.auditing.orbit_spectrum import LARGEST_ORDER
from goldstone.auditing.samples import Samples
from goldstone.auditing.settings import PROBES, AuditSettings, ProbeName
from goldstone.auditing.teach_once import Teaching
from goldstone.auditing.usual_lesson import usual_lesson
from goldstone.core import InputError, trees
from goldstone.groups import FiniteGroup, LieGroup
from goldstone.systems.flows import Trajectories

UNROLLED_STEPS = (1, 2, 4)
TAUGHT = Teaching(FineTuning(steps=100, batch=16, learning_rate=1e-3))
CHEAP_TEACHING = 4_000_000_000
"""Bytes of activations that all steps of a lesson go through, some seconds of a processor."""
OF_ORBITS: tuple[ProbeName, ...] = ("orbit-spectrum", "stiffness")
_OF_GRADIENTS: tuple[ProbeName, ...] = (
    *OF_ORBITS,
    "layer-coherence",
    "unrolled",
    "landscape",
    "teach-once",
)


@dataclass(frozen=True, eq=False)
class ProbeQuestion:
    """What decides which probes apply.

    Attributes:
        model, data, samples, symmetry, elements: of the audit.
        no_gradients: why the model has none, if so.
    """

    model: nn.Module
    data: Data
    samples: Samples
    symmetry: Symmetry
    elements: Sequence[Any]
    no_gradients: str


def choose_probes(
    settings: AuditSettings, asked: ProbeQuestion
) -> tuple[tuple[ProbeName, ...], dict[str, str]]:
    """The probes to run, and of ``"all"`` those that do not apply, with the reason.

    Raises:
        InputError: a probe that was asked for by name does not apply.
    """
    named = tuple(name for name in settings.probes if name != "all")
    wanted = PROBES if "all" in settings.probes else named
    reasons = {name: why_not(name, asked) for name in wanted}
    if "teach-once" in wanted and "teach-once" not in named and not reasons["teach-once"]:
        reasons["teach-once"] = _too_dear(asked)
    for name in named:
        if reasons[name]:
            raise InputError(f"the probe {name!r} does not apply: {reasons[name]}")
    return (
        tuple(name for name, reason in reasons.items() if reason is None),
        {name: reason for name, reason in reasons.items() if reason is not None},
    )


def why_not(name: ProbeName, asked: ProbeQuestion) -> str | None:
    """Why a probe cannot look at this model, data or symmetry; None if it can."""
    data, group, trajectories = asked.data, asked.symmetry.group, asked.samples.trajectories
    if name in _OF_GRADIENTS and asked.no_gradients:
        return f"there are no gradients: {asked.no_gradients}"
    if name.startswith("lie-derivative") and not isinstance(group, LieGroup):
        return f"{group.name} is no Lie group; take a continuous symmetry, such as 'translations'"
    if name == "orbit-spectrum" and not (
        isinstance(group, FiniteGroup) and group.order <= LARGEST_ORDER
    ):
        return f"{group.name} is no finite group of at most {LARGEST_ORDER} elements"
    if name == "unrolled":
        if not isinstance(data, Trajectories):
            return "the data are pairs; it needs trajectories"
        if data.fields.shape[1] <= UNROLLED_STEPS[1]:
            return f"the trajectories are shorter than {UNROLLED_STEPS[1]} steps"
    if name == "data-symmetry" and trajectories < FEWEST:
        return f"it needs {FEWEST} or more trajectories, got {trajectories}"
    if name == "teach-once":
        try:
            usual_lesson(data, asked.samples, asked.symmetry, asked.elements)
        except InputError as error:
            return str(error)
    return None


def _too_dear(asked: ProbeQuestion) -> str | None:
    """Why training is too long to be a part of ``"all"``, if it is."""
    one, _ = activation_bytes(asked.model, trees.take(asked.samples.inputs, slice(1)))
    total = one * TAUGHT.tuning.steps * TAUGHT.tuning.batch
    if total <= CHEAP_TEACHING:
        return None
    return (
        f"it trains a copy of the model for {TAUGHT.tuning.steps} steps, which is long for one of "
        f"{one / 1e6:.1f} MB of activations; ask for it by name"
    )
