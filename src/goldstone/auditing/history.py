"""How the symmetry was learned: the cheap part of the audit at each checkpoint."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from torch import nn

from goldstone.actions import Symmetry
from goldstone.auditing.coherence import coherences
from goldstone.auditing.forward import Loss, forward_measurement
from goldstone.auditing.gradients import GradientProbe
from goldstone.auditing.inspection import predict
from goldstone.auditing.results import CosetHistory, HistoryEntry
from goldstone.auditing.samples import Samples
from goldstone.auditing.settings import AuditSettings
from goldstone.auditing.statistics import Bootstrap, mean_statistic
from goldstone.core import Statistic, Task


def audit_history(
    checkpoints: Iterable[tuple[int, nn.Module]],
    symmetry: Symmetry,
    elements: Sequence[Any],
    samples: Samples,
    loss: Loss,
    settings: AuditSettings,
    bootstrap: Bootstrap,
    cosets: Sequence[Sequence[str]],
    task: Task | None = None,
) -> tuple[HistoryEntry, ...]:
    """Loss ratio, pair coherence with its null and orbit coherence by element and by coset.

    The Euclidean metric alone: it needs no more than the gradients. ``cosets`` are lists of
    element names, such as the left cosets of the residual subgroup of the final model.
    """
    # One snapshot per trajectory serves both the forward and the gradient part.
    chosen = samples.gradient
    few = replace(
        samples,
        inputs=samples.inputs[chosen],
        targets=samples.targets[chosen],
        trajectory=samples.trajectory[chosen],
        gradient=samples.trajectory[chosen],
    )
    cheap = replace(settings, metrics=("euclidean",), decisive_metric="euclidean")
    entries = []
    for epoch, model in checkpoints:
        entries.append(
            _entry(epoch, model, symmetry, elements, few, loss, cheap, bootstrap, cosets, task)
        )
    return tuple(entries)


def _entry(
    epoch: int,
    model: nn.Module,
    symmetry: Symmetry,
    elements: Sequence[Any],
    samples: Samples,
    loss: Loss,
    settings: AuditSettings,
    bootstrap: Bootstrap,
    cosets: Sequence[Sequence[str]],
    task: Task | None,
) -> HistoryEntry:
    predictions = predict(model, samples.inputs, settings.batch)
    losses, _ = mean_statistic(loss(predictions, samples.targets), samples.trajectory, bootstrap)
    probe = GradientProbe(model, symmetry, loss, samples, settings)
    plain = probe.loss_gradients(symmetry.group.identity, task)
    ratios: dict[str, Statistic] = {}
    pairs: dict[str, Statistic] = {}
    nulls: dict[str, Statistic] = {}
    orbits: dict[str, Statistic] = {}
    for element in elements:
        name = symmetry.group.element_name(element)
        measured = forward_measurement(
            model, symmetry, element, samples.inputs, samples.targets, predictions, loss,
            samples.context, settings.batch,
        )  # fmt: skip
        ratios[name], _ = mean_statistic(measured.log_loss_ratio, samples.trajectory, bootstrap)
        products = probe.products(plain, probe.loss_gradients(element, task))["euclidean"].unit
        found = coherences(products, bootstrap, 1, settings.seed)
        pairs[name], nulls[name], orbits[name] = found.pair, found.null, found.orbit
    return HistoryEntry(
        epoch,
        losses,
        ratios,
        pairs,
        nulls,
        orbits,
        tuple(
            CosetHistory(
                tuple(names), _mean(ratios, names), _mean(pairs, names), _mean(orbits, names)
            )
            for names in cosets
        ),
    )


def _mean(statistics: dict[str, Statistic], names: Sequence[str]) -> float | None:
    values = [
        s.estimate for name in names if (s := statistics.get(name)) and s.estimate is not None
    ]
    return sum(values) / len(values) if values else None
