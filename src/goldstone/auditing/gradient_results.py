"""Gradient probes of every element, reduced to their coherences."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from goldstone.auditing.coherence import Coherences, coherences
from goldstone.auditing.gradients import GradientProbe, GradientSet, MetricProducts
from goldstone.auditing.settings import MetricName
from goldstone.auditing.subject import Subject
from goldstone.core import Progress

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
    """The coherences of the identity and of every element, and what they cost."""

    plain: GradientSet
    identity: ElementCoherences
    elements: tuple[ElementCoherences, ...]
    gradients: int
    path: str


def measure_gradients(
    probe: GradientProbe, elements: Sequence[Any], progress: Progress
) -> GradientResults:
    """Loss and probe gradients at every element, each taken once and shared by all metrics."""
    subject = probe.subject
    settings, n = subject.settings, subject.samples.trajectories
    identity = probe.symmetry.group.identity
    passes = 2 if "galerkin" in settings.metrics else 1
    with progress.task("gradients along orbits", 2 * n * (len(elements) + 1) * passes) as task:
        plain = probe.loss_gradients(identity, task)
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
        return GradientResults(
            plain,
            reduced(probe.products(plain, plain), probe.products(plain_probe, plain_probe)),
            tuple(found),
            2 * n * (len(elements) + 1),
            "loop of autograd.grad" + (f", {plain.path}" if plain.pushed is not None else ""),
        )


def _coherences(products: MetricProducts, subject: Subject, *, unit: bool) -> Coherences:
    chosen = products.unit if unit else products.raw
    settings = subject.settings
    return coherences(chosen, subject.bootstrap, settings.permutations, settings.seed)
