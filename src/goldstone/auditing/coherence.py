"""Coherences of paired gradients, from their inner products alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import isfinite, nan

import torch
from torch import Tensor

from goldstone.auditing.gram_statistics import covariance, distinct_mean, within_classes
from goldstone.auditing.sketch_error import blurred, jackknife_error
from goldstone.auditing.statistics import Bootstrap, interval, mean_statistic
from goldstone.core import Statistic, generator


@dataclass(frozen=True, eq=False)
class PairProducts:
    """Inner products of gradients a_i (at x_i) and b_i (at g x_i) in some metric.

    Attributes:
        aa, ab, bb: (n, n) float64: ⟨a_i, a_j⟩, ⟨a_i, b_j⟩, ⟨b_i, b_j⟩.
        leaves: where these are estimates from R sketches, the R estimates that leave one out.
        classes: (n,), if pairs of distinct trajectories are to be taken within classes alone.
    """

    aa: Tensor
    ab: Tensor
    bb: Tensor
    leaves: "tuple[PairProducts, ...]" = ()
    classes: Tensor | None = None

    def matched(self, classes: Tensor | None) -> "PairProducts":
        """The same, with the null taken within classes."""
        leaves = tuple(leaf.matched(classes) for leaf in self.leaves)
        return replace(self, leaves=leaves, classes=classes)

    @classmethod
    def from_gram(cls, gram: Tensor, leaves: Sequence[Tensor] = ()) -> "PairProducts":
        """From the (2n, 2n) Gram matrix of [a₁ … a_n, b₁ … b_n], and of its leaves."""
        n = len(gram) // 2
        gram = gram.double().cpu()
        left = tuple(cls.from_gram(leaf) for leaf in leaves)
        return cls(gram[:n, :n], gram[:n, n:], gram[n:, n:], left)

    def gram(self) -> Tensor:
        """The (2n, 2n) Gram matrix."""
        top = torch.cat([self.aa, self.ab], 1)
        return torch.cat([top, torch.cat([self.ab.T, self.bb], 1)])

    def unit(self) -> "PairProducts":
        """The products of the gradients divided by their norms (NaN where a norm is zero)."""
        a, b = self.aa.diagonal().sqrt(), self.bb.diagonal().sqrt()
        return PairProducts(
            self.aa / a[:, None] / a,
            self.ab / a[:, None] / b,
            self.bb / b[:, None] / b,
            tuple(leaf.unit() for leaf in self.leaves),
            self.classes,
        )


@dataclass(frozen=True, eq=False)
class Coherences:
    """The coherences of one element in one metric; see docs/methods/influence.md.

    ``sketch_error`` is the standard error of ρ from sketches alone, 0 where products are exact; the
    intervals and replicates have it in them.
    """

    pair: Statistic
    null: Statistic
    orbit: Statistic
    common_mode: Statistic
    permutation_p: float
    orbit_replicates: Tensor
    sketch_error: float = 0.0


def pair_coherence(products: PairProducts) -> Tensor:
    """K(x_i, g) = ⟨a_i, b_i⟩/√(⟨a_i, a_i⟩⟨b_i, b_i⟩), (n,)."""
    return products.unit().ab.diagonal()


def orbit_coherence(products: PairProducts) -> float | None:
    """ρ = [mean_i⟨a_i,b_i⟩ − mean_{i≠j}⟨a_i,b_j⟩]/√(v_a v_b), v = mean_i‖·‖² − mean_{i≠j}⟨·,·⟩.

    It is 1 for b = a, and 0 in the mean under shuffled pairing. None if a variance is not positive.
    """
    ones = torch.ones(1, len(products.aa), dtype=torch.float64)
    value = float(_orbit(products, ones)[0])
    return _finite(value)


def coherences(
    products: PairProducts,
    bootstrap: Bootstrap,
    permutations: int,
    seed: int,
    level: float = 0.95,
) -> Coherences:
    """All coherences with intervals by resampling trajectories, and the permutation p of ρ.

    The p-value is one-sided: the share of random pairings π (the observed one counted in) whose
    mean ⟨a_i, b_π(i)⟩ is at least the observed mean. Where products are estimates from R sketches,
    every replicate is blurred by the error of the statistic, a jackknife over sketches, times a
    Student t of R − 1 degrees of freedom, so that intervals cover both kinds of chance.
    """
    n = len(products.aa)
    ones = torch.ones(1, n, dtype=torch.float64)

    def error_of(value: Callable[[PairProducts], Tensor]) -> float:
        return jackknife_error([float(value(leaf)) for leaf in products.leaves])

    def measured(value: Callable[[PairProducts, Tensor], Tensor]) -> tuple[Statistic, Tensor]:
        error = error_of(lambda leaf: value(leaf, ones)[0])
        found = blurred(value(products, bootstrap.counts), error, len(products.leaves), seed)
        estimate = _finite(float(value(products, ones)[0]))
        return Statistic(estimate, *interval(found, n, level), n), found

    pair, replicates = mean_statistic(pair_coherence(products), torch.arange(n), bootstrap)
    error = error_of(lambda leaf: pair_coherence(leaf).mean())
    if pair.estimate is not None:
        replicates = blurred(replicates, error, len(products.leaves), seed)
        low, high = interval(replicates, n, level)
        pair = replace(pair, low=low, high=high)
    orbit, replicates = measured(_orbit)
    return Coherences(
        pair,
        measured(_null)[0],
        orbit,
        measured(_common_mode)[0],
        _permutation_p(products.ab, permutations, seed, products.classes),
        replicates,
        error_of(lambda leaf: _orbit(leaf, ones)[0]),
    )


def mean_shuffled_coherence(
    products: PairProducts, shuffles: int, seed: int
) -> tuple[float, float]:
    """Mean of ρ over random pairings, and its standard error: the control that must give 0.

    NaN twice if ρ is not defined.
    """
    if orbit_coherence(products) is None:
        return nan, nan
    values = []
    source = generator(seed, "shuffled pairing")
    for _ in range(shuffles):
        order = torch.randperm(len(products.aa), generator=source)
        if products.classes is not None:
            order = _within(order[None], products.classes)[0]
        shuffled = PairProducts(
            products.aa, products.ab[:, order], products.bb[order][:, order], (), products.classes
        )
        values.append(_orbit(shuffled, torch.ones(1, len(order), dtype=torch.float64))[0])
    found = torch.stack(values)
    return float(found.mean()), float(found.std() / len(found) ** 0.5)


def _orbit(products: PairProducts, counts: Tensor) -> Tensor:
    def over(matrix: Tensor) -> Tensor:
        return within_classes(covariance, matrix, counts, products.classes)

    of_a, of_b = over(products.aa), over(products.bb)
    variance = of_a * of_b
    positive = (variance > 0) & (of_a > 0)
    return torch.where(positive, over(products.ab) / variance.abs().sqrt(), torch.nan)


def _null(products: PairProducts, counts: Tensor) -> Tensor:
    """Mean of K(x_i, g x_j) over distinct trajectories."""
    return within_classes(distinct_mean, products.unit().ab, counts, products.classes)


def _common_mode(products: PairProducts, counts: Tensor) -> Tensor:
    """cos(ā, b̄) for each row of ``counts``."""

    def total(matrix: Tensor) -> Tensor:
        # A product of matrices: an einsum of three operands is slower.
        return ((counts @ matrix) * counts).sum(1)

    return total(products.ab) / (total(products.aa) * total(products.bb)).sqrt()


def _within(orders: Tensor, classes: Tensor) -> Tensor:
    """Permutations (…, n) as permutations within classes: each class in the order it has there."""
    ranks = orders.argsort(1)
    _, labels = torch.unique(classes, return_inverse=True)
    places = labels.argsort(stable=True)
    found = torch.empty_like(orders)
    found[:, places] = (labels * len(classes) + ranks).argsort(1)
    return found


def _permutation_p(
    ab: Tensor, permutations: int, seed: int, classes: Tensor | None = None
) -> float:
    n = len(ab)
    source = generator(seed, "permutation")
    orders = torch.rand(permutations, n, generator=source).argsort(1)
    orders = orders if classes is None else _within(orders, classes)
    shuffled = ab[torch.arange(n), orders].mean(1)
    observed = ab.diagonal().mean()
    # A rounding allowance, so that permutations equal to the observed pairing count as equal. "not
    # below", so that products that are not defined (NaN) give p = 1.
    reached = ~(shuffled < observed - 1e-12 * observed.abs())
    return float((1 + reached.sum()) / (1 + permutations))


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
