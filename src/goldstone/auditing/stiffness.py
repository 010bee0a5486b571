"""Stiffness and m-coherence of gradients along orbits."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from goldstone.auditing.coherence import PairProducts
from goldstone.auditing.coherence_summary import CoherenceSummary, summarise_products
from goldstone.auditing.gram_statistics import (
    distinct_mean,
    same_mean,
    with_interval,
)
from goldstone.auditing.orbit_gram import OrbitGram
from goldstone.auditing.statistics import Bootstrap, mean_statistic
from goldstone.auditing.subject import Subject
from goldstone.core import InputError, Statistic


@dataclass(frozen=True)
class PairStiffness:
    """How alike the gradients at x and at g x are.

    Attributes:
        cosine: E cos(∇ℓ_x, ∇ℓ_gx).
        sign: E sign⟨∇ℓ_x, ∇ℓ_gx⟩.
        null_cosine, null_sign: the same of ∇ℓ_x and ∇ℓ_gx′, x′ of another trajectory.
        coherence: ρ and its kin of unit gradients, beside them.
    """

    cosine: Statistic
    sign: Statistic
    null_cosine: Statistic
    null_sign: Statistic
    coherence: CoherenceSummary


@dataclass(frozen=True)
class MCoherence:
    """m‖E g‖²/E‖g‖² of sets of m gradients: 1 if they are orthogonal, m if they are all the same.

    Attributes:
        m: gradients in a set.
        unit: of gradients of length one.
        raw: of the gradients as they are.
    """

    m: int
    unit: Statistic
    raw: Statistic


@dataclass(frozen=True)
class Stiffness:
    """Stiffness of the pairs (x, g x) and over whole orbits; see :func:`stiffness`.

    Attributes:
        elements: by the name of g.
        orbit_cosine, orbit_sign: means over all pairs g ≠ h of tested elements and the identity.
        orbit_coherence: m-coherence of the gradients of one orbit.
        data_coherence: m-coherence of the untransformed samples, m = n, for comparison.
        relative_error: of the products, where the gradients were sketched.
    """

    elements: Mapping[str, PairStiffness]
    orbit_cosine: Statistic
    orbit_sign: Statistic
    orbit_coherence: MCoherence
    data_coherence: MCoherence
    relative_error: float


def pair_stiffness(products: PairProducts, subject: Subject) -> PairStiffness:
    """Stiffness of one element's pairs, from their inner products.

    S_cos = E cos(g₁, g₂), S_sign = E sign⟨g₁, g₂⟩ (Fort, Nowak, Jastrzębski & Narayanan 2019,
    "Stiffness: A New Perspective on Generalization in Neural Networks", eqs. 4 and 5).
    """
    unit, bootstrap = products.unit(), subject.bootstrap
    cosines, signs = unit.ab, unit.ab.sign()
    each = torch.arange(bootstrap.n)
    return PairStiffness(
        cosine=mean_statistic(cosines.diagonal(), each, bootstrap)[0],
        sign=mean_statistic(signs.diagonal(), each, bootstrap)[0],
        null_cosine=with_interval(lambda counts: distinct_mean(cosines, counts), bootstrap),
        null_sign=with_interval(lambda counts: distinct_mean(signs, counts), bootstrap),
        coherence=summarise_products(unit, subject),
    )


def orbit_m_coherence(gram: OrbitGram, bootstrap: Bootstrap) -> MCoherence:
    """m-coherence of the m gradients of an orbit, m E_x‖E_g ∇ℓ_gx‖²/E_x E_g‖∇ℓ_gx‖².

    Chatterjee & Zielinski 2020, "Making Coherence Out of Nothing At All", definition 1.
    """

    def of(one: OrbitGram) -> Statistic:
        blocks = one.of_samples()
        together = torch.diag(blocks.sum((1, 2)))
        apart = torch.diag(blocks.diagonal(dim1=1, dim2=2).sum(1))
        return with_interval(
            lambda counts: same_mean(together, counts) / same_mean(apart, counts), bootstrap
        )

    return MCoherence(len(gram.elements), of(gram.unit()), of(gram))


def data_m_coherence(gram: OrbitGram, bootstrap: Bootstrap) -> MCoherence:
    """m-coherence of the n untransformed samples, n‖ā‖²/mean‖a_i‖².

    As 1 + (n − 1)·mean_{i≠j}⟨a_i, a_j⟩/mean‖a_i‖²: a trajectory drawn twice is not coherent with
    itself.
    """

    def of(one: OrbitGram) -> Statistic:
        aa = one.products[0, :, 0]
        return with_interval(
            lambda counts: 1 + (one.n - 1) * distinct_mean(aa, counts) / same_mean(aa, counts),
            bootstrap,
        )

    return MCoherence(gram.n, of(gram.unit()), of(gram))


def stiffness(gram: OrbitGram, subject: Subject) -> Stiffness:
    """Stiffness and m-coherence along orbits, with intervals over trajectories.

    Raw cosines are high between *any* two gradients of an untrained network: read each beside its
    null, or ρ, which subtracts it.

    Raises:
        InputError: the Gram matrix is not of as many samples as the subject's.
    """
    bootstrap = subject.bootstrap
    if gram.n != bootstrap.n:
        raise InputError(
            f"expected the Gram matrix of the subject's {bootstrap.n} trajectories, got one of "
            f"{gram.n}"
        )
    cosines = gram.unit().of_samples()
    m = len(gram.elements)
    other = ~torch.eye(m, dtype=torch.bool)
    each = torch.arange(gram.n)
    return Stiffness(
        elements={
            name: pair_stiffness(gram.pairs(k), subject)
            for k, name in enumerate(gram.elements)
            if k > 0
        },
        orbit_cosine=mean_statistic(cosines[:, other].mean(1), each, bootstrap)[0],
        orbit_sign=mean_statistic(cosines[:, other].sign().mean(1), each, bootstrap)[0],
        orbit_coherence=orbit_m_coherence(gram, bootstrap),
        data_coherence=data_m_coherence(gram, bootstrap),
        relative_error=gram.relative_error,
    )
