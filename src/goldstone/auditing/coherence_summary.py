"""Coherences as plain numbers."""

from dataclasses import dataclass

from goldstone.auditing.coherence import Coherences, PairProducts, coherences
from goldstone.auditing.subject import Subject
from goldstone.core import Statistic


@dataclass(frozen=True)
class CoherenceSummary:
    """The coherences of paired gradients a_i (at x_i) and b_i (at g x_i), all in one metric.

    Attributes:
        pair: mean K = ⟨a_i, b_i⟩/(‖a_i‖‖b_i‖).
        null: mean ⟨a_i, b_j⟩/(‖a_i‖‖b_j‖) over different trajectories.
        orbit: ρ, see :func:`goldstone.auditing.coherence.orbit_coherence`.
        common_mode: cos(ā, b̄).
        permutation_p: share of random pairings that reach the observed mean product.
    """

    pair: Statistic
    null: Statistic
    orbit: Statistic
    common_mode: Statistic
    permutation_p: float

    @classmethod
    def of(cls, found: Coherences) -> "CoherenceSummary":
        """Without the replicates."""
        return cls(found.pair, found.null, found.orbit, found.common_mode, found.permutation_p)


def summarise_products(products: PairProducts, subject: Subject) -> CoherenceSummary:
    """All coherences of the products, with the subject's resamples and permutations."""
    settings = subject.settings
    found = coherences(products, subject.bootstrap, settings.permutations, settings.seed)
    return CoherenceSummary.of(found)
