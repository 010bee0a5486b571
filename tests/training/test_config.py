"""Settings of training: values, schedule, JSON."""

import math

import pytest

from goldstone.core import InputError
from goldstone.training import TrainingConfig


def test_the_learning_rate_rises_and_falls():
    training = TrainingConfig(learning_rate=0.1, warmup=0.1)
    rates = [training.learning_rate_at(step, 100) for step in range(100)]
    assert rates[0] == pytest.approx(0.1 / 11)
    assert rates[10] == max(rates) == pytest.approx(0.1)
    assert rates[:11] == sorted(rates[:11])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[55] == pytest.approx(0.05 * (1 + math.cos(math.pi / 2)))
    assert 0 < rates[-1] < 1e-4


def test_the_learning_rate_stays():
    training = TrainingConfig(learning_rate=0.1, warmup=0, schedule="constant")
    assert {training.learning_rate_at(step, 7) for step in range(7)} == {0.1}


def test_round_trip():
    training = TrainingConfig(epochs=3, loss="mse", learning_rate=2e-3)
    assert TrainingConfig.from_json(training.to_json()) == training
    assert TrainingConfig.from_json({"epochs": 3}) == TrainingConfig(epochs=3)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"epochs": 0}, "at least 1"),
        ({"learning_rate": 0.0}, "learning_rate > 0"),
        ({"learning_rate": math.nan}, "learning_rate > 0"),
        ({"warmup": 1.0}, "warmup < 1"),
        ({"schedule": "step"}, "cosine, constant"),
        ({"loss": "rmse"}, "unknown loss 'rmse'"),
        ({"momentum": 0.9}, "unknown momentum"),
    ],
)
def test_refusals(values, message):
    with pytest.raises(InputError, match=message):
        TrainingConfig.from_json(values)
