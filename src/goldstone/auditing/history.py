"""How the symmetry was learned: the cheap part of the audit at each checkpoint."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch import nn

from goldstone.actions import Symmetry
from goldstone.auditing.coherence import coherences
from goldstone.auditing.forward import forward_measurement
from goldstone.auditing.gradients import GradientProbe
from goldstone.auditing.inspection import check_model
from goldstone.auditing.results import CosetHistory, HistoryEntry
from goldstone.auditing.samples import AuditData
from goldstone.auditing.settings import AuditSettings
from goldstone.auditing.subject import Loss, Subject
from goldstone.core import InputError, Progress, Statistic
from goldstone.curvature import trainable_parameters


def check_history(
    history: Iterable[tuple[int, nn.Module]], data: AuditData
) -> tuple[tuple[int, nn.Module], ...]:
    """The checkpoints, each one looked at before any long work.

    Raises:
        InputError: one of them cannot be audited, or has nothing to take gradients in.
    """
    checkpoints = tuple(history)
    for epoch, model in checkpoints:
        try:
            check_model(model, data.gradient.inputs, data.gradient.targets)
        except InputError as error:
            raise InputError(f"history, epoch {epoch}: {error}") from error
        if not trainable_parameters(model):
            raise InputError(
                f"history, epoch {epoch}: the model has no trainable parameter; call "
                "requires_grad_() on what was trained"
            )
    return checkpoints


def audit_history(
    checkpoints: Sequence[tuple[int, nn.Module]],
    symmetry: Symmetry,
    elements: Sequence[Any],
    data: AuditData,
    loss: Loss,
    settings: AuditSettings,
    cosets: Sequence[Sequence[str]],
    progress: Progress,
) -> tuple[HistoryEntry, ...]:
    """Loss ratio, pair coherence with its null and orbit coherence by element and by coset.

    On the gradient samples, in the Euclidean metric alone, which needs no more than the gradients.
    ``cosets`` are lists of element names, such as the left cosets of the final model's residual
    subgroup.
    """
    cheap = replace(settings, metrics=("euclidean",), decisive_metric="euclidean")
    if not checkpoints:
        return ()
    entries = []
    with progress.task("history over training", len(checkpoints)) as task:
        for epoch, model in checkpoints:
            subject = Subject.measure(model, data.gradient, loss, cheap)
            entries.append(_entry(epoch, subject, symmetry, elements, data, cosets))
            task.advance()
    return tuple(entries)


def _entry(
    epoch: int,
    subject: Subject,
    symmetry: Symmetry,
    elements: Sequence[Any],
    data: AuditData,
    cosets: Sequence[Sequence[str]],
) -> HistoryEntry:
    probe = GradientProbe(subject, symmetry, data.reference)
    plain = probe.loss_gradients(symmetry.group.identity)
    ratios: dict[str, Statistic] = {}
    pairs: dict[str, Statistic] = {}
    nulls: dict[str, Statistic] = {}
    orbits: dict[str, Statistic] = {}
    for element in elements:
        name = symmetry.group.element_name(element)
        measured = forward_measurement(subject, symmetry, element)
        ratios[name] = subject.mean(measured.log_loss_ratio)
        products = probe.products(plain, probe.loss_gradients(element))["euclidean"].unit
        found = coherences(products, subject.bootstrap, 1, subject.settings.seed)
        pairs[name], nulls[name], orbits[name] = found.pair, found.null, found.orbit
    return HistoryEntry(
        epoch,
        subject.mean(subject.loss(subject.predictions, subject.samples.targets)),
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


def _mean(statistics: Mapping[str, Statistic], names: Sequence[str]) -> float | None:
    found = [statistics[name].estimate for name in names if name in statistics]
    values = [value for value in found if value is not None]
    return sum(values) / len(values) if values else None
