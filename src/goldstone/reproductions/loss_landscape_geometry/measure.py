"""Influence and error ratio of a trained emulator at a group element, as the paper has them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from goldstone.actions import Symmetry, TrivialAction
from goldstone.auditing import AuditSettings, Subject
from goldstone.auditing.coherence import PairProducts, coherences, pair_coherence
from goldstone.auditing.forward import ForwardMeasurement, forward_measurement
from goldstone.auditing.gradient_products import reference_outputs
from goldstone.auditing.gradient_store import joint_products
from goldstone.auditing.gradients import GradientProbe, GradientSet
from goldstone.auditing.samples import AuditData, choose_samples
from goldstone.auditing.statistics import quartiles
from goldstone.core import Statistic
from goldstone.curvature import galerkin_gram
from goldstone.groups import CyclicGroup
from goldstone.systems.emulators import Emulator
from goldstone.systems.flows import Trajectories
from goldstone.systems.losses import Loss, scaled_mse

DAMPING = 1e-6
"""Of the Galerkin metric; relative to the mean curvature of the span (the paper's is absolute)."""


@dataclass(frozen=True)
class Coherence:
    """One metric's numbers at one element.

    Attributes:
        pair: K(x_i, g) of every sample, of raw gradients: the paper's normalised influence.
        null: mean of K(x_i, g x_j) over distinct trajectories: the same poses, pairing broken.
        orbit: ρ, its interval over samples.
    """

    pair: tuple[float, ...]
    null: float
    orbit: Statistic


@dataclass(frozen=True)
class ElementMeasurement:
    """What is measured at one group element.

    Attributes:
        name: of the element.
        coherence: by metric, ``euclidean`` and ``galerkin``.
        error_ratio: E = ℓ(f(gx), gy)/ℓ(f(x), y) of the same samples.
        error_quartiles: first quartile, median and third quartile of E over the forward samples.
        equivariance_error: mean of ‖f(gx) − g f(x)‖/‖f(x)‖ over them.
        by_damping: median influence in the Galerkin metric for other dampings, by λ.
    """

    name: str
    coherence: Mapping[str, Coherence]
    error_ratio: tuple[float, ...]
    error_quartiles: tuple[float, float, float]
    equivariance_error: float
    by_damping: Mapping[str, float] = field(default_factory=dict)

    def influence(self, metric: str = "galerkin") -> float:
        """The median of K over samples, as the paper reports it."""
        return _median(self.coherence[metric].pair)


@dataclass(frozen=True, eq=False)
class Meter:
    """Measures a model on held-out flows; gradients at the identity are taken once.

    As in the paper, the metric η is that of the audited states themselves, restricted to the span
    of the gradients at x and gx. One state is taken of each trajectory, all at the same time.
    """

    model: Emulator
    data: Trajectories
    samples: int
    reference: int
    loss: Loss = scaled_mse
    dampings: Sequence[float] = ()

    @cached_property
    def settings(self) -> AuditSettings:
        """Both metrics, and intervals of ρ from few replicates."""
        return AuditSettings(
            samples=self.samples,
            reference=self.reference,
            damping=DAMPING,
            bootstrap=500,
            permutations=1,
        )

    @cached_property
    def chosen(self) -> AuditData:
        """Held-out states: many for the forward numbers, few for gradients."""
        return choose_samples(self.data, self.settings, torch.device("cpu"), torch.float32)

    @cached_property
    def few(self) -> Subject:
        """The model on the states of which gradients are taken."""
        return Subject.measure(self.model, self.chosen.gradient, self.loss, self.settings)

    @cached_property
    def many(self) -> Subject:
        """The model on all held-out states chosen."""
        return Subject.measure(self.model, self.chosen.forward, self.loss, self.settings)

    @cached_property
    def error(self) -> float:
        """Median of ℓ(f(x), y) over the held-out states."""
        values = self.loss(self.many.predictions, self.many.samples.targets)
        return float(values.median())

    def element(self, symmetry: Symmetry, element: Any) -> ElementMeasurement:
        """Everything at one element."""
        probe = GradientProbe(self.few, symmetry, self.few.samples.inputs)
        moved = probe.loss_gradients(element)
        products = probe.products(self._plain, moved)
        found = {}
        for metric, both in products.items():
            # ρ of unit gradients, as audits have it; K is the same of both but for the span.
            of_unit = coherences(both.unit, self.few.bootstrap, 1, self.settings.seed)
            found[str(metric)] = Coherence(
                tuple(pair_coherence(both.raw).tolist()),
                _number(of_unit.null.estimate),
                of_unit.orbit,
            )
        few = forward_measurement(self.few, symmetry, element)
        many = forward_measurement(self.many, symmetry, element)
        return ElementMeasurement(
            symmetry.group.element_name(element),
            found,
            tuple(few.log_loss_ratio.exp().tolist()),
            _quartiles(many),
            float(many.error.mean()),
            self._by_damping(products["euclidean"].raw.gram(), moved),
        )

    def error_quartiles(self, symmetry: Symmetry, element: Any) -> tuple[float, float, float]:
        """Quartiles of E, without gradients; both losses are taken in the moved frame."""
        return _quartiles(forward_measurement(self.many, symmetry, element))

    def _by_damping(self, gram: Tensor, moved: GradientSet) -> dict[str, float]:
        """Median influence in the Galerkin metric for every λ, from the gradients' Gram matrix."""
        if not self.dampings or self._plain.pushed is None or moved.pushed is None:
            return {}
        outputs = reference_outputs(self.few, self.few.samples.inputs)
        pushed = joint_products(self._plain.pushed, moved.pushed).mean(0) / outputs
        return {
            f"{damping:g}": _median(
                pair_coherence(
                    PairProducts.from_gram(galerkin_gram(gram, pushed, relative_damping=damping))
                ).tolist()
            )
            for damping in self.dampings
        }

    @cached_property
    def _plain(self) -> GradientSet:
        still = Symmetry("identity", CyclicGroup(1), TrivialAction(), TrivialAction())
        return GradientProbe(self.few, still, self.few.samples.inputs).loss_gradients(0)


def _quartiles(found: ForwardMeasurement) -> tuple[float, float, float]:
    q1, median, q3 = quartiles(found.log_loss_ratio.exp())
    return _number(q1), _number(median), _number(q3)


def _median(values: Sequence[float]) -> float:
    return float(torch.tensor(values, dtype=torch.float64).nanmedian())


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
