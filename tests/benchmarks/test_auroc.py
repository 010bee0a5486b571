import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.validity.auroc import auroc


def slow(scores, labels):
    """By its definition, over all pairs."""
    positives = [s for s, label in zip(scores, labels, strict=True) if label == 1]
    negatives = [s for s, label in zip(scores, labels, strict=True) if label == 0]
    if not positives or not negatives:
        return np.nan
    wins = [1.0 if p > n else 0.5 if p == n else 0.0 for p in positives for n in negatives]
    return np.mean(wins)


@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=1, max_size=20))
def test_it_is_the_share_of_pairs_in_order(rows):
    scores = np.array([float(s) for s, _ in rows])
    labels = np.array([float(label) for _, label in rows])
    assert auroc(scores, labels)[0] == pytest.approx(slow(scores, labels), nan_ok=True)


def test_of_resamples_it_is_that_of_repeated_rows():
    rng = np.random.default_rng(1)
    scores, labels = rng.integers(0, 6, 30).astype(float), rng.integers(0, 2, 30).astype(float)
    counts = rng.integers(0, 4, (25, 30)).astype(float)
    expected = [
        slow(np.repeat(scores, c.astype(int)), np.repeat(labels, c.astype(int))) for c in counts
    ]
    np.testing.assert_allclose(auroc(scores, labels, counts), expected)


def test_what_is_not_known_is_left_out():
    scores = np.array([1.0, np.nan, 3.0, 2.0, 9.0])
    labels = np.array([0.0, 1.0, 1.0, 0.0, np.nan])
    assert auroc(scores, labels)[0] == 1.0
    assert np.isnan(auroc(scores, np.full(5, np.nan))[0])
