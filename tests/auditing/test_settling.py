"""How many samples would settle an answer."""

import pytest
import torch

from goldstone.auditing.settling import more_gradients, more_trajectories, samples_to_settle
from goldstone.auditing.statistics import Bootstrap, mean_statistic
from goldstone.core import Statistic


def test_intervals_narrow_as_one_over_the_root():
    assert samples_to_settle(Statistic(0.3, -0.1, 0.6, 16), 0.1) == 64
    assert samples_to_settle(Statistic(-0.1, -0.6, 0.3, 16), 0.1) == 64
    assert samples_to_settle(Statistic(0.3, 0.0999, 0.6, 16), 0.1) == 17


def test_on_the_threshold_no_number_will_do():
    on_it = Statistic(0.101, -0.1, 0.3, 16)
    assert samples_to_settle(on_it, 0.1) is None
    assert "over 1,600 in all" in more_trajectories(on_it, 0.1)
    assert samples_to_settle(Statistic(None), 0.1) is None
    assert more_trajectories(Statistic(None), 0.1) == ""


def test_costs_are_said():
    text = more_gradients(Statistic(0.3, -0.1, 0.6, 16), 0.1)
    assert text == ", about 64 in place of 16 (samples=64: 192 more gradients)"


def test_the_estimate_is_about_right_for_means():
    """Normal samples of mean 0.3: with as many as were asked for, the lower bound nears 0.1."""
    source = torch.Generator().manual_seed(0)
    bounds = []
    for seed in range(30):
        values = 0.3 + torch.randn(400, generator=source)
        few = mean_statistic(values[:20], torch.arange(20), Bootstrap.draw(20, 400, seed))[0]
        shifted = Statistic(0.3, 0.3 - few.estimate + few.low, None, 20)
        shifted = Statistic(0.3, shifted.low, 1.0, 20)
        needed = samples_to_settle(shifted, 0.1)
        many = values[: min(400, needed)]
        n = len(many)
        found = mean_statistic(many, torch.arange(n), Bootstrap.draw(n, 400, seed))[0]
        bounds.append(0.3 - found.estimate + found.low)
    assert sum(bounds) / len(bounds) == pytest.approx(0.1, abs=0.02)
