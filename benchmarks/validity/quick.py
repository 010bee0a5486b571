"""A small part of the zoo whose answers are known for certain: does the audit give them?"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import torch

from benchmarks.validity.task import Member, Recipe, Task
from benchmarks.validity.tasks.digits import digits
from benchmarks.validity.tasks.sequences import sequences
from benchmarks.validity.training import trained
from goldstone import audit
from goldstone.actions import Context
from goldstone.auditing import (
    AuditResult,
    AuditSettings,
    ElementResult,
    FineTuning,
    Samples,
    Subject,
    Teaching,
    teach_once,
)
from goldstone.core import trees

Kind = Literal["equivariant", "experts", "biased", "without skill"]
SETTINGS = AuditSettings(
    trajectories=64,
    samples=32,
    metrics=("euclidean",),
    bootstrap=1000,
    permutations=1000,
    batch=256,
)
SHARE = 0.5


@dataclass(frozen=True)
class Known:
    """A model, trained for so many steps, and what must be said of it."""

    task: str
    architecture: str
    recipe: Recipe
    steps: int
    kind: Kind
    wrong: bool = False


MODELS = (
    Known("digits", "equivariant", "biased", 250, "equivariant"),
    Known("digits", "perceptron", "biased", 300, "biased"),
    Known("digits", "perceptron", "untrained", 0, "without skill"),
    Known("digits", "constant", "untrained", 0, "without skill"),
    Known("sequences", "convolutional", "biased", 300, "equivariant", wrong=True),
    Known("sequences", "experts", "augmented", 2500, "experts"),
    Known("sequences", "perceptron", "biased", 800, "biased"),
    Known("sequences", "identity", "untrained", 0, "without skill"),
)


def check(known: Known, task: Task, folder: Path) -> Iterator[str]:
    """What the audit and one lesson say otherwise than they must."""
    network = replace(task.architectures[known.architecture], steps=known.steps)
    architectures = {**task.architectures, known.architecture: network}
    task = replace(task, architectures=architectures)
    member = Member(task, known.architecture, known.recipe, 0)
    model, state = trained(member, folder)
    pair = task.held_out(member.law)
    given: dict[str, Any] = {"loss": task.loss, "ground_truth": None, "settings": SETTINGS}
    result = audit(model, pair, task.symmetry, **given)
    elements = [e for e in result.elements if e.name in task.element_names()]
    for e in elements:
        yield from (f"{e.name}: {problem}" for problem in _EXPECTED[known.kind](e))
    if result.model.has_skill == (known.kind == "without skill"):
        yield f"has skill: {result.model.has_skill}"
    if known.wrong and task.wrong is not None:
        yield from _wrong(audit(model, pair, task.wrong, force=True, **given), task)
    if known.kind in _TRANSFER:
        expected, tolerance = _TRANSFER[known.kind]
        pair = task.posed or pair
        samples = Samples(*pair, torch.arange(trees.batch_size(pair[0])), Context())
        subject = Subject.measure(model, samples, task.loss, replace(SETTINGS, metrics=()))
        tuning = FineTuning(steps=40, batch=16, learning_rate=task.teaching_rate)
        found = teach_once(
            subject,
            task.symmetry,
            task.elements,
            task.lessons[0],
            Teaching(tuning, (SHARE,)),
            optimiser=state,
        )
        (budget,) = found.budgets
        for name in task.element_names():
            transfer = budget.elements[name].transfer.estimate
            if transfer is None or abs(transfer - expected) > tolerance:
                yield f"{name}: expected transfer of {expected:g} %, got {transfer}"


def _equivariant(e: ElementResult) -> Iterator[str]:
    rho = e.orbit_coherence["euclidean"].estimate
    if (e.holds, e.grade, e.transports) != ("yes", "exact", "yes"):
        yield f"expected exact and transporting, got {e.holds}, {e.grade}, {e.transports}"
    if rho is None or abs(rho - 1) > 1e-3:
        yield f"expected ρ = 1, got {rho}"


def _experts(e: ElementResult) -> Iterator[str]:
    rho = e.orbit_coherence["euclidean"].estimate
    if e.transports != "no":
        yield f"expected that nothing transports, got {e.transports}"
    if rho is None or abs(rho) > 1e-3:
        yield f"expected ρ = 0, got {rho}"


def _biased(e: ElementResult) -> Iterator[str]:
    if e.holds != "no":
        yield f"expected that it does not hold, got {e.holds}"


def _without_skill(e: ElementResult) -> Iterator[str]:
    if {e.holds, e.transports} != {"undetermined"}:
        yield f"expected no answer, got {e.holds}, {e.transports}"


def _wrong(result: AuditResult, task: Task) -> Iterator[str]:
    for e in result.elements:
        if e.name in task.element_names() and e.holds != "no":
            yield f"{e.name}, wrong action: expected that it does not hold, got {e.holds}"


_TRANSFER: dict[Kind, tuple[float, float]] = {"equivariant": (100.0, 1.0), "experts": (0.0, 10.0)}
"""Per cent and how near. Experts that are not taught go on by their moments and decay a little."""
_EXPECTED: dict[Kind, Callable[[ElementResult], Iterator[str]]] = {
    "equivariant": _equivariant,
    "experts": _experts,
    "biased": _biased,
    "without skill": _without_skill,
}


def main() -> int:
    """Check every model; the number of models of which something else was said."""
    torch.set_num_threads(1)
    tasks = {"digits": digits(), "sequences": sequences()}
    failed = 0
    with TemporaryDirectory() as folder:
        for known in MODELS:
            start = time.perf_counter()
            problems = list(check(known, tasks[known.task], Path(folder)))
            name = f"{known.task}, {known.architecture}, {known.recipe}: {known.kind}"
            wrong = " and a wrong action" if known.wrong else ""
            outcome = "as it must be" if not problems else "; ".join(problems)
            seconds = time.perf_counter() - start
            print(f"{name}{wrong}: {outcome} ({seconds:.1f} s)", flush=True)
            failed += bool(problems)
    return failed
