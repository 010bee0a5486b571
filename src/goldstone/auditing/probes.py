"""The further probes of an audit: running those that were chosen."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from goldstone.actions import Symmetry
from goldstone.auditing.clock import Clock
from goldstone.auditing.data_symmetry import data_symmetry
from goldstone.auditing.direction_frame import directions_of
from goldstone.auditing.equivariance_error import equivariance_errors
from goldstone.auditing.given import Data
from goldstone.auditing.layer_coherence import measure_layer_coherence
from goldstone.auditing.lie_derivative import lie_derivative
from goldstone.auditing.lie_derivative_by_layer import lie_derivative_by_layer
from goldstone.auditing.loss_landscape import loss_landscape
from goldstone.auditing.orbit_gram import orbit_gram
from goldstone.auditing.orbit_metrics import Metric, metric_over_orbit
from goldstone.auditing.orbit_spectrum import listed_group, orbit_spectrum
from goldstone.auditing.probe_choice import OF_ORBITS, TAUGHT, UNROLLED_STEPS
from goldstone.auditing.probe_results import ProbeResults
from goldstone.auditing.settings import ProbeName
from goldstone.auditing.stiffness import stiffness
from goldstone.auditing.subject import Subject
from goldstone.auditing.teach_once import teach_once
from goldstone.auditing.unrolled import unrolled_coherence
from goldstone.auditing.usual_lesson import usual_lesson
from goldstone.core import InputError, Progress, trees
from goldstone.core.trees import Tree
from goldstone.systems.flows import Trajectories


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


def run_probes(
    chosen: Sequence[ProbeName], left_out: Mapping[str, str], given: ProbeInputs, clock: Clock
) -> tuple[ProbeResults, dict[str, int]]:
    """Their results, and how many gradients each took.

    A probe that fails is left out with its reason: it must not take the audit with it.
    """
    results = ProbeResults()
    gradients: dict[str, int] = {}
    if not chosen:
        return replace(results, left_out=left_out), gradients
    failed: dict[str, str] = {}
    orbit = given.few.samples.trajectories * (len(given.elements) + 1)
    with given.progress.task("further probes", len(chosen)) as task:
        for name, measure in _MEASURES.items():
            if name in chosen:
                with clock.measure(name):
                    try:
                        results = replace(results, **{name.replace("-", "_"): measure(given)})
                    except InputError as error:
                        failed[name] = str(error)
                task.advance()
        of_orbits = [name for name in OF_ORBITS if name in chosen]
        if of_orbits:
            with clock.measure("orbit gradients"):
                try:
                    results, gradients["orbits"] = _measure_orbits(results, of_orbits, given)
                except InputError as error:
                    failed |= dict.fromkeys(of_orbits, str(error))
            task.advance(len(of_orbits))
    times = {"layer-coherence": 1, "landscape": 1, "unrolled": len(results.unrolled)}
    done = set(chosen) - set(failed)
    gradients |= {name: orbit * k for name, k in times.items() if name in done}
    return replace(results, left_out={**left_out, **failed}), gradients


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
