"""What is measured of a model of the zoo: an audit in every metric, and lessons."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.validity.task import Member
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
from goldstone.auditing.elements import measure_forward
from goldstone.auditing.settings import METRICS
from goldstone.core import SilentProgress, Statistic, trees

SETTINGS = AuditSettings(
    trajectories=64, samples=32, metrics=METRICS, bootstrap=2000, permutations=2000, batch=256
)
SAMPLES = (8, 16, 32, 64)
"""Numbers of pairs of gradients at which the verdict is taken in the default metric."""
SHARES = (0.25, 0.5, 0.9)
"""Budgets of the lessons, as shares of what could be learned."""


def measure(member: Member, folder: Path) -> dict[str, Any]:
    """Everything of a model, as JSON values; docs/validity.md says what the numbers are."""
    start = time.perf_counter()
    task = member.task
    model, optimiser = trained(member, folder)
    ready = time.perf_counter()
    pair = task.held_out(member.law)
    metrics = tuple(m for m in task.metrics if m != "adam" or optimiser is not None)
    settings = replace(SETTINGS, metrics=metrics)
    given = {"loss": task.loss, "ground_truth": None, "name": member.name}
    result = audit(model, pair, task.symmetry, optimiser=optimiser, settings=settings, **given)
    by_samples = {
        n: audit(model, pair, task.symmetry, settings=_euclidean(n), **given)
        for n in SAMPLES
        if n != SETTINGS.samples
    } | {SETTINGS.samples: result}
    audited = time.perf_counter()
    found = {
        "name": member.name,
        "task": task.name,
        "architecture": member.architecture,
        "family": member.family,
        "recipe": member.recipe,
        "seed": member.seed,
        "training": member.training,
        "teaching": member.teaching,
        "free_path": member.network.free_path,
        "skilled": member.skilled,
        "parameters": result.model.parameters,
        "has_skill": result.model.has_skill,
        "floor": result.model.numerical_floor,
        "loss": number(result.model.loss),
        "holds_by_construction": member.holds_by_construction(),
        "transports_by_construction": member.transports_by_construction(),
        "holds_in_population": _population(member, model, pair),
        "elements": {e.name: _element(e) for e in result.elements if e.name in _names(member)},
        "by_samples": {n: _by_samples(r, member) for n, r in sorted(by_samples.items())},
        "controls": [
            {
                "name": c.name,
                "as_expected": c.as_expected,
                "orbit": {m: number(s) for m, s in c.orbit_coherence.items()},
            }
            for c in result.controls
        ],
        "lessons": _lessons(member, model, pair, optimiser) if member.skilled else [],
        "wrong": _wrong(member, model, pair, given) if member.skilled else {},
    }
    done = time.perf_counter()
    found["seconds"] = {"train": ready - start, "audit": audited - ready, "teach": done - audited}
    return found


def number(s: Statistic | None) -> list[float | None] | None:
    """[estimate, low, high], five digits."""
    if s is None:
        return None
    return [None if v is None else float(f"{v:.5g}") for v in (s.estimate, s.low, s.high)]


def _names(member: Member) -> tuple[str, ...]:
    return member.task.element_names()


def _euclidean(samples: int) -> AuditSettings:
    return replace(SETTINGS, samples=samples, metrics=("euclidean",), trajectories=max(64, samples))


def _element(e: ElementResult) -> dict[str, Any]:
    """Statistics by metric: unit gradients, and raw ones."""
    by_metric = {
        "K": e.pair_coherence,
        "null": e.null,
        "rho": e.orbit_coherence,
        "mu": e.common_mode_coherence,
        "probe": e.probe_coherence,
        "raw K": e.raw_pair_coherence,
        "raw rho": e.raw_orbit_coherence,
    }
    return {
        "T": number(e.log_loss_ratio),
        "error": number(e.equivariance_error),
        "sharing": number(e.error_sharing),
        "holds": e.holds,
        "grade": e.grade,
        "transports": e.transports,
        "p": {m: float(f"{p:.4g}") for m, p in e.adjusted_p.items()},
        **{k: {m: number(s) for m, s in values.items()} for k, values in by_metric.items()},
    }


def _by_samples(result: AuditResult, member: Member) -> dict[str, Any]:
    return {
        e.name: {"rho": number(e.orbit_coherence["euclidean"]), "transports": e.transports}
        for e in result.elements
        if e.name in _names(member)
    }


def _samples(pair: Any) -> Samples:
    n = trees.batch_size(pair[0])
    return Samples(*pair, torch.arange(n), Context())


def _population(member: Member, model: torch.nn.Module, pair: Any) -> dict[str, Any]:
    """T of every element over all held-out samples, several times those of the audit."""
    task = member.task
    subject = Subject.measure(model, _samples(pair), task.loss, SETTINGS)
    few = subject.first(1)
    found = measure_forward(
        subject, few, few.samples.inputs, task.symmetry, task.elements, SilentProgress()
    )
    return {
        name: number(subject.mean(measured.log_loss_ratio))
        for name, measured in zip(_names(member), found.measured, strict=True)
    }


def _lessons(member: Member, model: torch.nn.Module, pair: Any, state: Any) -> list[Any]:
    """By lesson and budget the transfer, in per cent, to every element."""
    task = member.task
    settings = replace(SETTINGS, metrics=())
    subject = Subject.measure(model, _samples(task.posed or pair), task.loss, settings)
    tuning = FineTuning(steps=task.teaching_steps, batch=16, learning_rate=task.teaching_rate)
    taught = []
    for lesson in task.lessons:
        found = teach_once(
            subject,
            task.symmetry,
            task.elements,
            lesson,
            Teaching(tuning, SHARES, one_pose=task.posed is None),
            optimiser=state,
        )
        budgets = [
            {
                "share": budget.share,
                "steps": budget.steps,
                "reached": budget.reached,
                "learned": budget.learned,
                "transfer": {g: number(e.transfer) for g, e in budget.elements.items()},
                "loss_transfer": {g: number(e.loss_transfer) for g, e in budget.elements.items()},
            }
            for budget in found.budgets
        ]
        taught.append(
            {
                "lesson": found.lesson,
                "posed": found.posed,
                "novelty": dict(found.novelty),
                "achievable": found.achievable,
                "still_learning": found.still_learning,
                "budgets": budgets,
            }
        )
    return taught


def _wrong(member: Member, model: torch.nn.Module, pair: Any, given: Any) -> dict[str, Any]:
    """The audit under the deliberately wrong action, forced."""
    if member.task.wrong is None:
        return {}
    settings = replace(SETTINGS, metrics=("euclidean", "galerkin"))
    result = audit(model, pair, member.task.wrong, settings=settings, force=True, **given)
    return {e.name: _element(e) for e in result.elements if e.name in _names(member)}
