from math import exp, inf, log

import pytest
import torch

from goldstone.advice.crossings import Z, crossing, crossing_statistic


def test_it_is_where_a_line_in_the_logarithm_of_the_places_crosses():
    places = [1.0, 2.0, 4.0, 8.0, 16.0]
    values = [2 - log(place) for place in places]  # 2 − log t < 0.5 from t = e^1.5
    assert crossing(places, values, 0.5) == pytest.approx(exp(1.5))


def test_one_dip_is_not_enough():
    assert crossing([1, 2, 3, 4, 5], [3, 0, 3, 0, 0], 1.0) == pytest.approx(3 * (4 / 3) ** (2 / 3))
    assert crossing([1, 2, 3], [3, 0, 3], 1.0) == inf
    assert crossing([1, 2, 3], [0, 0, 3], 1.0) == 1


def test_the_last_place_counts_by_itself():
    assert crossing([1, 2], [3, 0], 1.0) < 2


def test_interval_adds_spread_and_model_error_in_squares():
    places = [float(k) for k in range(1, 200)]
    curve = [10 - 0.1 * place for place in places]
    still = torch.tensor([curve] * 50).double()
    found = crossing_statistic(places, curve, still, 5.0, model_error=0.3, n=7)
    assert found.estimate == pytest.approx(50, rel=1e-3)
    assert found.low == pytest.approx(50 * exp(-Z * 0.3), rel=1e-3)
    assert found.high == pytest.approx(50 * exp(Z * 0.3), rel=1e-3)
    assert found.n == 7
    apart = torch.tensor([[v + 0.1 * k for v in curve] for k in range(-20, 21)]).double()
    wider = crossing_statistic(places, curve, apart, 5.0, model_error=0.3, n=7)
    assert wider.low < found.low < found.high < wider.high


def test_what_is_not_within_the_places_has_no_number():
    places, curve = [1.0, 2.0, 3.0], [3.0, 2.0, 1.0]
    found = crossing_statistic(places, curve, torch.tensor([curve] * 9), 0.5, 0.1, 9)
    assert (found.estimate, found.low, found.high) == (None, None, None)
    reaching = torch.tensor([curve, [1.0, 0.0, 0.0]] * 20)
    found = crossing_statistic(places, curve, reaching, 0.5, 0.1, 9)
    assert found.estimate is None
    assert found.low is not None
    assert found.high is None
