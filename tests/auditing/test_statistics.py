"""Intervals and corrections against numbers worked by hand and against loops."""

from math import inf, nan

import numpy as np
import pytest
import torch
from scipy import stats

from goldstone.auditing.statistics import (
    Bootstrap,
    by_trajectory,
    holm,
    interval,
    mean_statistic,
    median_statistic,
)


def test_the_expanded_percentile_interval_by_hand():
    # n = 10: t₉ at 2.5 % is −2.262157, times √(10/9) is −2.384524, and Φ of that is 0.00855070.
    replicates = torch.linspace(0, 1, 10001, dtype=torch.float64)
    low, high = interval(replicates, 10)
    assert low == pytest.approx(0.0085507, abs=1e-6)
    assert high == pytest.approx(1 - 0.0085507, abs=1e-6)


def test_the_interval_of_many_samples_is_the_percentile_interval():
    replicates = torch.linspace(0, 1, 10001, dtype=torch.float64)
    low, high = interval(replicates, 10**6)
    assert (low, high) == (pytest.approx(0.025, abs=1e-5), pytest.approx(0.975, abs=1e-5))


def test_the_interval_of_a_mean_is_that_of_t():
    values = torch.randn(12, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    found, _ = mean_statistic(values, torch.arange(12), Bootstrap.draw(12, 20000, 0))
    half = stats.t.ppf(0.975, 11) * float(values.std()) / 12**0.5
    assert found.low == pytest.approx(float(values.mean()) - half, abs=0.15 * half)
    assert found.high == pytest.approx(float(values.mean()) + half, abs=0.15 * half)


def test_nan_replicates_are_left_out_and_too_many_give_no_interval():
    replicates = torch.linspace(0, 1, 1001, dtype=torch.float64)
    padded = torch.cat([replicates, torch.full((500,), nan, dtype=torch.float64)])
    assert interval(padded, 10) == interval(replicates, 10)
    drowned = torch.cat([replicates, torch.full((1500,), nan, dtype=torch.float64)])
    assert interval(drowned, 10) == (None, None)
    assert interval(replicates, 1) == (None, None)


def test_holm_by_hand():
    # Ordered: 0.005·4, 0.01·3, 0.03·2, and 0.04·1 lifted to the one before it.
    p = {"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005}
    wanted = {"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02}
    assert holm(p) == pytest.approx(wanted)
    assert list(holm(p)) == list(p)
    assert holm({"a": 0.7, "b": 0.6}) == {"a": 1.0, "b": 1.0}
    assert holm({}) == {}


def test_means_within_trajectories():
    values = torch.tensor([1.0, 5.0, 2.0, 3.0])
    assert by_trajectory(values, torch.tensor([0, 1, 0, 0])).tolist() == [2.0, 5.0]


def test_counts_are_those_of_the_draws():
    bootstrap = Bootstrap.draw(5, 30, seed=1)
    for draws, counts in zip(bootstrap.draws, bootstrap.counts, strict=True):
        assert counts.tolist() == np.bincount(draws.numpy(), minlength=5).tolist()
    assert torch.equal(bootstrap.draws, Bootstrap.draw(5, 30, seed=1).draws)
    assert not torch.equal(bootstrap.draws, Bootstrap.draw(5, 30, seed=2).draws)


def test_the_mean_resamples_trajectories_not_samples():
    values = torch.arange(12, dtype=torch.float64).sqrt()
    trajectory = torch.arange(4).repeat_interleave(3)
    bootstrap = Bootstrap.draw(4, 50, 0)
    found, replicates = mean_statistic(values, trajectory, bootstrap)
    for draws, replicate in zip(bootstrap.draws, replicates, strict=True):
        drawn = torch.cat([values[trajectory == t] for t in draws])
        assert float(replicate) == pytest.approx(float(drawn.mean()))
    assert found.estimate == pytest.approx(float(values.mean()))
    assert found.n == 4
    assert (found.q1, found.median, found.q3) == pytest.approx(
        tuple(np.quantile(values.numpy(), [0.25, 0.5, 0.75]))
    )


def test_the_median_resamples_trajectories():
    values = torch.randn(20, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    trajectory = torch.arange(5).repeat_interleave(4)
    bootstrap = Bootstrap.draw(5, 400, 0)
    found = median_statistic(values, trajectory, bootstrap)
    replicates = [
        np.median(np.concatenate([values[trajectory == t] for t in draws]))
        for draws in bootstrap.draws
    ]
    low, high = interval(torch.tensor(np.array(replicates)), 5)
    assert found.estimate == pytest.approx(float(np.median(values.numpy())))
    assert (found.low, found.high) == pytest.approx((low, high))


@pytest.mark.parametrize("bad", [nan, inf, -inf])
def test_a_mean_that_is_not_defined_is_none(bad):
    values = torch.tensor([1.0, 2.0, bad, 4.0])
    found, _ = mean_statistic(values, torch.arange(4), Bootstrap.draw(4, 100, 0))
    assert found.estimate is None
    assert found.median == 2.0
