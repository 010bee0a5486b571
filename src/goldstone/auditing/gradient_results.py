"""Gradient probes of every element, reduced to their coherences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

import torch

from goldstone.auditing.coherence import Coherences, coherences
from goldstone.auditing.gradients import GradientProbe, GradientSet, MetricProducts
from goldstone.auditing.metrics import prepare_metrics
from goldstone.auditing.results import MetricDetails
from goldstone.auditing.settings import MetricName
from goldstone.auditing.subject import Subject
from goldstone.core import Progress
from goldstone.core.trees import Tree

Products = dict[MetricName, MetricProducts]


@dataclass(frozen=True, eq=False)
class ElementCoherences:
    """By metric: coherences of loss gradients (unit and raw) and of probe gradients (unit)."""

    unit: dict[MetricName, Coherences]
    raw: dict[MetricName, Coherences]
    probe: dict[MetricName, Coherences]
    products: dict[MetricName, MetricProducts]


@dataclass(frozen=True, eq=False)
class GradientResults:
    """The coherences of the identity and of every element, what they are made of and cost.

    ``probe`` is the one given, with its metrics prepared.
    """

    probe: GradientProbe
    plain: GradientSet
    identity: ElementCoherences
    elements: tuple[ElementCoherences, ...]
    gradients: int
    path: str
    metrics: dict[MetricName, MetricDetails]


def measure_gradients(
    probe: GradientProbe,
    elements: Sequence[Any],
    progress: Progress,
    reference_targets: Tree,
    optimiser: Mapping[str, Any] | None = None,
) -> GradientResults:
    """Loss and probe gradients at every element, each taken once and shared by all metrics."""
    subject = probe.subject
    settings, n = subject.settings, subject.samples.trajectories
    identity = probe.symmetry.group.identity
    passes = 2 if "galerkin" in settings.metrics else 1
    with progress.task("gradients along orbits", 2 * n * (len(elements) + 1) * passes) as task:
        plain = probe.loss_gradients(identity, task)
        prepared = prepare_metrics(
            subject, probe.reference, reference_targets, plain.rows, optimiser
        )
        probe = replace(probe, prepared=prepared)
        plain = replace(plain, images=probe.images(plain.rows))
        plain_probe = probe.probe_gradients(identity, task)

        def reduced(products: Products, probes: Products) -> ElementCoherences:
            return ElementCoherences(
                {m: _coherences(p, subject, unit=True) for m, p in products.items()},
                {m: _coherences(p, subject, unit=False) for m, p in products.items()},
                {m: _coherences(p, subject, unit=True) for m, p in probes.items()},
                products,
            )

        # One set of gradients at a time beside the two at the identity.
        found = [
            reduced(
                probe.products(plain, probe.loss_gradients(g, task)),
                probe.products(plain_probe, probe.probe_gradients(g, task)),
            )
            for g in elements
        ]
        same = reduced(probe.products(plain, plain), probe.products(plain_probe, plain_probe))
        return GradientResults(
            probe,
            plain,
            same,
            tuple(found),
            2 * n * (len(elements) + 1),
            "loop of autograd.grad" + (f", {plain.path}" if plain.pushed is not None else ""),
            _details(probe, [same, *found]),
        )


def _details(
    probe: GradientProbe, found: Sequence[ElementCoherences]
) -> dict[MetricName, MetricDetails]:
    """What each metric is made of, and how far it is from the full Gauss–Newton metric."""
    details = {}
    for metric in probe.subject.settings.metrics:
        known = probe.prepared[metric].details if metric in probe.prepared else MetricDetails()
        products = [e.products[metric] for e in found]
        distance = None
        if "gauss-newton" in probe.subject.settings.metrics and metric != "gauss-newton":
            gaps = [
                p.unit.gram() - e.products["gauss-newton"].unit.gram()
                for p, e in zip(products, found, strict=True)
            ]
            distance = float(torch.stack(gaps).square().nanmean().sqrt())
        residual = max(p.residual for p in products) if metric == "gauss-newton" else None
        details[metric] = replace(
            known, residual=residual, distance_to_gauss_newton=_number(distance)
        )
    return details


def _number(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


def _coherences(products: MetricProducts, subject: Subject, *, unit: bool) -> Coherences:
    chosen = products.unit if unit else products.raw
    settings = subject.settings
    return coherences(chosen, subject.bootstrap, settings.permutations, settings.seed)
