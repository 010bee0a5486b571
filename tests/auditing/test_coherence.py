"""Coherences against literal double loops, and their intervals against known populations."""

import itertools

import numpy as np
import pytest
import torch
from scipy import stats

from goldstone.auditing.coherence import (
    PairProducts,
    coherences,
    mean_shuffled_coherence,
    orbit_coherence,
    pair_coherence,
)
from goldstone.auditing.statistics import Bootstrap, interval


def products_of(a, b):
    return PairProducts(a @ a.T, a @ b.T, b @ b.T)


def population(n, seed, share=0.6, parameters=200, noise=1.0):
    """a_i = m + s_i, b_i = m′ + c s_i + noise, all of them normal."""
    source = torch.Generator().manual_seed(seed)

    def draw(rows):
        return torch.randn(rows, parameters, dtype=torch.float64, generator=source)

    s = draw(n)
    return 2 * draw(1) + s, draw(1) + share * s + noise * draw(n)


def mean_over_pairs(rows, columns, owner=None):
    """Mean of ⟨row_i, column_j⟩ over i ≠ j, by a double loop."""
    owner = range(len(rows)) if owner is None else owner
    found = [
        float(rows[i] @ columns[j])
        for i, j in itertools.product(range(len(rows)), repeat=2)
        if owner[i] != owner[j]
    ]
    return float(np.mean(found)) if found else float("nan")


def looped_orbit(a, b, owner=None):
    n = len(a)

    def centred(rows, columns):
        matched = float(np.mean([float(rows[i] @ columns[i]) for i in range(n)]))
        return matched - mean_over_pairs(rows, columns, owner)

    return centred(a, b) / (centred(a, a) * centred(b, b)) ** 0.5


def unit(rows):
    return rows / rows.norm(dim=1, keepdim=True)


def test_every_coherence_equals_its_double_loop():
    a, b = population(7, 0)
    products, bootstrap = products_of(a, b), Bootstrap.draw(7, 40, 0)
    found = coherences(products, bootstrap, 10, 0)
    cosines = [float(a[i] @ b[i] / a[i].norm() / b[i].norm()) for i in range(7)]
    assert pair_coherence(products).tolist() == pytest.approx(cosines)
    assert found.pair.estimate == pytest.approx(np.mean(cosines))
    assert found.null.estimate == pytest.approx(mean_over_pairs(unit(a), unit(b)))
    assert found.orbit.estimate == pytest.approx(looped_orbit(a, b))
    assert orbit_coherence(products) == found.orbit.estimate
    mean_a, mean_b = a.mean(0), b.mean(0)
    common = float(mean_a @ mean_b / mean_a.norm() / mean_b.norm())
    assert found.common_mode.estimate == pytest.approx(common)
    assert found.orbit.n == found.null.n == 7


def test_replicates_leave_out_pairs_of_one_trajectory_drawn_twice():
    a, b = population(6, 1)
    bootstrap = Bootstrap.draw(6, 25, 0)
    found = coherences(products_of(a, b), bootstrap, 10, 0)
    nulls, commons = [], []
    for draws, replicate in zip(bootstrap.draws, found.orbit_replicates, strict=True):
        owner = draws.tolist()
        assert float(replicate) == pytest.approx(looped_orbit(a[draws], b[draws], owner))
        nulls.append(mean_over_pairs(unit(a)[draws], unit(b)[draws], owner))
        mean_a, mean_b = a[draws].mean(0), b[draws].mean(0)
        commons.append(float(mean_a @ mean_b / mean_a.norm() / mean_b.norm()))
    for statistic, replicates in ((found.null, nulls), (found.common_mode, commons)):
        low, high = interval(torch.tensor(replicates, dtype=torch.float64), 6)
        assert (statistic.low, statistic.high) == pytest.approx((low, high))


def test_equal_gradients_have_coherence_one_whatever_their_common_mode():
    a, _ = population(6, 2)
    found = coherences(products_of(a, a), Bootstrap.draw(6, 200, 0), 500, 0)
    for statistic in (found.pair, found.orbit, found.common_mode):
        assert statistic.estimate == pytest.approx(1.0, abs=1e-12)
        assert statistic.low == pytest.approx(1.0, abs=1e-12)
        assert statistic.high == pytest.approx(1.0, abs=1e-12)
    assert found.null.estimate < 0.95
    assert found.permutation_p < 0.01


