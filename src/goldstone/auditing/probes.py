"""The further probes of an audit: which apply here, and running those asked for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import nn

from goldstone.actions import Symmetry
from goldstone.auditing.clock import Clock
from goldstone.auditing.data_symmetry import FEWEST, data_symmetry
from goldstone.auditing.direction_frame import directions_of
from goldstone.auditing.equivariance_error import equivariance_errors
from goldstone.auditing.further_training import FineTuning
from goldstone.auditing.given import Data
from goldstone.auditing.layer_coherence import measure_layer_coherence
from goldstone.auditing.lie_derivative import lie_derivative
from goldstone.auditing.lie_derivative_by_layer import lie_derivative_by_layer
from goldstone.auditing.loss_landscape import loss_landscape
from goldstone.auditing.memory_plan import activation_bytes
from goldstone.auditing.orbit_gram import orbit_gram
from goldstone.auditing.orbit_metrics import Metric, metric_over_orbit
from goldstone.auditing.orbit_spectrum import LARGEST_ORDER, listed_group, orbit_spectrum
from goldstone.auditing.probe_results import ProbeResults
from goldstone.auditing.samples import Samples
from goldstone.auditing.settings import PROBES, AuditSettings, ProbeName
from goldstone.auditing.stiffness import stiffness
from goldstone.auditing.subject import Subject
from goldstone.auditing.teach_once import Teaching, teach_once
from goldstone.auditing.unrolled import unrolled_coherence
from goldstone.auditing.usual_lesson import usual_lesson
from goldstone.core import InputError, Progress, trees
from goldstone.core.trees import Tree
from goldstone.groups import FiniteGroup, LieGroup
from goldstone.systems.flows import Trajectories

UNROLLED_STEPS = (1, 2, 4)
TAUGHT = Teaching(FineTuning(steps=100, batch=16, learning_rate=1e-3))
CHEAP_TEACHING = 4_000_000_000
"""Bytes of activations that all steps of a lesson go through, some seconds of a processor."""
_OF_ORBITS: tuple[ProbeName, ...] = ("orbit-spectrum", "stiffness")
_OF_GRADIENTS: tuple[ProbeName, ...] = (
    *_OF_ORBITS,
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


@dataclass(frozen=True, eq=False)
class ProbeInputs:
    """What the probes look at: ``subject`` on the forward samples, ``few`` on the gradient ones."""

    subject: Subject
    few: Subject
    symmetry: Symmetry
    elements: Sequence[Any]
    data: Data
    metric: Metric
    progress: Progress
    optimiser: Mapping[str, Any] | None = None


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
        return f"{group.name} is no Lie group; take a continuous symmetry, such as 'shifts'"
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


def run_probes(
    chosen: Sequence[ProbeName], left_out: Mapping[str, str], given: ProbeInputs, clock: Clock
) -> tuple[ProbeResults, dict[str, int]]:
    """Their results, and how many gradients each took."""
    results = ProbeResults(left_out=left_out)
    gradients: dict[str, int] = {}
    if not chosen:
        return results, gradients
    orbit = given.few.samples.trajectories * (len(given.elements) + 1)
    with given.progress.task("further probes", len(chosen)) as task:
        for name, measure in _MEASURES.items():
            if name in chosen:
                with clock.measure(name):
                    results = replace(results, **{name.replace("-", "_"): measure(given)})
                task.advance()
        of_orbits = [name for name in _OF_ORBITS if name in chosen]
        if of_orbits:
            with clock.measure("orbit gradients"):
                results, taken = _measure_orbits(results, of_orbits, given)
            gradients["orbits"] = taken
            task.advance(len(of_orbits))
    times = {"layer-coherence": 1, "landscape": 1, "unrolled": len(results.unrolled)}
    gradients |= {name: orbit * k for name, k in times.items() if name in chosen}
    return results, gradients


def _measure_orbits(
    results: ProbeResults, chosen: Sequence[ProbeName], given: ProbeInputs
) -> tuple[ProbeResults, int]:
    """What the products of gradients at all pairs of poses say, each gradient taken once."""
    few, symmetry, elements, group = given.few, given.symmetry, given.elements, None
    if "orbit-spectrum" in chosen:
        group = listed_group(symmetry.group)
        elements = [g for g in group.elements() if g != group.identity]
    gram = orbit_gram(few, symmetry, elements, few.settings.memory, given.progress)
    if group is not None:
        results = replace(results, orbit_spectrum=orbit_spectrum(gram, group, few.bootstrap))
    if "stiffness" in chosen:
        results = replace(results, stiffness=stiffness(gram, few))
    return results, gram.n * len(gram.elements)


def _equivariance(given: ProbeInputs) -> Any:
    samples, settings = given.subject.samples, given.subject.settings
    steps = settings.rollout_steps
    return equivariance_errors(
        given.subject.model,
        samples.inputs,
        given.symmetry,
        given.elements,
        layers="all",
        rollout_steps=steps if trees.same_shapes(samples.inputs, given.subject.predictions) else 0,
        trajectory=samples.trajectory,
        context=samples.context,
        batch=settings.batch,
        replicates=settings.bootstrap,
        seed=settings.seed,
    )


def _orbit_metric(given: ProbeInputs) -> Any:
    samples, settings = given.subject.samples, given.subject.settings
    return metric_over_orbit(
        given.subject.model,
        samples.inputs,
        samples.targets,
        given.symmetry,
        given.metric,
        given.elements,
        before_averaging=_probabilities if isinstance(given.metric, str) else None,
        trajectory=samples.trajectory,
        context=samples.context,
        batch=settings.batch,
        replicates=settings.bootstrap,
        seed=settings.seed,
    )


def _probabilities(scores: Tree) -> Tree:
    return trees.map_leaves(lambda t: t.softmax(1), scores)


def _lie_derivative(given: ProbeInputs) -> Any:
    samples, settings = given.few.samples, given.few.settings
    return lie_derivative(
        given.few.model,
        samples.inputs,
        given.symmetry,
        trajectory=samples.trajectory,
        context=samples.context,
        replicates=settings.bootstrap,
        seed=settings.seed,
    )


def _lie_derivative_by_layer(given: ProbeInputs) -> Any:
    samples, settings = given.few.samples, given.few.settings
    directions = directions_of(given.symmetry, None)
    with given.progress.task("Lie derivatives by layer", len(directions)) as task:
        found = []
        for direction in directions:
            found.append(
                lie_derivative_by_layer(
                    given.few.model,
                    samples.inputs,
                    given.symmetry,
                    direction,
                    trajectory=samples.trajectory,
                    context=samples.context,
                    replicates=settings.bootstrap,
                    seed=settings.seed,
                )
            )
            task.advance()
    return tuple(found)


def _layer_coherence(given: ProbeInputs) -> Any:
    return measure_layer_coherence(
        given.few, given.symmetry, given.elements, progress=given.progress
    )


def _unrolled(given: ProbeInputs) -> Any:
    few, data = given.few, given.data
    if not isinstance(data, Trajectories):
        raise ValueError("unrolled without trajectories")
    longest = data.fields.shape[1] - 1
    return unrolled_coherence(
        few.model,
        data,
        given.symmetry,
        given.elements,
        few.loss,
        steps=[k for k in UNROLLED_STEPS if k <= longest],
        settings=few.settings,
        progress=given.progress,
    )


def _landscape(given: ProbeInputs) -> Any:
    return loss_landscape(given.few, given.symmetry, given.elements, progress=given.progress)


def _data_symmetry(given: ProbeInputs) -> Any:
    samples, settings = given.subject.samples, given.subject.settings
    return data_symmetry(
        samples.inputs,
        given.symmetry,
        given.elements,
        targets=samples.targets,
        trajectory=samples.trajectory,
        context=samples.context,
        seed=settings.seed,
    )


def _teach_once(given: ProbeInputs) -> Any:
    samples, symmetry, elements = given.subject.samples, given.symmetry, given.elements
    return teach_once(
        given.subject,
        symmetry,
        elements,
        usual_lesson(given.data, samples, symmetry, elements),
        TAUGHT,
        optimiser=given.optimiser,
        progress=given.progress,
    )


_MEASURES: Mapping[ProbeName, Callable[[ProbeInputs], Any]] = {
    "equivariance": _equivariance,
    "orbit-metric": _orbit_metric,
    "lie-derivative": _lie_derivative,
    "lie-derivative-by-layer": _lie_derivative_by_layer,
    "layer-coherence": _layer_coherence,
    "unrolled": _unrolled,
    "landscape": _landscape,
    "data-symmetry": _data_symmetry,
    "teach-once": _teach_once,
}
