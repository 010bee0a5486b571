"""Gradient probes of every element, reduced to their coherences."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

import torch
from torch import Tensor

from goldstone.auditing.coherence import Coherences, coherences
from goldstone.auditing.gradients import (
    GradientProbe,
    GradientRun,
    GradientSet,
    MetricProducts,
)
from goldstone.auditing.metrics import prepare_metrics
from goldstone.auditing.results import MetricDetails
from goldstone.auditing.sequential import Look, fixed_look, growing_looks
from goldstone.auditing.settings import MetricName
from goldstone.auditing.statistics import Bootstrap
from goldstone.core import Progress, Task
from goldstone.core.trees import Tree

Products = dict[MetricName, MetricProducts]


@dataclass(frozen=True, eq=False)
class ElementCoherences:
    """By metric: coherences of loss gradients (unit and raw) and of probe gradients (unit).

    ``samples`` is how many pairs of gradients they are of. ``rarity`` is that of the look they were
    taken at, by which the permutation p is corrected.
    """

    unit: dict[MetricName, Coherences]
    raw: dict[MetricName, Coherences]
    probe: dict[MetricName, Coherences]
    products: dict[MetricName, MetricProducts]
    samples: int = 0
    rarity: float = 1.0


@dataclass(frozen=True, eq=False)
class GradientResults:
    """The coherences of the identity and of every element, what they are made of and cost.

    ``probe`` is the one given, with its metrics prepared, on the samples that ``plain`` is of.
    ``saved`` counts the gradients that a fixed number of samples would have taken beyond these.
    """

    probe: GradientProbe
    plain: GradientSet
    identity: ElementCoherences
    elements: tuple[ElementCoherences, ...]
    gradients: int
    path: str
    metrics: dict[MetricName, MetricDetails]
    saved: int = 0


def measure_gradients(
    probe: GradientProbe,
    elements: Sequence[Any],
    progress: Progress,
    reference_targets: Tree,
    optimiser: Mapping[str, Any] | None = None,
) -> GradientResults:
    """Loss and probe gradients at every element, each taken once and shared by all metrics.

    With ``adaptive`` settings an element's gradients are taken in growing looks, and no more of
    them once its interval of ρ in the decisive metric, at the look's level, has left the threshold.
    """
    subject = probe.subject
    settings, n = subject.settings, subject.samples.trajectories
    identity = probe.symmetry.group.identity
    looks = growing_looks(n) if settings.adaptive else fixed_look(n)
    passes = 2 if "galerkin" in settings.metrics else 1
    with progress.task("gradients along orbits", 2 * n * (len(elements) + 1) * passes) as task:
        run = probe.loss_run(identity, task)
        again = _TakenAgain(probe)
        some = again.rows if probe.keeping.streamed else run.upto(looks[0].samples).rows
        prepared = prepare_metrics(
            subject, probe.reference, reference_targets, some, optimiser, probe.keeping
        )
        probe = replace(probe, prepared=prepared, given_keeping=probe.keeping)
        run.adopt(probe)
        # One set of gradients at a time beside the two at the identity.
        pairs = _Pairs(probe, run, probe.probe_run(identity, task), looks, len(elements), task)
        found = [pairs.measure(g) for g in elements]
        most = max((e.samples for e in found), default=looks[0].samples)
        same = pairs.of_identity(most)
        taken = 2 * most + 2 * sum(e.samples for e in found)
        saved = 2 * n * (len(elements) + 1) - taken
        if saved:
            task.advance(passes * saved)
    return GradientResults(
        replace(probe, subject=subject.first(most)),
        run.upto(most),
        same,
        tuple(found),
        taken + again.count,
        run.upto(most).path,
        _details(probe, [same, *found]),
        saved,
    )


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Gradients at the identity, which grow as elements ask for them, against an element's."""

    probe: GradientProbe
    losses: GradientRun
    probes: GradientRun
    looks: tuple[Look, ...]
    family: int
    task: Task

    def measure(self, element: Any) -> ElementCoherences:
        """Take an element's gradients until its answer is settled or all are taken."""
        run = self.probe.loss_run(element, self.task)
        look = next(
            look for look in self.looks if look == self.looks[-1] or self._settles(run, look)
        )
        losses = self.probe.products(self.losses.upto(look.samples), run.upto(look.samples))
        # Not two sets of an element's gradients at a time.
        del run
        moved = self.probe.probe_run(element, self.task).upto(look.samples)
        return self._reduced(
            losses, self.probe.products(self.probes.upto(look.samples), moved), look
        )

    def of_identity(self, samples: int) -> ElementCoherences:
        """The identity's, against itself."""
        losses, probes = self.losses.upto(samples), self.probes.upto(samples)
        return self._reduced(
            self.probe.products(losses, losses),
            self.probe.products(probes, probes),
            Look(samples, self.looks[-1].level),
        )

    def _settles(self, run: GradientRun, look: Look) -> bool:
        """Whether ρ is surely on one side of the threshold."""
        settings = self.probe.subject.settings
        metric = settings.decisive_metric
        a, b = self.losses.upto(look.samples), run.upto(look.samples)
        products = self.probe.products(a, b, [metric])[metric]
        found = self._coherences(products, look, unit=True)
        low, high = found.orbit.low, found.orbit.high
        if low is None or high is None:
            return False
        if high < settings.least_coherence:
            return True
        # The family's correction is not known before all elements are; Bonferroni's is safe.
        p = look.rarity * found.permutation_p
        return low > settings.least_coherence and self.family * p < 0.05

    def _reduced(self, losses: Products, probes: Products, look: Look) -> ElementCoherences:
        return ElementCoherences(
            {m: self._coherences(p, look, unit=True) for m, p in losses.items()},
            {m: self._coherences(p, look, unit=False) for m, p in losses.items()},
            {m: self._coherences(p, look, unit=True) for m, p in probes.items()},
            losses,
            look.samples,
            look.rarity,
        )

    def _coherences(self, products: MetricProducts, look: Look, *, unit: bool) -> Coherences:
        settings, bootstrap = self.probe.subject.settings, self.probe.subject.bootstrap
        # Rarer errors, at the looks of an adaptive audit, take more replicates to be seen.
        replicates = round(settings.bootstrap * look.rarity)
        permutations = round(settings.permutations * look.rarity)
        if look.samples < bootstrap.n or replicates > settings.bootstrap:
            bootstrap = Bootstrap.draw(look.samples, replicates, settings.seed)
        chosen = products.unit if unit else products.raw
        return coherences(chosen, bootstrap, permutations, settings.seed, look.level)


class _TakenAgain:
    """Up to eight gradients at the identity one by one, where they cannot be held together."""

    def __init__(self, probe: GradientProbe) -> None:
        self._probe = probe
        self.count = 0

    def rows(self) -> Iterator[Tensor]:
        """(1, p) each."""
        n = self._probe.subject.samples.trajectories
        run = self._probe.loss_run(self._probe.symmetry.group.identity)
        for i in range(0, n, max(1, n // 8)):
            self.count += 1
            yield run.single(i)


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
                (p.unit.gram() - e.products["gauss-newton"].unit.gram()).flatten()
                for p, e in zip(products, found, strict=True)
            ]
            distance = float(torch.cat(gaps).square().nanmean().sqrt())
        residual = max(p.residual for p in products) if metric == "gauss-newton" else None
        sketched = probe.keeping.streamed
        details[metric] = replace(
            known,
            residual=residual,
            distance_to_gauss_newton=_number(distance),
            sketch_error=_number(max(e.unit[metric].sketch_error for e in found))
            if sketched
            else None,
        )
    return details


def _number(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None