def test_scale_does_not_matter():
    a, b = population(6, 3)
    assert orbit_coherence(products_of(1e-9 * a, 1e6 * b)) == pytest.approx(
        orbit_coherence(products_of(a, b)), rel=1e-9
    )


def test_the_gram_matrix_is_taken_apart_and_put_together():
    a, b = population(4, 4)
    rows = torch.cat([a, b])
    products = PairProducts.from_gram(rows @ rows.T)
    assert torch.equal(products.ab, (rows @ rows.T)[:4, 4:])
    assert torch.equal(products.gram(), rows @ rows.T)
    torch.testing.assert_close(products.unit().aa, unit(a) @ unit(a).T)
    torch.testing.assert_close(products.unit().ab, unit(a) @ unit(b).T)
    torch.testing.assert_close(products.unit().bb, unit(b) @ unit(b).T)


def test_the_mean_over_all_pairings_is_zero():
    a, b = population(5, 5)
    products = products_of(a, b)
    orders = [list(order) for order in itertools.permutations(range(5))]
    values = [orbit_coherence(products_of(a, b[order])) for order in orders]
    assert np.mean(values) == pytest.approx(0.0, abs=1e-12)
    assert np.std(values) > 1e-3
    mean, error = mean_shuffled_coherence(products, 200, 0)
    assert abs(mean) < 4 * error
    assert error == pytest.approx(np.std(values) / 200**0.5, rel=0.3)


def test_independent_gradients_have_coherence_zero_in_the_mean():
    values = [orbit_coherence(products_of(*population(8, seed, share=0.0))) for seed in range(200)]
    assert abs(np.mean(values)) < 4 * np.std(values) / 200**0.5


def test_the_permutation_p_is_uniform_under_the_null_and_small_when_paired():
    def p_value(seed, share):
        products = products_of(*population(8, seed, share=share, parameters=20))
        return coherences(products, Bootstrap.draw(8, 2, 0), 400, seed).permutation_p

    null = [p_value(seed, 0.0) for seed in range(300)]
    assert stats.kstest(null, "uniform").pvalue > 0.01
    assert np.mean(np.array(null) <= 0.05) == pytest.approx(0.05, abs=0.04)
    assert max(p_value(seed, 2.0) for seed in range(20)) < 0.02


def test_the_permutation_p_counts_all_pairings():
    a, b = population(4, 6, parameters=3)
    ab = a @ b.T
    means = [
        float(np.mean([float(ab[i, order[i]]) for i in range(4)]))
        for order in itertools.permutations(range(4))
    ]
    share = np.mean(np.array(means) >= float(ab.diagonal().mean()) - 1e-12)
    found = coherences(products_of(a, b), Bootstrap.draw(4, 2, 0), 20000, 0).permutation_p
    assert found == pytest.approx(share, abs=0.01)


def test_estimate_and_coverage_on_a_known_population():
    """ρ = c/√(c² + noise²) for a_i = m + s_i, b_i = m′ + c s_i + noise; 400 audits of 16."""
    share, noise, n = 0.5, 1.0, 16
    truth = share / (share**2 + noise**2) ** 0.5
    bootstrap = Bootstrap.draw(n, 1000, 0)
    found = [
        coherences(products_of(*population(n, seed, share, 60, noise)), bootstrap, 1, 0).orbit
        for seed in range(400)
    ]
    assert np.mean([s.estimate for s in found]) == pytest.approx(truth, abs=0.01)
    covered = np.mean([s.low <= truth <= s.high for s in found])
    print(f"coverage of the 95 % interval: {covered:.3f}")
    assert 0.91 <= covered <= 0.99


@pytest.mark.parametrize("metric_is_null", [True, False])
def test_gradients_of_zero_have_no_coherence_and_are_not_significant(metric_is_null):
    a, b = population(6, 7)
    b = torch.zeros_like(b)
    a = torch.zeros_like(a) if metric_is_null else a
    products = products_of(a, b)
    found = coherences(products.unit(), Bootstrap.draw(6, 50, 0), 100, 0)
    for statistic in (found.pair, found.null, found.orbit, found.common_mode):
        assert (statistic.estimate, statistic.low, statistic.high) == (None, None, None)
    assert found.permutation_p == 1.0
    assert orbit_coherence(products) is None
