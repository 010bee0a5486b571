import numpy as np
import pytest
from scipy.stats import spearmanr

from benchmarks.validity.rank_correlation import rank_correlation


@pytest.mark.parametrize("values", [4, 1000])
def test_it_is_spearman_with_and_without_ties(values):
    rng = np.random.default_rng(values)
    x, y = rng.integers(0, values, 40).astype(float), rng.integers(0, values, 40).astype(float)
    assert rank_correlation(x, y)[0] == pytest.approx(spearmanr(x, y).statistic)


def test_of_resamples_it_is_that_of_repeated_rows():
    rng = np.random.default_rng(2)
    x = rng.integers(0, 8, 25).astype(float)
    y = x + rng.integers(0, 6, 25)
    counts = rng.integers(0, 4, (20, 25)).astype(float)
    expected = [
        spearmanr(np.repeat(x, c.astype(int)), np.repeat(y, c.astype(int))).statistic
        for c in counts
    ]
    np.testing.assert_allclose(rank_correlation(x, y, counts), expected, atol=1e-12)


def test_a_constant_has_none_and_what_is_not_known_is_left_out():
    x = np.array([1.0, 2.0, 3.0, np.nan])
    assert np.isnan(rank_correlation(x, np.ones(4))[0])
    assert rank_correlation(x, np.array([1.0, 2.0, 3.0, -9.0]))[0] == pytest.approx(1)
